import API
import Denoisers
import FastCGI
import Inference
import ModelFiles
import System

/// What one reading of the configuration made; a request is answered with one of these throughout.
///
/// What did not change is taken over from the one before: an encoder made anew would take its memory
/// twice for as long as requests use the old one.
final class Generation: Sendable {
    /// What was read.
    let options: Serve

    /// What answers requests.
    let answering: Answering

    /// After how many requests the service ends; nil: never.
    let maxRequests: Int?

    private let longestForm: Duration
    private let longestOther: Duration

    /// How memory is shared out among requests.
    let plan: MemoryPlan

    /// What denoises.
    let live: LiveModel

    /// What embeds.
    let embedder: TextEmbedder

    /// A second thread for large requests, where there is a core for it.
    private let team: ComputeTeam?
    private let encoder: EncoderChoice
    /// Bytes of private memory before the first request.
    private let present: Int

    private let keys: AccessKeys?

    /// Loads what `options` name.
    ///
    /// - Parameters:
    ///   - onlyEncoder: whether what is read beside the encoder stays as it was read before.
    ///   - metrics: counts the requests.
    ///   - tidying: tidies up after them.
    /// - Throws: what cannot be used; `previous` is then still whole.
    init(
        _ options: Serve, after previous: Generation?, runs: TrainingRuns, metrics: RequestMetrics,
        tidying: Tidying, onlyEncoder: Bool = false
    ) throws(CommandFailure) {
        self.options = options
        let isSameModel =
            previous?.options.model.path == options.model.path
            && previous?.options.model.withoutDefaultModel == options.model.withoutDefaultModel
        let kept = isSameModel ? previous?.live : nil
        if let kept {
            live = kept
        } else {
            // At the start any whole model is better than none; later there is one.
            let new = try loadLiveModel(options.model, standsIn: previous == nil)
            try load { () throws(ModelFault) in try new.follow() }
            live = new
        }
        encoder = EncoderChoice(options)
        if let previous, previous.encoder == encoder, previous.embedder.isCurrent {
            embedder = previous.embedder
        } else {
            embedder = try loadEmbedder(
                folder: encoder.folder, threads: encoder.threads, tokens: encoder.tokens,
                report: log)
        }
        team = encoder.threads > 1 ? previous?.team ?? ComputeTeam() : nil
        let training = options.training.run(options.limits)
        let engine = DenoisingEngine(
            embedder: embedder, model: live, training: training, runs: runs, team: team,
            report: log)
        let limits = options.limits
        let requestLimits = limits.requestLimits
        if let previous, onlyEncoder {
            keys = previous.keys
        } else {
            keys = try options.access.keys.map(readKeys)
        }
        let application = Application(
            service: engine, limits: requestLimits,
            keys: keys, sites: options.site.sites, team: team)
        // At the start: later on, what requests hold would be counted with it.
        present = previous?.present ?? ProcessFigures.now().privateBytes
        if let previous, previous.embedder.workspaceBytes == embedder.workspaceBytes,
            previous.options.limits.summary() == options.limits.summary(),
            previous.options.limits.memory == options.limits.memory,
            previous.options.training.noise == options.training.noise,
            previous.options.training.batchSize == options.training.batchSize
        {
            plan = previous.plan
        } else {
            plan = try MemoryPlan(
                options.limits,
                present: present,
                workspaceBytes: embedder.workspaceBytes,
                training: training.options)
        }
        // Here, once: reading an option takes longer than finding a request's route.
        answering = Answering(
            application: application, limits: requestLimits, budgets: plan.budgets,
            deadline: .seconds(limits.requestDeadline),
            slowness: limits.slowLog > 0 ? .milliseconds(limits.slowLog) : nil,
            proxies: try options.access.proxies(), metrics: metrics,
            tidying: tidying)
        maxRequests = options.life.maxRequests
        let server = limits.serverLimits
        longestForm = Self.longestTime(limits.trainingTime + limits.memoryWait, server)
        longestOther = Self.longestTime(limits.requestDeadline, server)
        // Last: `previous` has this model, too, and shall keep it where anything else cannot be used.
        if let kept, !onlyEncoder { try load { () throws(ModelFault) in try kept.reload() } }
    }

    /// How long a request may take, its body and a slow reader of its answer included; one that takes longer hangs.
    func longestTime(isForm: Bool) -> Duration { isForm ? longestForm : longestOther }

    private static func longestTime(_ work: Int, _ server: ServerLimits) -> Duration {
        .seconds(2 * work) + server.bodyTime + server.sendTime
    }

    /// Limits and memory in one line.
    var summary: String {
        "limits: \(options.limits.summary(tokens: embedder.tokenLimit)); \(plan.summary)"
    }

    /// Options that differ from those in force and only count from the next start on.
    func needingRestart(since start: Serve) -> [String] {
        zip(options.fixedOptions, start.fixedOptions).filter { $0.1 != $1.1 }.map { $0.0.0 }
    }
}

/// What an encoder is made from.
private struct EncoderChoice: Equatable {
    var folder: String
    var threads: Int
    var tokens: Int?

    init(_ options: Serve) {
        folder = options.encoder.path
        threads = options.limits.threads
        tokens = options.limits.request.tokens
    }
}

extension TextEmbedder {
    /// Whether its files are those that it was made from.
    fileprivate var isCurrent: Bool {
        guard let files else { return true }
        return !files.isProvisional && files.isCurrent(files.look())
    }
}

extension Serve {
    /// Names and values of what the socket's server is made with, once.
    fileprivate var fixedOptions: [(name: String, value: String)] {
        [
            ("socket", socket.socket ?? ""), ("socket-mode", socket.socketMode),
            ("socket-group", socket.socketGroup ?? ""), ("listen", socket.listen ?? ""),
            ("allow-user", socket.allowUser.joined(separator: " ")),
            ("request-threads", "\(limits.requestThreads)"), ("queue", "\(limits.queue)"),
            ("connections", "\(limits.connections)"),
            ("parameter-bytes", "\(limits.request.parameterBytes)"),
            ("stop-timeout", "\(limits.stopTimeout)"),
        ]
    }
}
