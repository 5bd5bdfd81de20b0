internal import Tensors

/// How far rows move towards what the network says, by the noise level.
public enum AdaptiveProfile: Int, Sendable, CaseIterable {
    /// Never worse than doing nothing, on text of any kind.
    case safe
    /// Further; never worse on kinds of text that the network was trained on, or that are near to them.
    case balanced
    /// As far as is never worse on kinds of text that the network was trained on.
    case indomain
    /// As near to the clean rows as possible, whatever becomes of their ranking.
    case restore
    /// What `auto` moves a row by in which the network is as confident as in text that it was trained on.
    case confident
}

/// The tables that say how far a row moves: out = x + a(s) · (f − x), with f the network's answer.
///
/// They are part of a model, because they were chosen for its network on text that was kept out of its training.
public struct StrengthTables: Sendable, Equatable {
    /// The noise levels that the tables have a value for, rising from 0.
    public var levels: [Float]

    /// a at each level, from 0 to 1, for each profile in the order of its cases; constant beyond the last level.
    public var profiles: [[Float]]

    /// The mean of |f|² over held-out rows of kinds trained on, at each level; 0 where it was not measured.
    ///
    /// For the mean f of a posterior E|f − e|² = 1 − E|f|², so |f|² tells how sure the network is of a row.
    public var confidence: [Float]

    /// Below which part of `confidence` a row's |f|² gets the `safe` amount, and from which the `confident` one; linear
    /// in between.
    public var gate: ClosedRange<Float>

    /// Levels, and from which Stein's estimate on the rows' own text counts as one trained on; linear in between.
    public var stein: (levels: [Float], bounds: [Float])

    /// What the recipe found; `confidence` is measured after training.
    public init() {
        levels = [0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3]
        let balanced: [Float] = [0, 0.15, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.85, 0.8]
        profiles = [
            [0, 0.1, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.7],
            balanced,
            [0, 0.15, 0.3, 0.6, 0.85, 0.95, 1, 1, 0.95, 0.9],
            [0, 0.3, 0.9, 0.95, 1, 1, 1, 1, 1, 1],
            balanced,
        ]
        confidence = Array(repeating: 0, count: levels.count)
        gate = 0.6...0.9
        stein = ([0.05, 0.07, 0.1], [0.995, 1, 1.002])
    }

    /// The amount of `profile` at noise level `level`.
    func amount(_ profile: AdaptiveProfile, at level: Float) -> Double {
        interpolate(profiles[profile.rawValue], over: levels, at: level)
    }

    /// The amount for a row at `level` for which the network's answer has the squared length `square`.
    func amount(at level: Float, square: Double) -> Double {
        let low = amount(.safe, at: level)
        let usual = interpolate(confidence, over: levels, at: max(level, levels[1]))
        guard usual > 0 else { return low }
        let (from, to) = (Double(gate.lowerBound), Double(gate.upperBound))
        let part = (square / usual - from) / max(to - from, 1e-6)
        return low + (amount(.confident, at: level) - low) * min(max(part, 0), 1)
    }

    /// What Stein's estimate must reach at `level`; nil where it tells nothing.
    func bound(at level: Double) -> Double? {
        guard let first = stein.levels.first, let last = stein.levels.last,
            level >= 0.8 * Double(first), level <= 1.2 * Double(last)
        else { return nil }
        return interpolate(stein.bounds, over: stein.levels, at: Float(level))
    }

    public static func == (a: StrengthTables, b: StrengthTables) -> Bool {
        a.levels == b.levels && a.profiles == b.profiles && a.confidence == b.confidence
            && a.gate == b.gate && a.stein == b.stein
    }

    var isFinite: Bool {
        (levels + profiles.joined() + confidence + stein.levels + stein.bounds)
            .allSatisfy(\.isFinite)
    }
}

/// `values` between the points `over`, linearly; the first and the last one beyond them.
private func interpolate(_ values: [Float], over points: [Float], at point: Float) -> Double {
    guard let next = points.firstIndex(where: { $0 >= point }) else {
        return values.last.map { Double($0) } ?? 0
    }
    guard next > 0 else { return Double(values[0]) }
    let (left, right) = (Double(points[next - 1]), Double(points[next]))
    let part = (Double(point) - left) / (right - left)
    return Double(values[next - 1]) * (1 - part) + Double(values[next]) * part
}

extension StrengthTables {
    /// The tables as a model's file holds them.
    var named: [(name: String, tensor: Tensor)] {
        func tensor(_ shape: [Int], _ values: [Float]) -> Tensor {
            Tensor(shape: shape, copying: values.span)
        }
        return [
            ("levels", tensor([levels.count], levels)),
            ("profiles", tensor([profiles.count, levels.count], Array(profiles.joined()))),
            ("confidence", tensor([levels.count], confidence)),
            ("gate", tensor([2], [gate.lowerBound, gate.upperBound])),
            ("stein", tensor([2, stein.levels.count], stein.levels + stein.bounds)),
        ]
    }

    /// Takes the tables from a model's file; the default ones if it has none.
    init(prefix: String, tensor: (_ name: String) -> Tensor?) throws(AdaptiveError) {
        func values(_ name: String, _ shape: [Int]?) throws(AdaptiveError) -> [Float] {
            guard let found = tensor(prefix + name) else {
                throw .parameters("no tensor \(prefix)\(name)")
            }
            guard shape == nil || found.shape == shape else {
                throw .parameters(
                    "tensor \(prefix)\(name) has shape \(found.shape), needs \(shape ?? [])")
            }
            let span = found.span
            return span.indices.map { span[$0] }
        }
        self.init()
        guard tensor(prefix + "levels") != nil else { return }
        levels = try values("levels", nil)
        guard levels.count > 1, levels[0] == 0, zip(levels, levels.dropFirst()).allSatisfy(<)
        else { throw .parameters("\(prefix)levels does not rise from 0") }
        let count = levels.count
        let all = try values("profiles", [AdaptiveProfile.allCases.count, count])
        guard all.allSatisfy({ 0...1 ~= $0 }) else {
            throw .parameters("\(prefix)profiles holds a number that is not from 0 to 1")
        }
        profiles = AdaptiveProfile.allCases.map {
            Array(all[$0.rawValue * count..<($0.rawValue + 1) * count])
        }
        confidence = try values("confidence", [count])
        let bounds = try values("gate", [2])
        guard bounds[0] <= bounds[1] else { throw .parameters("\(prefix)gate is \(bounds)") }
        gate = bounds[0]...bounds[1]
        let points = try values("stein", nil)
        let half = points.count / 2
        guard half > 0, points.count == 2 * half else {
            throw .parameters("\(prefix)stein has \(points.count) numbers, needs pairs")
        }
        stein = (Array(points[..<half]), Array(points[half...]))
    }
}
