import API
import Denoisers
import FastCGI
import Inference
import ModelFiles
import System

/// What outlives snapshots: all of them share it.
struct ServiceState: Sendable {
    let runs: TrainingRuns
    let metrics = RequestMetrics()
    let trimmer = MemoryTrimmer()
}

/// Everything made from one reading of the configuration; a request is answered with one snapshot.
///
/// A snapshot takes over what has not changed from the one before. A second encoder would take its
/// memory twice for as long as requests use the first one.
final class ServiceSnapshot: Sendable {
    /// What was read.
    let configuration: ServiceConfiguration

    /// What answers requests.
    let handler: RequestHandler

    /// How memory is shared out among requests.
    let plan: MemoryPlan

    /// What denoises.
    let model: LiveModel

    /// What embeds.
    let embedder: TextEmbedder

    /// A second thread for large requests, if there is a core for it.
    private let team: WorkerPair?

    /// Bytes of private memory before the first request.
    private let bytesAtStart: Int

    private let keys: AccessKeys?
    private let longestForm: Duration
    private let longestOther: Duration

    /// Loads what `configuration` names.
    ///
    /// - Parameter onlyEncoder: whether keys and model stay as they were read before.
    /// - Throws: what cannot be used; `previous` is then still whole.
    init(
        _ configuration: ServiceConfiguration, after previous: ServiceSnapshot?,
        _ state: ServiceState, onlyEncoder: Bool = false
    ) throws(CommandFailure) {
        self.configuration = configuration
        let limits = configuration.limits
        let kept = previous?.model(for: configuration)
        if let kept {
            model = kept
        } else {
            model = try Self.loadModel(configuration.model, isFirst: previous == nil)
        }
        if let kept = previous?.embedder(for: configuration) {
            embedder = kept
        } else {
            embedder = try Self.loadEmbedder(configuration)
        }
        team = limits.threads > 1 ? WorkerPair.shared : nil
        if let previous, onlyEncoder {
            keys = previous.keys
        } else {
            keys = try configuration.keyFile.map(readKeys)
        }
        // What loading left behind is of no use to requests.
        if previous == nil { releaseFreeMemory() }
        // Measured at the start: later the memory of requests would count with it.
        bytesAtStart = previous?.bytesAtStart ?? ProcessFigures.now().privateBytes
        let training = configuration.training.run(limits)
        let workspaceBytes = embedder.workspaceBytes
        if let kept = previous?.plan(for: configuration, workspaceBytes: workspaceBytes) {
            plan = kept
        } else {
            plan = try MemoryPlan(
                limits, present: bytesAtStart, workspaceBytes: workspaceBytes,
                training: training)
        }
        let engine = DenoisingEngine(
            embedder: embedder, model: model, training: training, runs: state.runs,
            strength: configuration.strength, team: team, report: log)
        handler = RequestHandler(
            application: Application(
                service: engine, limits: limits.request, keys: keys, sites: configuration.sites,
                models: configuration.models, team: team),
            configuration, budgets: plan.budgets, state)
        let server = limits.serverLimits
        longestForm = Self.longestTime(limits.trainingTime + limits.memoryWait, server)
        longestOther = Self.longestTime(limits.requestDeadline, server)
        // Last: `previous` has this model too, and keeps it if anything else cannot be used.
        if let kept, !onlyEncoder { try load { () throws(ModelFault) in try kept.reload() } }
    }

    /// How long a request may take, with its body and a slow reader of its answer; a longer one
    /// hangs.
    func longestTime(isForm: Bool) -> Duration { isForm ? longestForm : longestOther }

    private static func longestTime(_ work: Int, _ server: ServerLimits) -> Duration {
        .seconds(2 * work) + server.bodyTime + server.sendTime
    }

    /// Limits and memory in one line.
    var summary: String {
        let limits = configuration.limits.summary(tokens: embedder.tokenLimit)
        return "limits: \(limits); \(plan.summary)"
    }
}

extension ServiceSnapshot {
    /// This model, if `next` names the same one.
    private func model(for next: ServiceConfiguration) -> LiveModel? {
        let isSame =
            next.model.path == configuration.model.path
            && next.model.withoutDefaultModel == configuration.model.withoutDefaultModel
        return isSame ? model : nil
    }

    /// This embedder, if `next` asks for the same one and its files have not changed.
    private func embedder(for next: ServiceConfiguration) -> TextEmbedder? {
        let isSame =
            next.encoder.path == configuration.encoder.path
            && next.limits.threads == configuration.limits.threads
            && next.limits.tokens == configuration.limits.tokens
        return isSame && embedder.isCurrent ? embedder : nil
    }

    /// This memory plan, if `next` needs the same one.
    private func plan(for next: ServiceConfiguration, workspaceBytes: Int) -> MemoryPlan? {
        let isSame =
            next.limits == configuration.limits && workspaceBytes == embedder.workspaceBytes
            && next.trainingBytes == configuration.trainingBytes
        return isSame ? plan : nil
    }

    private static func loadModel(
        _ choice: ModelChoice, isFirst: Bool
    ) throws(CommandFailure) -> LiveModel {
        // At the start any whole model is better than none. Later there is one.
        let model = try loadLiveModel(choice, standsIn: isFirst)
        try load { () throws(ModelFault) in try model.follow() }
        return model
    }

    private static func loadEmbedder(
        _ configuration: ServiceConfiguration
    ) throws(CommandFailure) -> TextEmbedder {
        try denoiser.loadEmbedder(
            folder: configuration.encoder.path, threads: configuration.limits.threads,
            tokens: configuration.limits.tokens, report: log)
    }
}

extension ServiceConfiguration {
    /// Bytes that training on an upload takes at most.
    fileprivate var trainingBytes: Int {
        training.run(limits).memory(lines: limits.request.trainingLines)
    }
}

extension TextEmbedder {
    /// Whether its files are those that it was made from.
    fileprivate var isCurrent: Bool {
        guard let files else { return true }
        return !files.isProvisional && files.isCurrent(files.look())
    }
}
