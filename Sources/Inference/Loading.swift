public import Encoder
internal import Glibc
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

/// The encoder in `folder`; its weights are mapped, not read.
public func loadEncoder(folder: String) throws(ModelFault) -> SentenceEncoder {
    let json = try readWhole("\(folder)/config.json")
    let file = try map("\(folder)/model.safetensors")
    do throws(EncoderError) {
        let configuration = try EncoderConfiguration(parsing: json)
        return try SentenceEncoder(configuration: configuration) {
            name, shape throws(EncoderError) in
            do throws(ModelFileError) {
                return try file.tensor(name, shape: shape)
            } catch {
                throw .weight(name: name, reason: "\(error)")
            }
        }
    } catch {
        throw encoderFault("\(folder): \(error)")
    }
}

private func map(_ path: String) throws(ModelFault) -> SafetensorsFile {
    do throws(ModelFileError) {
        return try SafetensorsFile(mapping: path)
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
