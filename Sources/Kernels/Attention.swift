public import Tensors
internal import CKernels

/// The one size of an attention head that `attention` knows.
public let attentionHeadSize = Int(KERNELS_HEAD)

/// Elements past its last key that `attention` may read (and ignores).
public let attentionKeySlack = 16

/// Elements of scratch that `attention` needs for sequences of up to `length`.
public func attentionScratch(length: Int) -> Int {
    Int(KERNELS_SCORE_ROWS) * ((length + 15) / 16 * 16)
}

/// query[length, 32·heads] = softmax((query + queryBias) · Kᵀ / √32) · values + valueBias, head by
/// head.
///
/// One sequence. The key projection's bias is left out on purpose: it shifts all scores of a query
/// alike, and the softmax cancels that.
///
/// - Parameters:
///   - query: becomes the context.
///   - keys: transposed, [32·heads, length]. A stride that is a multiple of 1,024 is slow: 32 rows
///     4 KiB apart fall on the same few places of the first-level cache.
///   - values: of the same shape and stride as `query`.
///   - scratch: `attentionScratch(length:)` elements.
public func attention(
    _ query: consuming MutableMatrixView,
    keys: MatrixView,
    values: MatrixView,
    queryBias: Span<Float>,
    valueBias: Span<Float>,
    scratch: inout MutableSpan<Float>
) {
    requireSameLayout(values, query, "query")
    let (length, columns, stride) = (query.rows, query.columns, query.stride)
    let keyStride = keys.stride
    precondition(
        columns % attentionHeadSize == 0, "\(columns) columns in heads of \(attentionHeadSize)")
    precondition(
        !keys.isTransposed && keys.rows == columns && keys.columns == length
            && (columns - 1) * keyStride + length + attentionKeySlack <= keys.values.count,
        "keys: [\(keys.rows), \(keys.columns)] in \(keys.values.count) elements, "
            + "not [\(columns), \(length)] and \(attentionKeySlack) elements")
    requireColumns(columns, in: queryBias, "queryBias")
    requireColumns(columns, in: valueBias, "valueBias")
    let scores = attentionScratch(length: length)
    precondition(scratch.count >= scores, "scratch of \(scratch.count), \(scores) needed")
    let heads = columns / attentionHeadSize
    unsafe query.values.withUnsafeMutableBufferPointer { query in
        unsafe keys.values.withUnsafeBufferPointer { keys in
            unsafe values.values.withUnsafeBufferPointer { values in
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
