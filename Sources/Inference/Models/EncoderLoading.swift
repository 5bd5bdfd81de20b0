public import Encoder
internal import Tensors
internal import ModelFiles
public import Tokenizer

/// The tokenizer of the encoder in `folder`.
///
/// - Parameter settings: what the folder's files ask for; nil reads them.
public func loadTokenizer(
    folder: String, settings: EncoderSettings? = nil
) throws(ModelFault) -> WordPieceTokenizer {
    let rules = try given(settings, folder).rules
    let path = "\(folder)/vocab.txt"
    let bytes = try readVocabulary(folder: folder)
    do throws(TokenizerError) {
        return try WordPieceTokenizer(vocabulary: bytes, rules: rules)
    } catch {
        throw encoderFault("\(path): \(error)")
    }
}

/// The encoder in `folder`; its weights are mapped, not read, packed if `PackedWeights` are there.
///
/// - Parameters:
///   - settings: what the folder's files ask for; nil reads them.
///   - report: gets a line if they could be and are not.
public func loadEncoder(
    folder: String, settings: EncoderSettings? = nil, report: (String) -> Void = { _ in }
) throws(ModelFault) -> SentenceEncoder {
    try loadWeights(folder: folder, settings: given(settings, folder), report: report).encoder
}

/// An encoder and the files that are mapped for it.
struct EncoderWeightFiles {
    let encoder: SentenceEncoder
    let mapped: [SafetensorsFile]
    /// Whether packed weights were left out because the system refused to read them.
    var isProvisional = false
}

/// The same, and its files.
func loadWeights(
    folder: String, settings: EncoderSettings, report: (String) -> Void
) throws(ModelFault) -> EncoderWeightFiles {
    var configuration = try loadConfiguration(folder: folder)
    configuration.pooling = settings.pooling
    configuration.isNormalized = settings.isNormalized
    let plain = try mapPublished(folder)
    let command = "`denoiser pack --encoder \(folder)`"
    var isProvisional = false
    switch PackedWeights.find(in: folder, for: plain, configuration) {
    case .fits(let encoder, let packed):
        return EncoderWeightFiles(encoder: encoder, mapped: [plain, packed])
    case .missing:
        report("the encoder's weights are not packed; texts are faster after \(command)")
    case .unfit(let reason):
        report("\(PackedWeights.path(in: folder)) is not used: \(reason); \(command) makes it anew")
    case .unreadable(let reason):
        report("\(reason); texts are slower until it can be read")
        isProvisional = true
    case .impossible: break
    }
    do throws(EncoderError) {
        let encoder = try SentenceEncoder(configuration: configuration) {
            name, shape throws(EncoderError) in try plain.weight(name, shape)
        }
        return EncoderWeightFiles(
            encoder: encoder, mapped: [plain], isProvisional: isProvisional)
    } catch {
        throw encoderFault("\(folder): \(error)")
    }
}

private func given(
    _ settings: EncoderSettings?, _ folder: String
) throws(ModelFault) -> EncoderSettings {
    if let settings { return settings }
    return try EncoderSettings(folder: folder)
}

/// The sizes of the encoder in `folder`.
func loadConfiguration(folder: String) throws(ModelFault) -> EncoderConfiguration {
    let json = try readWhole("\(folder)/config.json")
    do throws(EncoderError) {
        return try EncoderConfiguration(parsing: json)
    } catch {
        throw encoderFault("\(folder): \(error)")
    }
}

/// The published weights of the encoder in `folder`.
func mapPublished(_ folder: String) throws(ModelFault) -> SafetensorsFile {
    do throws(ModelFileError) {
        return try SafetensorsFile(mapping: "\(folder)/model.safetensors")
    } catch {
        throw encoderFault("\(error)", isPassing: error.isOfSystem)
    }
}

extension SafetensorsFile {
    /// The encoder's weight of that name and shape.
    func weight(_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor {
        do throws(ModelFileError) {
            return try tensor(name, shape: shape)
        } catch {
            throw .weight(name: name, reason: "\(error)")
        }
    }
}

private func readWhole(_ path: String) throws(ModelFault) -> [UInt8] {
    do throws(ModelFileError) {
        return try fileContents(at: path, limit: 16 << 20)
    } catch {
        throw encoderFault("\(error)", isPassing: error.isOfSystem)
    }
}

func encoderFault(_ text: String, isPassing: Bool = false) -> ModelFault {
    ModelFault(
        "\(text) (--encoder or ENCODER_PATH names the encoder's folder; "
            + "nginx/fetch-encoder fetches its files)", isPassing: isPassing)
}
