internal import CKernels

/// The one size of an attention head that `attend` knows.
public let attentionHeadSize = Int(KERNELS_HEAD)

/// Elements past its last key that `attend` may read (and ignores).
public let attentionKeySlack = 16

/// Elements of scratch that `attend` needs for sequences of up to `length`.
public func attentionScratch(length: Int) -> Int {
    Int(KERNELS_SCORE_ROWS) * ((length + 15) / 16 * 16)
}

/// query[length, 32·heads] = softmax((query + queryBias) · Kᵀ / √32) · values + valueBias, head by head.
///
/// One sequence. `keys` is transposed, [32·heads, length], as `multiply` gives it with the operands
/// exchanged. The key projection's bias is left out on purpose: it shifts all scores of a query alike,
/// and the softmax cancels that.
///
/// - Parameters:
///   - stride: elements from one row of `query`, and of `values`, to the next.
///   - keyStride: elements from one row of `keys` to the next; not a multiple of 1,024 for speed
///     (32 rows 4 KiB apart fall on the same few places of the first-level cache).
public func attend(
    _ query: inout MutableSpan<Float>,
    keys: Span<Float>,
    values: Span<Float>,
    queryBias: Span<Float>,
    valueBias: Span<Float>,
    heads: Int,
    length: Int,
    stride: Int,
    keyStride: Int,
    scratch: inout MutableSpan<Float>
) {
    let columns = heads * attentionHeadSize
    requireRows(length, of: columns, stride: stride, in: query.count, "query")
    requireRows(
        columns, of: length, stride: keyStride, in: keys.count - attentionKeySlack, "keys")
    requireRows(length, of: columns, stride: stride, in: values.count, "values")
    requireRows(1, of: columns, stride: columns, in: queryBias.count, "queryBias")
    requireRows(1, of: columns, stride: columns, in: valueBias.count, "valueBias")
    let scores = attentionScratch(length: length)
    precondition(scratch.count >= scores, "scratch of \(scratch.count), \(scores) needed")
    unsafe query.withUnsafeMutableBufferPointer { query in
        unsafe keys.withUnsafeBufferPointer { keys in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe queryBias.withUnsafeBufferPointer { queryBias in
                    unsafe valueBias.withUnsafeBufferPointer { valueBias in
                        unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                            unsafe kernels_attention(
                                query.baseAddress, keys.baseAddress, values.baseAddress,
                                stride, keyStride, queryBias.baseAddress, valueBias.baseAddress,
                                heads, length, scratch.baseAddress)
                        }
                    }
                }
            }
        }
    }
}
