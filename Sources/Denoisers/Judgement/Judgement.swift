internal import Kernels
internal import Tensors

/// How much of clean embeddings is left in some made from them; all from 0 to 1, cosines from −1.
public struct Measures: Sendable, Equatable {
    /// The mean cosine to the clean row.
    public var cosine: Double
    /// The mean part of a row's ten nearest clean neighbours that are its neighbours still, both
    /// sides noisy.
    public var neighbours: Double
    /// The mean part of the eleven clean rows nearest to the clean row, itself among them, that are
    /// nearest to the noisy one.
    public var queries: Double
    /// The part of the rows whose nearest clean row is their own.
    public var recall: Double

    /// The measures in the order of a table's columns.
    public var all: [Double] { [cosine, neighbours, queries, recall] }
}

/// One way of treating noisy rows, measured.
public struct Judged: Sendable, Equatable {
    /// What it is called.
    public var name: String
    /// What is left after it.
    public var measures: Measures
    /// By how much each of the measures is above doing nothing, in the order of `Measures.all`, and
    /// the standard errors of these differences over the rows.
    public var gains, errors: [Double]

    /// Whether cosine, neighbours or queries fall below doing nothing by more than twice the error
    /// of that and 0.004.
    public var isWorse: Bool {
        zip(gains, errors).prefix(3).contains { $0 < -max(0.004, 2 * $1) }
    }
}

/// Ways of treating noisy rows, beside doing nothing, at one noise level.
public struct JudgedLevel: Sendable, Equatable {
    /// The noise level.
    public var noise: Float
    /// What is left without treatment.
    public var nothing: Measures
    /// In the order in which they were given.
    public var judged: [Judged]
}

/// A way of treating noisy rows.
public struct Treatment {
    /// What it is called.
    public var name: String
    /// Rows [rows, width] to as many.
    public var apply: (_ rows: [Float]) -> [Float]

    /// A treatment of this name.
    public init(_ name: String, _ apply: @escaping (_ rows: [Float]) -> [Float]) {
        self.name = name
        self.apply = apply
    }
}

/// Judges treatments of noisy embeddings by the clean ones.
public struct Judge {
    /// The recipe's levels.
    public static let levels: [Float] = [0, 0.02, 0.05, 0.1, 0.2]

    /// The fewest rows that have neighbours to keep.
    public static let leastRows = 12

    private let width: Int
    private let clean: [Float]
    /// Clean rows of length 1.
    private let targets: [Float]
    /// The ten nearest to each, and the eleven with itself.
    private let neighbours, queries: [Int32]

    /// Finds the neighbours of `clean` [rows, width], of which there are `leastRows` or more; 2,000
    /// take a third of a second and 32 MB.
    public init(clean: [Float], width: Int = 384) {
        precondition(
            clean.count % width == 0 && clean.count >= Self.leastRows * width,
            "\(clean.count) values in rows of \(width)")
        self.width = width
        self.clean = clean
        targets = lengthOne(clean, width)
        neighbours = nearest(targets, among: targets, width: width, count: 10, withoutSelf: true)
        queries = nearest(targets, among: targets, width: width, count: 11, withoutSelf: false)
    }

    /// What treatments leave of the rows at each noise level.
    ///
    /// - Parameters:
    ///   - treatments: each gets all noisy rows at once.
    ///   - levels: standard deviations of the noise.
    ///   - seed: what the noise follows from; its stream is another than that of Stein's estimate.
    ///   - isCancelled: asked before each treatment; true leaves the rest out.
    public func judge(
        _ treatments: [Treatment], levels: [Float] = Self.levels, seed: UInt64 = 1,
        isCancelled: () -> Bool = { false }
    ) -> [JudgedLevel] {
        var table: [JudgedLevel] = []
        for (index, level) in levels.enumerated() {
            let noisy =
                level > 0
                ? addingNoise(
                    to: clean, noiseLevel: level, seed: seed &* 0x1_0000 &+ UInt64(index))
                : clean
            let nothing = rowMeasures(noisy)
            var judged: [Judged] = []
            for treatment in treatments {
                if isCancelled() { return table }
                let measured = rowMeasures(treatment.apply(noisy))
                let differences = zip(measured, nothing).map { zip($0, $1).map { $0 - $1 } }
                judged.append(
                    Judged(
                        name: treatment.name, measures: Measures(measured),
                        gains: differences.map(mean), errors: differences.map(standardError)))
            }
            table.append(JudgedLevel(noise: level, nothing: Measures(nothing), judged: judged))
        }
        return table
    }

    /// Cosine, neighbours, queries and recall of every row.
    private func rowMeasures(_ rows: [Float]) -> [[Double]] {
        let count = clean.count / width
        precondition(rows.count == clean.count, "\(rows.count) values for \(clean.count)")
        let lengths = lengthOne(rows, width)
        let near = nearest(lengths, among: lengths, width: width, count: 10, withoutSelf: true)
        let found = nearest(lengths, among: targets, width: width, count: 11, withoutSelf: false)
        return [
            (0..<count).map { row in
                let range = row * width..<(row + 1) * width
                return cosine(rows.span.extracting(range), clean.span.extracting(range))
            },
            overlaps(near, neighbours, 10), overlaps(found, queries, 11),
            (0..<count).map { found[$0 * 11] == Int32($0) ? 1 : 0 },
        ]
    }

    private func overlaps(_ found: [Int32], _ wanted: [Int32], _ count: Int) -> [Double] {
        stride(from: 0, to: found.count, by: count).map { start in
            let wanted = wanted[start..<start + count]
            let kept = found[start..<start + count].count { wanted.contains($0) }
            return Double(kept) / Double(count)
        }
    }
}

extension Measures {
    fileprivate init(_ rows: [[Double]]) {
        self.init(
            cosine: mean(rows[0]), neighbours: mean(rows[1]), queries: mean(rows[2]),
            recall: mean(rows[3]))
    }
}

private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}

/// `rows` scaled to length 1; rows of zeros stay.
private func lengthOne(_ rows: [Float], _ width: Int) -> [Float] {
    let count = rows.count / width
    var squares = [Double](repeating: 0, count: count)
    var lengths = squares.mutableSpan
    squaredLengths(rows.span, rows: count, columns: width, into: &lengths)
    let factors = squares.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    var result = [Float](repeating: 0, count: rows.count)
    var span = result.mutableSpan
    scaleRows(rows.span, by: factors.span, rows: count, columns: width, into: &span)
    return result
}

extension AdaptiveParameters {
    /// The Wiener filter (Wiener 1949) of this network's clean statistics at the level that each
    /// row's length tells: the best that is linear. [rows, width]
    public func wiener(_ rows: [Float]) -> [Float] {
        let width = shape.width
        let count = rows.count / width
        guard count > 0 else { return [] }
        var squares = [Double](repeating: 0, count: count)
        var lengths = squares.mutableSpan
        squaredLengths(rows.span, rows: count, columns: width, into: &lengths)
        let levels = squares.map { Float((max($0 - 1, 0) / Double(width)).squareRoot()) }
        let onAxes = constants.onAxes(rows.span)
        let zeros = [Float](repeating: 0, count: rows.count)
        var filtered = zeros
        var span = filtered.mutableSpan
        posterior(
            onAxes.span, mean: zeros.span.extracting(first: width), r: zeros.span,
            w: variances.span, s: levels.span, rows: count, into: &span)
        var result = zeros
        var output = result.mutableSpan
        multiply(
            MatrixView(filtered.span, rows: count, columns: width),
            MatrixView(axes.span, rows: width, columns: width).transposed,
            into: MutableMatrixView(&output, rows: count, columns: width))
        addBias(
            MutableMatrixView(&output, rows: count, columns: width), bias: mean.span,
            rectify: false)
        return result
    }
}
