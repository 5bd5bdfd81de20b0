import API
import Inference
import ModelFiles

/// What one reading of the configuration made; a request is answered with one of these throughout.
///
/// What did not change is taken over from the one before: an encoder made anew would take its memory
/// twice for as long as requests use the old one.
struct Generation: Sendable {
    /// What was read.
    let options: Serve

    /// What answers.
    let application: Application

    /// What denoises.
    let live: LiveModel

    private let embedder: TextEmbedder
    private let encoder: EncoderChoice

    /// Loads what `options` name.
    ///
    /// - Throws: what cannot be used; `previous` is then still whole.
    init(
        _ options: Serve, after previous: Generation?, runs: TrainingRuns
    ) throws(CommandFailure) {
        self.options = options
        let isSameModel =
            previous?.options.model.path == options.model.path
            && previous?.options.model.withoutDefaultModel == options.model.withoutDefaultModel
        if let previous, isSameModel {
            let kept = previous.live
            try load { () throws(ModelFault) in try kept.reload() }
            live = kept
        } else {
            live = try loadLiveModel(options.model)
        }
        encoder = EncoderChoice(options)
        if let previous, previous.encoder == encoder {
            embedder = previous.embedder
        } else {
            embedder = try loadEmbedder(folder: encoder.folder, threads: encoder.threads)
        }
        let engine = DenoisingEngine(
            embedder: embedder, model: live,
            training: options.training.run(lineLimit: options.limits.lines), runs: runs,
            report: log)
        application = Application(service: engine, limits: options.limits.requestLimits)
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
    var files: [FileIdentity?]

    init(_ options: Serve) {
        let folder = options.encoder.path
        self.folder = folder
        threads = options.limits.threads
        files = ["config.json", "vocab.txt", "model.safetensors"].map {
            FileIdentity.of("\(folder)/\($0)")
        }
    }
}

extension Serve {
    /// Names and values of what the socket's server is made with, once.
    fileprivate var fixedOptions: [(name: String, value: String)] {
        [
            ("socket", socket.socket ?? ""), ("socket-mode", socket.socketMode),
            ("socket-group", socket.socketGroup ?? ""), ("listen", socket.listen ?? ""),
            ("allow-user", socket.allowUser.joined(separator: " ")),
            ("request-threads", "\(limits.requestThreads)"),
            ("stop-timeout", "\(limits.stopTimeout)"), ("log", life.log == nil ? "" : "a file"),
        ]
    }
}
