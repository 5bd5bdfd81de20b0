internal import System
import Inference
import Tokenizer

/// The tokenizer of the encoder in `folder`, and how many tokens of a text count there.
func openTokenizer(
    folder: String
) throws(CommandFailure) -> (tokenizer: WordPieceTokenizer, limit: Int) {
    try load { () throws(ModelFault) in
        let settings = try EncoderSettings(folder: folder)
        let tokenizer = try loadTokenizer(folder: folder, settings: settings)
        return (tokenizer, settings.tokenLimit)
    }
}

/// The encoder in `folder` with its compute threads; one a core unless told otherwise.
///
/// - Parameters:
///   - tokens: the most tokens of a text that count, if the folder's files ask for more.
///   - report: gets a line if it is slower than it could be.
func loadEmbedder(
    folder: String, threads: Int = availableCores(), tokens: Int? = nil,
    report: (String) -> Void = { _ in }
) throws(CommandFailure) -> TextEmbedder {
    try load { () throws(ModelFault) in
        try Inference.loadEmbedder(
            folder: folder, threads: threads, tokens: tokens, report: report)
    }
}

/// The model that `choice` names.
///
/// - Parameter standsIn: whether another version is served while the file cannot be used.
func loadLiveModel(
    _ choice: ModelChoice, standsIn: Bool = false,
    report: @escaping @Sendable (String) -> Void = log
) throws(CommandFailure) -> LiveModel {
    try load { () throws(ModelFault) in
        try LiveModel(
            path: choice.path,
            fallback: choice.withoutDefaultModel ? nil : DenoiserModel.builtIn,
            standsIn: standsIn, report: report)
    }
}

/// The model that `options` name, for one run of a command that only reads it.
///
/// - Throws: if a file is named and missing: another model is not what was asked for.
func loadDenoiser(_ options: ModelOptions) throws(CommandFailure) -> DenoiserModel {
    let absence = options.place.absence(of: "file")
    if let absence, options.place.namer != nil { throw .configuration(absence) }
    if let absence, !options.withoutDefaultModel {
        log("\(absence), and no other is named: the built-in model is used")
    }
    guard let model = try loadLiveModel(options.choice).current() else {
        throw .configuration(
            "\(options.path): no such file; train a model with `denoiser train` or leave "
                + "--no-default-model out")
    }
    return model
}

func load<Value>(
    _ step: () throws(ModelFault) -> Value
) throws(CommandFailure) -> Value {
    do throws(ModelFault) {
        return try step()
    } catch {
        throw .configuration("\(error)", isPassing: error.isPassing)
    }
}

/// The model that is served, and why if it is not that of the file that `choice` names.
func describe(_ model: DenoiserModel?, _ choice: ModelChoice) -> String {
    let label = model?.label ?? "none"
    guard let absence = choice.place.absence(of: "file") else { return label }
    if let model, model.version == DenoiserModel.builtIn?.version {
        return "\(label), the built-in one: \(absence)"
    }
    return model == nil ? "\(label): \(absence)" : label
}
