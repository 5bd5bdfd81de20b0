import ArgumentParser
import Glibc

/// The encoder's folder.
struct EncoderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The folder with the encoder's model.safetensors, vocab.txt and config.json \
            (environment: ENCODER_PATH; default: models/all-MiniLM-L6-v2).
            """, valueName: "folder"))
    var encoder: String?

    func validate() throws {
        if encoder == "" { throw ValidationError("--encoder names no folder: it is empty.") }
        if encoder == nil, let fault = faultOfEnvironment("ENCODER_PATH") {
            throw ValidationError(fault)
        }
    }

    /// The folder to use and what named it.
    var place: NamedPath {
        NamedPath(
            "--encoder", encoder, variable: "ENCODER_PATH", standard: "models/all-MiniLM-L6-v2")
    }

    /// The folder to use.
    var path: String { place.path }

    /// The folder to use, which is there.
    func folder() throws(CommandFailure) -> String { try place.encoderFolder() }
}

extension NamedPath {
    /// The path of the encoder's folder, which is there.
    func encoderFolder() throws(CommandFailure) -> String {
        if let absence = absence(of: "folder") {
            throw .configuration(
                "\(absence); nginx/fetch-encoder fetches the encoder, --encoder or ENCODER_PATH "
                    + "names where it is")
        }
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
            throw .configuration(
                "\(path): not a folder\(namer.map { " (\($0) names it)" } ?? "")")
        }
        return path
    }
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
        help: "If the file is missing, do without a model instead of using the built-in one.")
    var withoutDefaultModel = false

    func validate() throws {
        if model == "" { throw ValidationError("--model names no file: it is empty.") }
        if model == nil, let fault = faultOfEnvironment("MODEL_PATH") {
            throw ValidationError(fault)
        }
    }

    /// The file to use and what named it.
    var place: NamedPath {
        NamedPath(
            "--model", model, variable: "MODEL_PATH", standard: "models/embedding_denoiser.pt")
    }

    /// The file to use.
    var path: String { place.path }

    /// The options as a value.
    var choice: ModelChoice {
        ModelChoice(place: place, withoutDefaultModel: withoutDefaultModel)
    }
}

/// Which denoiser is used, as a value.
struct ModelChoice: Equatable, Sendable {
    /// The file to use and what named it.
    var place: NamedPath

    /// Whether no model is used if the file is missing, instead of the built-in one.
    var withoutDefaultModel: Bool

    /// The file to use.
    var path: String { place.path }
}
