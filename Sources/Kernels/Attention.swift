internal import CKernels

/// The width of a head; the kernel's loops are unrolled for it.
public let attentionHeadWidth = 32

/// Floats of scratch that attention over sequences of up to `tokens` tokens needs.
public func attentionScratch(tokens: Int) -> Int {
    (attentionHeadWidth + 4) * ck_attention_padded(tokens)
}

/// context[tokens, hidden] = softmax(q · kᵀ / √32) · v within each sequence, head by head.
///
/// Sequence s has the rows offsets[s] ..< offsets[s + 1]; hidden is `heads` · 32. Vaswani et al., arXiv
/// 1706.03762, equation 1.
public func attend(
    queries: Span<Float>,
    keys: Span<Float>,
    values: Span<Float>,
    biases: AttentionBiases,
    heads: Int,
    offsets: Span<Int>,
    scratch: inout MutableSpan<Float>,
    into context: inout MutableSpan<Float>
) {
    let hidden = heads * attentionHeadWidth
    let tokens = offsets[offsets.count - 1]
    for count in [queries.count, keys.count, values.count, context.count] {
        precondition(count >= tokens * hidden, "\(count) elements for [\(tokens), \(hidden)]")
    }
    for bias in [biases.query.count, biases.key.count, biases.value.count] {
        precondition(bias == hidden, "a bias of \(bias) for \(hidden) columns")
    }
    let scratchCount = scratch.count
    for sequence in 0..<offsets.count - 1 {
        let first = offsets[sequence]
        let length = offsets[sequence + 1] - first
        precondition(
            length >= 0 && attentionScratch(tokens: length) <= scratchCount,
            "\(length) tokens, scratch \(scratchCount)")
        let start = first * hidden
        unsafe queries.withUnsafeBufferPointer { q in
            unsafe keys.withUnsafeBufferPointer { k in
                unsafe values.withUnsafeBufferPointer { v in
                    unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                        unsafe context.withUnsafeMutableBufferPointer { context in
                            unsafe biases.withPointers { qBias, kBias, vBias in
                                unsafe ck_attention(
                                    q.baseAddress.map { unsafe $0 + start },
                                    k.baseAddress.map { unsafe $0 + start },
                                    v.baseAddress.map { unsafe $0 + start },
                                    qBias, kBias, vBias,
                                    context.baseAddress.map { unsafe $0 + start },
                                    scratch.baseAddress, length, heads)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is still to be added to queries, keys and values, [hidden] each.
public struct AttentionBiases: Sendable {
    let query, key, value: Tensor

    public init(query: Tensor, key: Tensor, value: Tensor) {
        self.query = query
        self.key = key
        self.value = value
    }

    fileprivate func withPointers(
        _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
    ) {
        unsafe query.span.withUnsafeBufferPointer { query in
            unsafe key.span.withUnsafeBufferPointer { key in
                unsafe value.span.withUnsafeBufferPointer { value in
                    unsafe body(query.baseAddress, key.baseAddress, value.baseAddress)
                }
            }
        }
    }
}
