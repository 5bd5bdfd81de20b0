import Inference
import ModelFiles

/// Decides what to log when an encoder's files change, and when to read them again.
struct EncoderWatch {
    /// How often the files are looked at.
    static let interval = Duration.milliseconds(500)

    private var last: EncoderFiles.Look?
    /// The files whose reading failed; it is tried again only if they change or `retry` is due.
    private var tried: EncoderFiles.Look?
    private var retry: Retry?
    private var told: Set<String> = []
    private var lastFailure: String?

    /// Takes in how the files are now.
    ///
    /// - Returns: lines for the log, and whether to read the encoder again, because the files have
    ///   not changed between two looks.
    mutating func step(
        _ files: EncoderFiles, _ look: EncoderFiles.Look
    ) -> (lines: [String], isDue: Bool) {
        let changes = files.changes(in: look)
        if changes.isEmpty && !files.isProvisional && !files.areSpoilt {
            self = EncoderWatch()
            return ([], false)
        }
        let isSettled = look == last
        last = look
        let lines = changes.filter { told.insert($0.name + "\($0.condition)").inserted }
            .map { describe($0, in: files) }
        guard isSettled, look != tried || retry.map({ $0.due <= .now }) == true else {
            return (lines, false)
        }
        tried = look
        return (lines, true)
    }

    /// Notes that the reading failed that `step` asked for; returns a line for the log.
    mutating func fail(_ failure: CommandFailure) -> String? {
        retry = failure.isPassing ? Retry(after: retry) : nil
        defer { lastFailure = failure.description }
        guard lastFailure != failure.description else { return nil }
        return "the encoder is not read anew: \(failure)"
    }

    /// Notes that the reading succeeded, except for a file that the system refused.
    mutating func tryAgain() { retry = Retry(after: retry) }

    private func describe(_ change: EncoderFiles.Change, in files: EncoderFiles) -> String {
        let path = "\(files.folder)/\(change.name)"
        let what =
            switch change.condition {
            case .replaced: change.isThere ? "was replaced" : "is gone"
            case .touched: "was touched, or written over by a copy that sets times"
            case .overwritten, .whole: "was written over in place"
            }
        let effect =
            files.areSpoilt
            ? "texts are answered 503 until it is whole"
            : "the encoder read before goes on meanwhile"
        return "\(path) \(what); \(effect)"
    }

    /// Checks that files that were overwritten in place are whole.
    ///
    /// Such a file may be half written, unlike one that was renamed into place.
    ///
    /// - Throws: if one is not whole, or if nothing tells.
    static func check(
        _ files: EncoderFiles, _ look: EncoderFiles.Look
    ) throws(CommandFailure) {
        for change in files.changes(in: look)
        where change.condition == .overwritten || change.condition == .touched {
            let path = "\(files.folder)/\(change.name)"
            let wholeness = try load { () throws(ModelFault) in
                try files.wholeness(of: change.name)
            }
            switch wholeness {
            case .whole: break
            case .wrong:
                throw .configuration("\(path) is not what \(EncoderFiles.sums) says")
            // Most likely only the mode or the owner is new.
            case .unknown where change.condition == .touched: break
            case .unknown:
                throw .configuration(
                    "\(path) was written over in place, and nothing says that it is whole; SIGHUP "
                        + "takes it up as it is, a new file of that name by renaming, or with its "
                        + "sum in \(EncoderFiles.sums), is taken up by itself")
            }
        }
    }
}
