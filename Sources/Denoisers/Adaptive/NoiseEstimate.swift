internal import Kernels
internal import Tensors
internal import System

/// How noisy each row of a request is.
public struct NoiseEstimate: Sendable, Equatable {
    /// Each row's noise level: the standard deviation of an element's noise at the scale at which a clean row has length
    /// 1; 0 for a clean row. [rows]
    public var levels: [Float]

    /// The length that a row would have without its noise. [rows]
    public var scales: [Double]

    /// The mean level of the rows; 0 if there are none.
    public var meanLevel: Double {
        levels.isEmpty ? 0 : levels.reduce(0) { $0 + Double($1) } / Double(levels.count)
    }
}

extension AdaptiveParameters {
    /// How noisy the rows of `x` are, from the rows themselves.
    ///
    /// A clean embedding has length 1 and zeros in its pilots, whatever the text. So:
    ///
    /// 1. A row whose pilots are 0, within 1e-5 of its length, has no dense noise, whatever its scale. Its level is 0.
    /// 2. Other rows that all have one length, within a thousandth, were scaled to it after the noise came. Their levels
    ///    are the blind ones (`BlindTables`), and so is that of a single row.
    /// 3. Else the rows have one scale. It is 1 unless the lengths, less what the pilots tell of the noise, say otherwise
    ///    by 4 standard deviations.
    /// 4. At that scale |x|² = 1 + width · s², from which comes s.
    ///
    /// - Parameters:
    ///   - x: [rows, width]; a row with an element that is not finite counts as clean.
    ///   - given: the level of every row, if the caller knows it; rows of one length are then taken as scaled.
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
                && (given.map { $0 > 0 } ?? showsNoise(x, row: $0, length: lengths[$0]))
        }
        guard !noisy.isEmpty else { return estimate }
        if haveOneLength(noisy, lengths) {
            let blind = given == nil ? blindLevels(x, noisy, lengths) : []
            for (index, row) in noisy.enumerated() {
                let level = given ?? blind[index]
                estimate.levels[row] = level
                let variance = Double(width) * Double(level) * Double(level)
                estimate.scales[row] = lengths[row] / (1 + variance).squareRoot()
            }
        } else {
            let scale = given == nil ? commonScale(x, noisy, lengths) : 1
            for row in noisy {
                estimate.scales[row] = scale
                estimate.levels[row] = given ?? levelOfLength(lengths[row] / scale)
            }
        }
        return estimate
    }

    /// What noise makes a row, of length 1 without it, as long as `length`.
    func levelOfLength(_ length: Double) -> Float {
        Float((max(length * length - 1, 0) / Double(shape.width)).squareRoot())
    }

    private func showsNoise(_ x: Span<Float>, row: Int, length: Double) -> Bool {
        guard !pilots.isEmpty else { return true }
        let start = row * shape.width
        return pilots.contains { abs(Double(x[start + $0])) > 1e-5 * length }
    }

    private func haveOneLength(_ rows: [Int], _ lengths: [Double]) -> Bool {
        var (least, most, sum) = (Double.infinity, 0.0, 0.0)
        for row in rows {
            least = min(least, lengths[row])
            most = max(most, lengths[row])
            sum += lengths[row]
        }
        return most - least < 1e-3 * sum / Double(rows.count)
    }

    private func blindLevels(_ x: Span<Float>, _ rows: [Int], _ lengths: [Double]) -> [Float] {
        let width = shape.width
        var directions = Matrix(rows: rows.count, columns: width)
        var output = directions.mutableSpan
        for (index, row) in rows.enumerated() {
            let factor = [1 / lengths[row]]
            var place = output._mutatingExtracting(index * width..<(index + 1) * width)
            scaleRows(
                x.extracting(row * width..<(row + 1) * width), by: factor.span, rows: 1,
                columns: width, into: &place)
        }
        return blindLevels(directions.span)
    }

    /// The length of these rows without their noise, by their mean length and what their pilots tell of the noise.
    private func commonScale(_ x: Span<Float>, _ rows: [Int], _ lengths: [Double]) -> Double {
        guard !pilots.isEmpty else { return 1 }
        let width = Double(shape.width)
        let (count, each) = (Double(rows.count), Double(pilots.count))
        var (noise, square) = (0.0, 0.0)
        for row in rows {
            for pilot in pilots {
                let value = Double(x[row * shape.width + pilot])
                noise += value * value
            }
            square += lengths[row] * lengths[row]
        }
        let variance = noise / (count * each)
        let deviation = width * variance * (2 / (each * count)).squareRoot()
        let scale = square / count - width * variance
        let isOther = abs(scale - 1) > 4 * deviation + 0.02 && scale > 3 * deviation
        return isOther ? scale.squareRoot() : 1
    }
}
