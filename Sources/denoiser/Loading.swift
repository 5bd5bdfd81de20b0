import Inference
import Tokenizer

/// The tokenizer of the encoder in `folder`.
func loadTokenizer(folder: String) throws(CommandFailure) -> WordPieceTokenizer {
    try load { () throws(ModelFault) in try Inference.loadTokenizer(folder: folder) }
}

/// The encoder in `folder` with its compute threads; one a core unless told otherwise.
///
/// - Parameter report: gets a line where it is slower than it could be.
func loadEmbedder(
    folder: String, threads: Int = availableCores(), tokens: Int = TextEmbedder.tokenLimit,
    report: (String) -> Void = { _ in }
) throws(CommandFailure) -> TextEmbedder {
    // Reported last: a start that fails says why in one line.
    var note: String?
    let embedder = try load { () throws(ModelFault) in
        try TextEmbedder(
            tokenizer: try Inference.loadTokenizer(folder: folder),
            encoder: try loadEncoder(folder: folder) { note = $0 }, threads: threads,
            tokenLimit: tokens)
    }
    if let note { report(note) }
    return embedder
}

/// The model that `options` name, followed when its file changes.
func loadLiveModel(_ options: ModelOptions) throws(CommandFailure) -> LiveModel {
    try load { () throws(ModelFault) in
        try LiveModel(
            path: options.path,
            fallback: options.withoutDefaultModel ? nil : DenoiserModel.builtIn, report: log)
    }
}

/// The model that `options` name, for one run of a command that only reads it.
///
/// - Throws: where a file is named and missing: another model is not what was asked for.
func loadDenoiser(_ options: ModelOptions) throws(CommandFailure) -> DenoiserModel {
    let absence = options.place.absence(of: "file")
    if let absence, options.place.namer != nil { throw .configuration(absence) }
    if let absence, !options.withoutDefaultModel {
        log("\(absence), and no other is named: the built-in model is used")
    }
    guard let model = try loadLiveModel(options).current() else {
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
        throw .configuration("\(error)")
    }
}

/// The version that is served, and why where it is not that of the file that `options` name.
func describe(_ version: String, _ options: ModelOptions) -> String {
    guard let absence = options.place.absence(of: "file") else { return version }
    if version == DenoiserModel.builtIn?.version {
        return "\(version), the built-in one: \(absence)"
    }
    return version == "none" ? "\(version): \(absence)" : version
}
