import ArgumentParser
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

    @OptionGroup var model: ModelOptions

    func run() throws {
        let history = ModelHistory(path: model.path)
        if let restore {
            try switchBack(to: restore, in: history)
        }
        let records = history.records()
        for record in records {
            let mark = record.isLive ? "* " : "  "
            try printLine(mark + describe(record))
        }
        if !records.contains(where: \.isLive) { try tellWhyNoneIsLive(history) }
    }

    private func tellWhyNoneIsLive(_ history: ModelHistory) throws(CommandFailure) {
        guard let absence = model.place.absence(of: "file") else {
            do throws(ModelFileError) { _ = try history.live() } catch { throw .data("\(error)") }
            return
        }
        guard model.place.namer == nil else { throw .configuration(absence) }
        log("\(absence), so no trained model is live")
    }

    private func switchBack(to text: String, in history: ModelHistory) throws(CommandFailure) {
        guard let version = ModelVersion(text) else {
            throw .usage("--restore is \"\(text)\"; a version looks like 12-3fa9c1d2")
        }
        do throws(ModelFileError) {
            let lock = try history.lock(waiting: .seconds(2))
            _ = try history.restore(version, under: lock)
        } catch {
            guard case .unconfirmed = error else { throw .data("\(error)") }
            writeStandardError("denoiser: \(error)\n")
        }
    }

    private func describe(_ record: ModelRecord) -> String {
        if let problem = record.problem { return "\(record.version)  \(problem)" }
        let parent = record.parent.map { "from \($0)" } ?? "from nothing"
        return "\(record.version)  \(parent)  \(record.settings ?? "not trained by this product")"
    }
}
