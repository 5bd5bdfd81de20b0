internal import Kernels
internal import Tensors
internal import System

/// How noisy each row of a request is.
public struct NoiseEstimate: Sendable, Equatable {
    /// Each row's noise level: the standard deviation of an element's noise at the scale at which a
    /// clean row has length 1; 0 for a clean row. [rows]
    public var levels: [Float]

    /// The length that a row would have without its noise. [rows]
    public var scales: [Double]

    /// The level of all noisy rows, if they have one; nil if each has its own.
    public var commonLevel: Float?

    /// From how many noisy rows on they are looked at together.
    static let rowsToPool = 32

    /// The mean level of the rows; 0 if there are none.
    public var meanLevel: Double {
        levels.isEmpty ? 0 : levels.reduce(0) { $0 + Double($1) } / Double(levels.count)
    }
}

extension NoiseEstimate {
    /// `rows` rows of one level, which a clean row of length 1 is the base of.
    init(level: Float, rows: Int) {
        self.init(
            levels: Array(repeating: level, count: rows),
            scales: Array(repeating: 1, count: rows), commonLevel: level)
    }
}

extension AdaptiveParameters {
    /// How noisy the rows of `x` are, from the rows themselves.
    ///
    /// A clean embedding has length 1 and zeros in its pilots, whatever the text. So:
    ///
    /// 1. A row whose pilots are 0, within 1e-5 of its length, has no dense noise, whatever its
    ///    scale. Its level is 0.
    /// 2. At the scale at which a clean row has length 1, |x|² = 1 + width · s² tells s. Whether
    ///    rows have that scale, or one of their own, their lengths and pilots tell, or their
    ///    directions (`BlindTables`) if they are few.
    /// 3. Rows that all have one length, within a thousandth, and cannot have that scale, were
    ///    scaled to it after the noise came. Their directions tell their levels.
    /// 4. If their lengths, or their directions, allow that 32 rows or more have one level, they
    ///    have it: the mean of many tells it better than each row tells its own.
    ///
    /// - Parameters:
    ///   - x: [rows, width]; a row with an element that is not finite counts as clean.
    ///   - given: the level of every row, if the caller knows it; rows of one length are then taken
    ///     as scaled.
    public func estimateNoise(_ x: Span<Float>, given: Float? = nil) -> NoiseEstimate {
        let width = shape.width
        precondition(x.count % width == 0, "\(x.count) values in rows of \(width)")
        let count = x.count / width
        var lengths = [Double](repeating: 0, count: count)
        var squares = lengths.mutableSpan
        squaredLengths(x, rows: count, columns: width, into: &squares)
        for row in 0..<count { lengths[row].formSquareRoot() }
        var estimate = NoiseEstimate(
            levels: Array(repeating: 0, count: count), scales: Array(repeating: 1, count: count))
        let noisy = (0..<count).filter {
            lengths[$0] > 0 && lengths[$0].isFinite
                && (given.map { $0 > 0 } ?? pilots.showNoise(x, row: $0, width, lengths[$0]))
        }
        guard !noisy.isEmpty else { return estimate }
        let rows = NoisyRows(numbers: noisy, lengths: noisy.map { lengths[$0] }, width: width)
        if let given {
            estimate.commonLevel = given
            for (index, row) in noisy.enumerated() {
                estimate.levels[row] = given
                if rows.haveOneLength { estimate.scales[row] = rows.scale(index, level: given) }
            }
        } else if rows.haveOneLength {
            let likelihoods = likelihoods(of: rows, in: x)
            if rows.mayHaveScaleOne(likelihoods) {
                estimate.takeLengths(of: rows, scale: 1)
            } else {
                estimate.commonLevel = commonLevel(of: rows, likelihoods, in: x)
                for (index, row) in noisy.enumerated() {
                    let level = estimate.commonLevel ?? likelihoods.best(index)
                    estimate.levels[row] = level
                    estimate.scales[row] = rows.scale(index, level: level)
                }
            }
        } else {
            estimate.takeLengths(of: rows, scale: commonScale(of: rows, in: x))
        }
        return estimate
    }

    /// The one level of rows that were scaled after their noise came; nil if they are few or may
    /// have several.
    ///
    /// The pilots of enough rows tell it, whatever the kind of text: a unit row's have the mean
    /// square p = s² / (1 + d s²) in d elements. Else it is the level that is likeliest for all
    /// rows.
    private func commonLevel(
        of rows: NoisyRows, _ likelihoods: BlindLikelihoods, in x: Span<Float>
    ) -> Float? {
        guard rows.numbers.count >= NoiseEstimate.rowsToPool else { return nil }
        let together = likelihoods.together
        // Rows of several levels lose more, in nats.
        guard together.loss <= 1.5 else { return nil }
        guard !pilots.isEmpty else { return together.level }
        let count = Double(rows.numbers.count * pilots.count)
        var square = 0.0
        for (index, row) in rows.numbers.enumerated() {
            for pilot in pilots {
                let value = Double(x[row * shape.width + pilot]) / rows.lengths[index]
                square += value * value / count
            }
        }
        let rest = 1 - Double(shape.width) * square
        // The level's relative error, twice over.
        guard rest > 0, (2 / count).squareRoot() / rest <= 0.1 else { return together.level }
        return Float((square / rest).squareRoot())
    }

    private func likelihoods(of rows: NoisyRows, in x: Span<Float>) -> BlindLikelihoods {
        let width = shape.width
        var directions = Matrix(rows: rows.numbers.count, columns: width)
        var output = directions.mutableSpan
        for (index, row) in rows.numbers.enumerated() {
            let factor = [1 / rows.lengths[index]]
            var place = output._mutatingExtracting(index * width..<(index + 1) * width)
            scaleRows(
                x.extracting(row * width..<(row + 1) * width), by: factor.span, rows: 1,
                columns: width, into: &place)
        }
        return blindLikelihoods(directions.span)
    }

    /// Rows by whose directions a scale is judged; more would tell no more.
    private static let judgedRows = 64

    /// The length that these rows would have without their noise.
    ///
    /// Their mean square length is that, squared, and what the pilots tell of the noise. If the
    /// pilots of so few rows tell too little, the rows' directions decide.
    private func commonScale(of rows: NoisyRows, in x: Span<Float>) -> Double {
        let few = rows.first(Self.judgedRows)
        guard !pilots.isEmpty else {
            let likelihoods = likelihoods(of: few, in: x)
            return few.mayHaveScaleOne(likelihoods) ? 1 : few.likeliestScale(likelihoods)
        }
        let width = Double(shape.width)
        let (count, each) = (Double(rows.numbers.count), Double(pilots.count))
        var (noise, square) = (0.0, 0.0)
        for (index, row) in rows.numbers.enumerated() {
            for pilot in pilots {
                let value = Double(x[row * shape.width + pilot])
                noise += value * value
            }
            square += rows.lengths[index] * rows.lengths[index]
        }
        let variance = noise / (count * each)
        let deviation = width * variance * (2 / (each * count)).squareRoot()
        let scale = square / count - width * variance
        let bound = 4 * deviation + 0.02
        if abs(scale - 1) > bound, scale > 3 * deviation { return scale.squareRoot() }
        if abs(scale - 1) <= bound, bound <= 0.2 { return 1 }
        let likelihoods = likelihoods(of: few, in: x)
        return few.mayHaveScaleOne(likelihoods) ? 1 : few.likeliestScale(likelihoods)
    }
}

extension [Int] {
    /// Whether these pilots show noise in a row of the given length; without any pilot each row may
    /// be noisy.
    fileprivate func showNoise(
        _ x: Span<Float>, row: Int, _ width: Int, _ length: Double
    ) -> Bool {
        isEmpty || contains { abs(Double(x[row * width + $0])) > 1e-5 * length }
    }

    /// Whether these pilots show noise in any row of `x` [rows, width].
    func showNoise(_ x: Span<Float>, width: Int) -> Bool {
        let rows = x.count / width
        var squares = [Double](repeating: 0, count: rows)
        var span = squares.mutableSpan
        squaredLengths(x, rows: rows, columns: width, into: &span)
        return (0..<rows).contains {
            squares[$0].isFinite && showNoise(x, row: $0, width, squares[$0].squareRoot())
        }
    }
}

extension NoiseEstimate {
    /// Takes the levels that the lengths of `rows` tell if clean rows have length `scale`.
    fileprivate mutating func takeLengths(of rows: NoisyRows, scale: Double) {
        commonLevel = rows.commonLevel(scale: scale)
        for (index, row) in rows.numbers.enumerated() {
            scales[row] = scale
            levels[row] = commonLevel ?? rows.level(index, scale: scale)
        }
    }
}

/// Rows of a request that show noise.
private struct NoisyRows {
    /// Which rows of the request they are.
    let numbers: [Int]
    /// How long they are, each above 0.
    let lengths: [Double]
    let width: Int

    func first(_ count: Int) -> NoisyRows {
        NoisyRows(
            numbers: Array(numbers.prefix(count)), lengths: Array(lengths.prefix(count)),
            width: width)
    }

    /// Whether all have one length, within a thousandth.
    var haveOneLength: Bool {
        let mean = lengths.reduce(0) { $0 + $1 / Double(lengths.count) }
        let (least, most) = (lengths.min() ?? 0, lengths.max() ?? 0)
        return most - least < 1e-3 * mean
    }

    /// The level of a row that has length `scale` without noise.
    func level(_ index: Int, scale: Double) -> Float {
        let length = lengths[index] / scale
        return Float((max(length * length - 1, 0) / Double(width)).squareRoot())
    }

    /// The level of all rows, if they are many and their lengths differ little more than chance
    /// makes them.
    ///
    /// q = (|x|² − 1) / d has the mean s² for rows of one level s. Its standard deviation is
    /// √(4 s² + (k − 1) d s⁴) / d. k is the noise's kurtosis: 3 for Gaussian noise, 6 for Laplace's.
    func commonLevel(scale: Double) -> Float? {
        guard numbers.count >= NoiseEstimate.rowsToPool else { return nil }
        let (d, count) = (Double(width), Double(numbers.count))
        let q = lengths.map { ($0 / scale * ($0 / scale) - 1) / d }
        let mean = q.reduce(0, +) / count
        let variance = q.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        guard mean > 0,
            variance.squareRoot() <= 1.2 * (4 * mean + 5 * d * mean * mean).squareRoot() / d
        else { return nil }
        return Float(mean.squareRoot())
    }

    /// The length without noise of a row of this level.
    func scale(_ index: Int, level: Float) -> Double {
        lengths[index] / (1 + Double(width) * Double(level) * Double(level)).squareRoot()
    }

    /// Whether the levels that lengths tell at scale 1 are nearly as likely, by the rows'
    /// directions, as any.
    ///
    /// The likelihoods are those of text like that trained on. Of other text with little noise the
    /// directions promise more than there is, so little noise needs more to be refused.
    func mayHaveScaleOne(_ likelihoods: BlindLikelihoods) -> Bool {
        let levels = lengths.indices.map { level($0, scale: 1) }
        let count = Double(levels.count)
        let loss = levels.indices.reduce(0) { $0 + likelihoods.loss($1, at: levels[$1]) } / count
        let square = levels.reduce(0) { $0 + Double($1) * Double($1) } / count
        // Beyond the grid every level looks like its last one.
        guard square.squareRoot() <= 0.45 else { return false }
        return loss <= min(25, 0.2 / max(square.squareRoot(), 1e-6) + 0.5)
    }

    /// The common scale at which the levels that lengths tell are likeliest together, of those that
    /// single rows' own levels tell.
    func likeliestScale(_ likelihoods: BlindLikelihoods) -> Double {
        let candidates = lengths.indices.map { scale($0, level: likelihoods.best($0)) }
        func likelihood(_ scale: Double) -> Double {
            lengths.indices.reduce(0) { $0 + likelihoods.value($1, at: level($1, scale: scale)) }
        }
        return candidates.max { likelihood($0) < likelihood($1) } ?? 1
    }
}
