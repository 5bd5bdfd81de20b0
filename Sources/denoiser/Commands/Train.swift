import ArgumentParser
import Denoisers
import Inference

/// Trains a denoiser on text files.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a denoiser on text files, one training text a line, and publish it.",
        discussion: """
            A running service that uses the same file serves the new model within a second. The model \
            replaced is kept; `denoiser models` switches back.

              denoiser train --input sentences.txt
              denoiser train --input sentences.txt --epochs 20 --output models/other.safetensors
            """)

    @OptionGroup var text: TextFiles

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The model's file, .pt or .safetensors (default: --model).", valueName: "file"))
    var output: String?

    @OptionGroup(title: "Training") var settings: TrainingSettings
    @OptionGroup(title: "Models") var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions

    func validate() throws {
        let path = output ?? model.path
        if path.isEmpty { throw ValidationError("--output names no file: it is empty.") }
        // A file of any name is read, so it may be written again.
        if output == nil, model.place.absence(of: "file") == nil { return }
        guard Self.endings.contains(where: path.hasSuffix) else {
            let endings = Self.endings.joined(separator: ", ")
            let name = output == nil ? model.place.namer ?? "the model" : "--output"
            throw ValidationError(
                "\(name) is \"\(path)\"; a model is written to a file that ends in one of \(endings)."
            )
        }
    }

    /// Of files that models are written to; the middle one is PyTorch's other habit.
    private static let endings = [".pt", ".pth", ".safetensors"]

    /// Says that there is nothing to continue from.
    ///
    /// - Throws: if the file was named.
    private func lookForStart() throws(CommandFailure) {
        guard settings.start == .continue else { return }
        let place =
            output.map { NamedPath("--output", $0, variable: "", standard: $0) } ?? model.place
        guard let absence = place.absence(of: "file") else { return }
        guard place.namer == nil else {
            throw .configuration("\(absence), so there is no model to continue from")
        }
        log("\(absence), so there is no model to continue from: starting from fresh parameters")
    }

    func run() throws {
        try self.text.require(for: Self.self)
        try lookForStart()
        let text = try self.text.read()
        let embedder = try loadEmbedder(folder: encoder.folder())
        var display = TrainingDisplay()
        defer { display.clear() }
        let result: TrainingOutcome
        do throws(InferenceError) {
            result = try settings.run(lineLimit: .max)(
                on: text.bytes, publishingAt: output ?? model.path, with: embedder
            ) { progress in
                display.show(progress)
            }
        } catch {
            throw failure(error)
        }
        display.clear()
        tell(result.truncated, limit: embedder.tokenLimit, place: text.place(ofLine:))
        if let objection = result.objection {
            let path = output ?? model.path
            log(
                "\(result.version) is kept as a version but not live: \(objection); "
                    + "`denoiser models --model \(path) --restore \(result.version)` puts it live, "
                    + "--activate always does so with every model")
        }
        if let warning = result.warning { writeStandardError("denoiser: \(warning)\n") }
        try printLine(table(result))
    }

    private func failure(_ error: InferenceError) -> CommandFailure {
        switch error {
        case .noTrainingText: .data("\(text.names): no text to train on")
        case .trainingBusy: .temporary("another training run holds the lock; try again later")
        case .trainingFailed(let reason): .data(reason)
        case .failed(let reason), .storageFailed(_, let reason): .data(reason)
        case .modelNotLoaded, .overloaded, .tooMuchWork, .tooLate, .callerLeft, .tooManyLines,
            .trainingCancelled, .trainingTooLong, .encoderChanged:
            .data("\(error)")
        }
    }

    private func table(_ result: TrainingOutcome) -> String {
        let report = result.report
        var rows = [
            ("model version", result.version),
            ("kind", result.kind.rawValue),
            ("activated", result.isActivated ? "yes" : "no"),
            ("lines", "\(result.lines) (\(result.distinct) distinct)"),
            ("truncated lines", "\(result.truncated.count)"),
            ("steps", "\(report.steps)"),
            ("first epoch's loss", "\(report.epochLosses.first ?? .nan)"),
            ("final loss", "\(report.finalLoss)"),
        ]
        if let heldOut = report.heldOut {
            rows += [
                ("held-out lines", "\(heldOut.rows)"),
                ("  MSE noisy", "\(heldOut.noisyError)"),
                ("  MSE denoised", "\(heldOut.denoisedError)"),
                ("  MSE mean predictor", "\(heldOut.meanError)"),
                ("  cosine noisy", "\(heldOut.noisyCosine)"),
                ("  cosine denoised", "\(heldOut.denoisedCosine)"),
            ]
        } else {
            rows.append(
                ("held-out lines", "none: fewer than 20 distinct lines, too little to judge by"))
        }
        if let adaptation = result.adaptation {
            rows += [
                ("adapted part", "\(result.adaptedPart ?? 0)"),
                ("  steps", "\(adaptation.steps)"),
                ("  gain", "\(adaptation.gain) of \(adaptation.baseLoss)"),
            ]
        }
        rows += result.stages.map {
            ("seconds \($0.name)", "\(rounded($0.duration / .seconds(1)))")
        }
        return aligned(rows)
    }
}

/// Rows of a name and a value, the values in one column.
func aligned(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, value in
        name + String(repeating: " ", count: width - name.count + 2) + value
    }.joined(separator: "\n")
}

func rounded(_ seconds: Double) -> Double { (seconds * 100).rounded() / 100 }

/// Shows a run's progress: bars on a terminal, a line for every tenth of the epochs elsewhere.
private struct TrainingDisplay {
    private var embedding = ProgressBar("Embedding")
    private var training = ProgressBar("Training")
    private var adapting = ProgressBar("Adapting")
    private var lastTenth = 0

    mutating func show(_ progress: TrainingRun.Progress) {
        switch progress {
        case .embedding(let done, let count):
            embedding.show(done, of: count)
        case .adapting(let step, let count):
            training.clear()
            adapting.show(step, of: count)
        case .training(let epoch, let count, let loss):
            embedding.clear()
            training.show(epoch, of: count, note: "loss \(Float(loss))")
            let tenth = epoch * 10 / count
            if !ProgressBar.isShown, tenth > lastTenth {
                lastTenth = tenth
                writeStandardError("epoch \(epoch)/\(count), loss \(Float(loss))\n")
            }
        }
    }

    mutating func clear() {
        embedding.clear()
        training.clear()
        adapting.clear()
    }
}
