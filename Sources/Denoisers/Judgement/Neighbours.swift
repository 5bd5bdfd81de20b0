internal import Kernels
internal import Tensors

/// The `count` rows of `among` nearest to each of `rows` by cosine, nearest first, [rows, count].
///
/// - Parameters:
///   - rows: [rows, width], of any length above 0.
///   - among: [candidates, width], each of length 1 or 0; more than `count`.
///   - withoutSelf: whether row i is no candidate for row i.
func nearest(
    _ rows: [Float], among: [Float], width: Int, count: Int, withoutSelf: Bool
) -> [Int32] {
    let (queries, candidates) = (rows.count / width, among.count / width)
    precondition(count < candidates, "\(count) nearest of \(candidates)")
    let block = 128
    var scores = Matrix(rows: block, columns: candidates)
    var found: [Int32] = []
    found.reserveCapacity(queries * count)
    for start in stride(from: 0, to: queries, by: block) {
        let end = min(start + block, queries)
        scores.rows = end - start
        // A query's own length does not change which candidate is nearest.
        var products = scores.mutableSpan
        multiply(
            MatrixView(
                rows.span.extracting(start * width..<end * width), rows: end - start,
                columns: width),
            MatrixView(among.span, rows: candidates, columns: width).transposed,
            into: MutableMatrixView(&products, rows: end - start, columns: candidates))
        for row in start..<end {
            let line = products.span.extracting(
                (row - start) * candidates..<(row - start + 1) * candidates)
            found += highest(line, count, without: withoutSelf ? row : nil)
        }
    }
    return found
}

/// Where the `count` highest of `scores` are, highest first; of equal ones the first.
private func highest(_ scores: Span<Float>, _ count: Int, without left: Int?) -> [Int32] {
    var places: [Int32] = []
    var values: [Float] = []
    for i in scores.indices where i != left {
        let score = scores[i]
        if values.count == count, !(score > values[count - 1]) { continue }
        var place = values.count
        while place > 0, score > values[place - 1] { place -= 1 }
        values.insert(score, at: place)
        places.insert(Int32(i), at: place)
        if values.count > count {
            values.removeLast()
            places.removeLast()
        }
    }
    return places
}
