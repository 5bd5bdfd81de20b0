import Inference
import ModelFiles

/// Decides what to say of an encoder's files that change, and when to read them anew.
struct EncoderWatch {
    /// How often the files are looked at.
    static let interval = Duration.milliseconds(500)

    private var last: EncoderFiles.Look?
    /// The files of which a reading failed; tried again only when they change, or `retry` is due.
    private var tried: EncoderFiles.Look?
    private var retry: Retry?
    private var told: Set<String> = []
    private var lastFailure: String?

    /// Takes in how the files are now.
    ///
    /// - Returns: lines for the log, and whether the encoder is to be read anew: the files have stood still from
    ///   one look to the next.
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

    /// Notes that the reading failed which `step` asked for; returns what to say of it.
    mutating func fail(_ failure: CommandFailure) -> String? {
        retry = failure.isPassing ? Retry(after: retry) : nil
        defer { lastFailure = failure.description }
        guard lastFailure != failure.description else { return nil }
        return "the encoder is not read anew: \(failure)"
    }

    /// Notes that the reading succeeded, but for a file that the system refused.
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

    /// Looks whether files that were written over in place are whole: unlike one that was renamed there, such a
    /// file may be half of something.
    ///
    /// - Throws: where one is not, or nothing tells.
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
            // Most likely a new mode or owner.
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
