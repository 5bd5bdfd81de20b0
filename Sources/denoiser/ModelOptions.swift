import ArgumentParser
import Glibc

/// Where the encoder's folder is.
struct EncoderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The folder with the encoder's model.safetensors, vocab.txt and config.json \
            (environment: ENCODER_PATH; default: models/all-MiniLM-L6-v2).
            """, valueName: "folder"))
    var encoder: String?

    func validate() throws {
        if encoder == nil, let fault = faultOfEnvironment("ENCODER_PATH") {
            throw ValidationError(fault)
        }
    }

    /// The folder to use.
    var path: String { encoder ?? environment("ENCODER_PATH") ?? "models/all-MiniLM-L6-v2" }
}

/// Which denoiser is used.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The denoiser's file, .pt or .safetensors \
            (environment: MODEL_PATH; default: models/embedding_denoiser.pt).
            """, valueName: "file"))
    var model: String?

    @Flag(
        name: .customLong("no-default-model"),
        help: "Where the file is missing, do without a model instead of using the built-in one.")
    var withoutDefaultModel = false

    func validate() throws {
        if model == nil, let fault = faultOfEnvironment("MODEL_PATH") {
            throw ValidationError(fault)
        }
    }

    /// The file to use.
    var path: String { model ?? environment("MODEL_PATH") ?? "models/embedding_denoiser.pt" }
}

/// The value of an environment variable, nil where it is unset or empty.
func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}
