internal import JSON

/// The member `noise_level` of both denoise requests: a number not below 0; 0 if it is left out.
enum NoiseLevel {
    static let name = "noise_level"

    /// The level in an object; 0 if it is wrong, which `issues` then tells.
    static func value(in tree: JSONTree, issues: inout RequestIssues) -> Double {
        guard let node = tree.member(name, of: tree.root) else { return 0 }
        let location: [LocationPart] = ["body", .name(name)]
        let size = tree.length(of: node)
        func input(_ output: inout [UInt8]) { tree.write(node, into: &output) }
        switch LaxNumber(node, in: tree) {
        case .invalid(let type):
            issues.shared.add(type, at: location, size: size, input: input)
        case .value(let level) where level >= 0:
            if level.isFinite { return level }
            issues.own.add(.notFinite, at: location, size: size, input: input)
        case .value(let level):
            // NaN is not at least 0 either. FastAPI fails on its echo, unless it is a string.
            let isEchoed = level.isFinite || isString(node, in: tree)
            issues.shared.add(
                isEchoed ? .belowZero : .notFinite, at: location, size: size, input: input)
        }
        return 0
    }

    private static func isString(_ node: JSONNode, in tree: JSONTree) -> Bool {
        if case .string = tree.kind(of: node) { true } else { false }
    }

    /// The level in single precision.
    ///
    /// Above `greatest` nothing of the embedding is left in the sum, and the denoiser's sums
    /// overflow.
    static func single(_ level: Double) -> Float { Float(min(level, greatest)) }

    /// The largest level that is used; a larger one counts as this.
    static let greatest = 1e30
}
