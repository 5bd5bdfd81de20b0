internal import Tensors

/// How far rows move towards what the network says, by the noise level alone.
public enum AdaptiveProfile: Int, Sendable, CaseIterable {
    /// Never worse than doing nothing, on text of any kind.
    case safe
    /// Further; never worse on kinds of text that the network was trained on, or that are near to them.
    case balanced
    /// As far as is never worse on kinds of text that the network was trained on.
    case indomain
    /// As near to the clean rows as possible, whatever becomes of their ranking.
    case restore
}

/// The numbers that say how far a row moves: out = x + a · (f − x), with f the network's answer.
///
/// They are part of a model, because they were chosen for its network, on text that was kept out of its training. Each
/// table has a value for each of `levels`; between these it is linear, beyond the last one constant.
public struct StrengthTables: Sendable, Equatable {
    /// Noise levels, rising from 0.
    public var levels: [Float]

    /// a, from 0 to 1, for each profile in the order of its cases.
    public var profiles: [[Float]]

    /// a of a row of which the network is not sure, and of one of which it is.
    public var floor, upper: [Float]

    /// a of every row of a request that shows itself to be of a kind trained on; the most that others get.
    public var trained: [Float]

    /// The mean of |f|² over held-out rows of kinds trained on; 0 where it was not measured.
    ///
    /// For the mean f of a posterior E|f − e|² = 1 − E|f|², so |f|² tells how sure the network is of a row.
    public var confidence: [Float]

    /// Up to which part of `confidence` a row gets `floor`, and from which `upper`; linear in between.
    public var gateLow, gateHigh: [Float]

    /// From which ratio on Stein's estimate takes a request for one of a kind trained on; 9 where it never does.
    public var accept: [Float]

    /// When the rows of a request are judged together.
    public var evidence: EvidenceLimits

    /// The blend that ranks best by the rows themselves, rising from 0 to 1, and a for it; linear in between.
    public var ranking: (blends: [Float], amounts: [Float])

    /// What was chosen on kinds of text kept out of training; `confidence` is measured after each training.
    public init() {
        levels = [0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3]
        profiles = [
            [0, 0.1, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.7],
            [0, 0.15, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.85, 0.8],
            [0, 0.15, 0.3, 0.6, 0.85, 0.95, 1, 1, 0.95, 0.9],
            [0, 0.3, 0.9, 0.95, 1, 1, 1, 1, 1, 1],
        ]
        floor = [0, 0.1, 0.15, 0.25, 0.4, 0.5, 0.6, 0.55, 0.45, 0.35]
        upper = [0, 0.15, 0.35, 0.5, 0.75, 0.85, 0.92, 0.9, 0.85, 0.7]
        trained = [0, 0.15, 0.35, 0.6, 0.85, 0.95, 1, 1, 0.95, 0.9]
        confidence = Array(repeating: 0, count: levels.count)
        gateLow = [0.8, 0.95, 0.88, 0.82, 0.75, 0.7, 0.7, 0.74, 0.8, 0.88]
        gateHigh = [1, 1.02, 1, 0.98, 0.96, 0.95, 0.95, 0.98, 1, 1.05]
        accept = [9, 9, 9, 0.99, 0.995, 1, 1.002, 9, 9, 9]
        evidence = EvidenceLimits()
        ranking = ([0, 0.15, 0.8, 0.92, 1], [0, 0, 0.65, 0.95, 1])
    }

    /// The amount of `profile` at noise level `level`.
    func amount(_ profile: AdaptiveProfile, at level: Float) -> Double {
        value(profiles[profile.rawValue], at: level)
    }

    /// The amount for a row at `level` by its own confidence: the network's answer has the squared length `square`.
    func amount(at level: Float, square: Double) -> Double {
        let least = value(floor, at: level)
        let usual = value(confidence, at: level)
        guard usual > 0 else { return least }
        let (low, high) = (value(gateLow, at: level), value(gateHigh, at: level))
        let part = (square / usual - low) / max(high - low, 1e-6)
        return least + (value(upper, at: level) - least) * min(max(part, 0), 1)
    }

    /// The amount for a row at `level` in a request whose rows are ranked best by the blend `blend`.
    func amount(at level: Float, rankingBlend blend: Double) -> Double {
        let amount = interpolate(ranking.amounts, over: ranking.blends, at: blend)
        return min(max(amount, value(floor, at: level)), value(trained, at: level))
    }

    /// A table's value at `level`.
    func value(_ table: [Float], at level: Float) -> Double {
        interpolate(table, over: levels, at: Double(level))
    }

    public static func == (a: StrengthTables, b: StrengthTables) -> Bool {
        a.levels == b.levels && a.profiles == b.profiles && a.automatic == b.automatic
            && a.evidence == b.evidence && a.ranking == b.ranking
    }

    /// The tables of `auto`, in the order of a file.
    var automatic: [[Float]] {
        [floor, upper, trained, confidence, gateLow, gateHigh, accept]
    }
}

/// When the rows of a request are judged together, and how.
public struct EvidenceLimits: Sendable, Equatable {
    /// Noisy rows that are needed, and how many are looked at.
    public var rows = 512
    public var mostRows = 2048
    /// Between which levels, root of the mean square, the rows lie.
    public var levels: ClosedRange<Float> = 0.015...0.125
    /// How many times the 90th percentile of the levels may be the 10th.
    public var spread: Float = 1.5
    /// How far the probe goes, in units of the level.
    public var step: Float = 0.01
    /// Blocks of rows, each left out once, that tell the error of the best blend; and the most of that.
    public var blocks = 8
    public var error: Float = 0.08

    /// What was chosen on kinds of text kept out of training.
    public init() {}
}

/// `values` between the points `over`, linearly; the first and the last one beyond them.
private func interpolate(_ values: [Float], over points: [Float], at point: Double) -> Double {
    guard let next = points.firstIndex(where: { Double($0) >= point }) else {
        return values.last.map { Double($0) } ?? 0
    }
    guard next > 0 else { return Double(values[0]) }
    let (left, right) = (Double(points[next - 1]), Double(points[next]))
    let part = (point - left) / (right - left)
    return Double(values[next - 1]) * (1 - part) + Double(values[next]) * part
}
