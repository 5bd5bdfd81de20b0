import ArgumentParser
import Denoisers
import Inference
import ModelFiles

/// Lists the versions of a model and switches back to one.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the versions kept of a model, or put one of them live again.",
        discussion: """
              denoiser models
              denoiser models --restore 12-3fa9c1d2
            """)

    @Option(
        help: ArgumentHelp("The version to put live again.", valueName: "version"))
    var restore: String?

    @Option(
        help: ArgumentHelp(
            "The version to keep whatever comes after it; at most 20.", valueName: "version"))
    var pin: String?

    @Option(
        help: ArgumentHelp(
            "The version to let go with the others of its age.", valueName: "version"))
    var unpin: String?

    @OptionGroup var model: ModelOptions

    func run() throws {
        let history = ModelHistory(
            path: model.path, builtIn: DenoiserModel.builtInCheckpoint)
        if let restore {
            let version = try self.version(restore, of: "restore")
            try change(history) { lock throws(ModelFileError) in
                _ = try history.restore(version, under: lock)
            }
        }
        for (text, isPinned) in [(pin, true), (unpin, false)] {
            guard let text else { continue }
            let version = try self.version(text, of: isPinned ? "pin" : "unpin")
            try change(history) { lock throws(ModelFileError) in
                try history.pin(version, isPinned, under: lock)
            }
        }
        let records = history.records()
        // Of a named model there is nothing: not even a version that was kept.
        if records.allSatisfy({ $0.path == nil }) { try tellWhyNoneIsLive(history) }
        for record in records {
            let mark = record.isLive ? "* " : "  "
            try printLine(mark + describe(record))
        }
        let files = records.filter { $0.path != nil }
        if !files.isEmpty, !files.contains(where: \.isLive) {
            try tellWhyNoneIsLive(history)
        }
    }

    private func tellWhyNoneIsLive(_ history: ModelHistory) throws(CommandFailure) {
        guard let absence = model.place.absence(of: "file") else {
            do throws(ModelFileError) { _ = try history.live() } catch { throw .data("\(error)") }
            return
        }
        guard model.place.namer == nil else { throw .configuration(absence) }
        log("\(absence), so no trained model is live")
    }

    private func version(
        _ text: String, of option: String
    ) throws(CommandFailure) -> ModelVersion {
        guard let version = ModelVersion(text) else {
            throw .usage("--\(option) is \"\(text)\"; a version looks like 12-3fa9c1d2")
        }
        return version
    }

    /// Changes something about the versions while nobody else does.
    private func change(
        _ history: ModelHistory,
        _ body: (borrowing TrainingLock) throws(ModelFileError) -> Void
    ) throws(CommandFailure) {
        do throws(ModelFileError) {
            let lock = try history.lock(waiting: .seconds(2))
            try body(lock)
        } catch {
            guard case .unconfirmed = error else { throw .data("\(error)") }
            writeStandardError("denoiser: \(error)\n")
        }
    }

    private func describe(_ record: ModelRecord) -> String {
        if let problem = record.problem { return "\(record.version)  \(problem)" }
        let pin = record.isPinned ? "  pinned" : ""
        let kind = record.kind ?? DenoiserKind.autoencoder.rawValue
        guard record.path != nil else { return "\(record.version)  built in  \(kind)" }
        let parent = record.parent.map { "from \($0)" } ?? "from nothing"
        let settings = record.settings ?? "not trained by this product"
        return "\(record.version)  \(parent)  \(settings)  \(kind)\(pin)"
    }
}
