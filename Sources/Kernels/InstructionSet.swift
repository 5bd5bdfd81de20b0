internal import CKernels

/// The instructions that the kernels in C use, in rising order.
package enum InstructionSet: Int32, CaseIterable, Sendable {
    /// Those that every processor of the architecture has.
    case baseline
    /// x86-64-v3: AVX2 and FMA.
    case x86v3
    /// x86-64-v4: AVX-512.
    case x86v4

    /// The processor's, or the limit that this thread is under.
    package static var current: InstructionSet {
        InstructionSet(rawValue: Int32(kernels_level())) ?? .baseline
    }

    /// The name by which compilers know them; `baseline` depends on the architecture.
    package var name: String {
        switch self {
        case .baseline: "baseline"
        case .x86v3: "x86-64-v3"
        case .x86v4: "x86-64-v4"
        }
    }

    /// Runs `body` with this thread's kernels at or below `self`: for tests of the code that older
    /// processors run.
    package func limiting<Result>(_ body: () throws -> Result) rethrows -> Result {
        kernels_limit_level(rawValue)
        defer { kernels_limit_level(Self.x86v4.rawValue) }
        return try body()
    }
}
