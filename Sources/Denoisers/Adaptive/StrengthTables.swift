internal import Tensors

/// How far rows move towards what the network says, by the noise level alone.
public enum AdaptiveProfile: Int, Sendable, CaseIterable {
    /// Never worse than doing nothing, on text of any kind.
    case safe
    /// Further; never worse on kinds of text that the network was trained on, or that are near to
    /// them.
    case balanced
    /// As far as is never worse on kinds of text that the network was trained on.
    case indomain
    /// As near to the clean rows as possible, whatever becomes of their ranking.
    case restore
}

/// The numbers that say how far a row moves: out = x + a · (f − x), with f the network's answer.
///
/// They are part of a model, because they were chosen for its network. Each table has a value for
/// each of `levels`; between these it is linear, beyond the last one constant.
public struct StrengthTables: Sendable, Equatable {
    /// Noise levels, rising from 0.
    public var levels: [Float]

    /// a, from 0 to 1, for each profile in the order of its cases.
    public var profiles: [[Float]]

    /// When the rows of a request are judged together.
    public var evidence: EvidenceLimits

    /// The blend that ranks best by the rows themselves, rising from 0 to 1, and a for it; linear
    /// in between.
    public var ranking: (blends: [Float], amounts: [Float])

    /// What was chosen for the built-in network.
    public init() {
        levels = [0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3]
        profiles = [
            [0, 0.12, 0.18, 0.2, 0.22, 0.24, 0.32, 0.42, 0.5, 0.6],
            [0, 0.15, 0.3, 0.5, 0.7, 0.8, 0.9, 0.9, 0.85, 0.8],
            [0, 0.15, 0.3, 0.45, 0.8, 0.95, 1, 0.75, 0.65, 0.6],
            [0, 0.3, 0.9, 0.95, 1, 1, 1, 1, 1, 1],
        ]
        evidence = EvidenceLimits()
        ranking = (
            [0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.86, 0.9, 0.92, 0.94],
            [0, 0.1, 0.2, 0.28, 0.4, 0.53, 0.65, 0.82, 0.95, 1]
        )
    }

    /// The amount of `profile` at noise level `level`.
    func amount(_ profile: AdaptiveProfile, at level: Float) -> Double {
        interpolate(profiles[profile.rawValue], over: levels, at: Double(level))
    }

    /// The amount for rows at `level` that are ranked best by the blend `blend`, or by more of the
    /// answers.
    ///
    /// It lies between that of `safe` and that of `indomain`.
    func amount(at level: Float, rankingBlend blend: Double) -> Double {
        let amount = interpolate(ranking.amounts, over: ranking.blends, at: blend)
        return min(max(amount, self.amount(.safe, at: level)), self.amount(.indomain, at: level))
    }

    public static func == (a: StrengthTables, b: StrengthTables) -> Bool {
        a.levels == b.levels && a.profiles == b.profiles && a.evidence == b.evidence
            && a.ranking == b.ranking
    }
}

/// When the rows of a request are judged together, and how.
public struct EvidenceLimits: Sendable, Equatable {
    /// Noisy rows that are needed at levels up to `steadyLevel`, and how many are looked at.
    ///
    /// Stronger noise needs more, by the square of its level.
    public var rows = 400
    public var mostRows = 2048
    /// Up to which level the same number of rows tells the best blend.
    static let steadyLevel = 0.12
    /// Between which levels the common one lies.
    public var levels: ClosedRange<Float> = 0.005...0.35
    /// How far the probe goes, in units of the level.
    public var step: Float = 0.01
    /// Blocks of rows, each left out once, that tell the standard error of the best blend.
    public var blocks = 8
    /// How many standard errors less than the best blend is taken.
    public var errors: Float = 1.5

    /// The rows that are needed at `level`.
    func rows(at level: Float) -> Int {
        let excess = Double(level) / Self.steadyLevel
        return Int((Double(rows) * max(1, excess * excess)).rounded())
    }

    /// What was chosen for the built-in network.
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
