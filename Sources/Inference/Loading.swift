public import Encoder
internal import Kernels
internal import ModelFiles
public import Tokenizer

/// The tokenizer of the encoder in `folder`.
public func loadTokenizer(folder: String) throws(ModelFault) -> WordPieceTokenizer {
    let path = "\(folder)/vocab.txt"
    let bytes = try readWhole(path)
    do throws(TokenizerError) {
        return try WordPieceTokenizer(vocabulary: bytes)
    } catch {
        throw encoderFault("\(path): \(error)")
    }
}

/// The encoder in `folder`; its weights are mapped, not read, packed where `PackedWeights` are there.
///
/// - Parameter report: gets a line where they are not, or cannot be used.
public func loadEncoder(
    folder: String, report: (String) -> Void = { _ in }
) throws(ModelFault) -> SentenceEncoder {
    let plain = try mapPublished(folder)
    var packed: SafetensorsFile?
    switch PackedWeights.find(in: folder, for: plain) {
    case .fits(let file): packed = file
    case .missing:
        report("the encoder's weights are not packed; texts are faster after `denoiser pack`")
    case .unfit(let reason):
        report(
            "\(PackedWeights.path(in: folder)) is not used, \(reason); "
                + "`denoiser pack` makes it anew")
    }
    return try makeEncoder(folder, packed: packed != nil) { name, shape throws(ModelFileError) in
        try (shape.count == 3 ? packed ?? plain : plain).tensor(name, shape: shape)
    }
}

/// The encoder that config.json in `folder` describes, of weights by their name and shape.
func makeEncoder(
    _ folder: String, packed: Bool,
    _ tensor: (_ name: String, _ shape: [Int]) throws(ModelFileError) -> Tensor
) throws(ModelFault) -> SentenceEncoder {
    let json = try readWhole("\(folder)/config.json")
    do throws(EncoderError) {
        let configuration = try EncoderConfiguration(parsing: json)
        return try SentenceEncoder(configuration: configuration, packed: packed) {
            name, shape throws(EncoderError) in
            do throws(ModelFileError) {
                return try tensor(name, shape)
            } catch {
                throw .weight(name: name, reason: "\(error)")
            }
        }
    } catch {
        throw encoderFault("\(folder): \(error)")
    }
}

/// The published weights of the encoder in `folder`.
func mapPublished(_ folder: String) throws(ModelFault) -> SafetensorsFile {
    do throws(ModelFileError) {
        return try SafetensorsFile(mapping: "\(folder)/model.safetensors")
    } catch {
        throw encoderFault("\(error)")
    }
}

private func readWhole(_ path: String) throws(ModelFault) -> [UInt8] {
    do throws(ModelFileError) {
        return try fileContents(at: path, limit: 16 << 20)
    } catch {
        throw encoderFault("\(error)")
    }
}

private func encoderFault(_ text: String) -> ModelFault {
    ModelFault(
        "\(text) (--encoder or ENCODER_PATH names the encoder's folder; "
            + "nginx/fetch-encoder fetches its files)")
}
