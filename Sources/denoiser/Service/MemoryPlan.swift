internal import System
import API
import Denoisers
import FastCGI
import Inference

/// How the private memory is shared out: an upper bound for every part, and budgets that keep to
/// it.
struct MemoryPlan {
    /// The parts and their bytes.
    let parts: [(name: String, bytes: Int)]

    /// What requests share.
    let budgets: MemoryBudgets

    /// Bytes of all parts.
    var total: Int { parts.reduce(0) { $0 + $1.bytes } }

    /// The whole in one line.
    var summary: String {
        let list = parts.map { "\($0.name) \(mebibytes($0.bytes))" }.joined(separator: ", ")
        return "at most \(mebibytes(total)) MiB of private memory: \(list)"
    }

    /// The least that every request needs, and what is left of `--memory` shared out on top.
    ///
    /// - Parameters:
    ///   - options: the limits.
    ///   - present: bytes the process holds now, with all models loaded.
    ///   - workspaceBytes: what a compute thread fills.
    ///   - training: how uploads are trained on.
    /// - Throws: if `--memory` is less than these limits need.
    init(
        _ options: ServiceLimits, present: Int, workspaceBytes: Int, training: TrainingRun
    ) throws(CommandFailure) {
        let limits = options.requestLimits
        let largest = limits.largestCosts
        let shared = largest.body + largest.parsing + largest.answer
        let own: [(name: String, bytes: Int)] = [
            // Networks may be read later.
            ("present", present + AdaptiveDenoiser.networkMemory + Self.slack),
            // A multiplication packs its operands into a buffer of its own.
            (
                "compute threads", options.threads * (workspaceBytes + Self.productBytes)
            ),
            ("connections", options.serverLimits.mostBytes),
            (
                "request threads",
                options.serverLimits.threadCount * (limits.freeCost + Self.productBytes)
            ),
            ("uploads", limits.uploadBytes),
            ("training", training.memory(lines: limits.trainingLines)),
        ]
        let least = own.reduce(0) { $0 + $1.bytes } + shared
        var most = least + max(0, (availableMemory() - 1 << 30) / 4)
        if let memory = options.memory {
            most = memory << 20
            guard most >= least else {
                throw .configuration(
                    "--memory is \(memory) MiB; these limits need \(mebibytes(least)) MiB: lower "
                        + "--body-bytes, --upload-bytes, --rows, --lines or threads, or raise it")
            }
        }
        // Several of the largest at a time, but no more than there are threads to work on them.
        let factor = min(Double(most - own.reduce(0) { $0 + $1.bytes }) / Double(shared), 16)
        func share(_ bytes: Int) -> ByteBudget {
            ByteBudget(
                capacity: Int(Double(bytes) * factor),
                waitingLimit: max(options.requestThreads / 4, 1))
        }
        budgets = MemoryBudgets(
            bodies: share(largest.body),
            uploads: ByteBudget(
                capacity: limits.uploadBytes, waitingLimit: max(options.requestThreads / 4, 1)),
            parsing: share(largest.parsing), answers: share(largest.answer),
            patience: .seconds(options.memoryWait))
        parts =
            own + [
                ("bodies", budgets.bodies.capacity), ("parsing", budgets.parsing.capacity),
                ("answers", budgets.answers.capacity),
            ]
    }

    /// What the allocator keeps between uses, and small things nobody counted.
    private static let slack = 16 << 20

    /// What OpenBLAS packs operands of one multiplication into, as far as it is touched.
    private static let productBytes = 1 << 20
}

private func mebibytes(_ bytes: Int) -> Int { (bytes + 1 << 20 - 1) >> 20 }
