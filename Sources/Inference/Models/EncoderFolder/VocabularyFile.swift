internal import JSON
internal import ModelFiles

/// The bytes of the encoder's vocabulary, a token a line.
///
/// They are those of `vocab.txt`; newer tools save `tokenizer.json` alone, which holds the tokens,
/// too. If both are there they have to agree, because tools differ in which of them they read.
func readVocabulary(folder: String) throws(ModelFault) -> [UInt8] {
    let path = "\(folder)/vocab.txt"
    let file = try SettingsFile("tokenizer.json", in: folder)
    let bytes: [UInt8]
    do throws(ModelFileError) {
        bytes = try fileContents(at: path, limit: 16 << 20)
    } catch {
        if case .missing = error, let file {
            return Array(try file.vocabulary().joined(separator: [UInt8(ascii: "\n")]))
        }
        throw encoderFault("\(error)", isPassing: error.isOfSystem)
    }
    if let file {
        let lines = TextLines(of: bytes)
        let tokens = try file.vocabulary()
        if let odd = zip(lines, tokens).enumerated().first(where: {
            !bytes[$1.0].elementsEqual($1.1)
        }) {
            let token = String(decoding: odd.element.1, as: UTF8.self)
            throw file.fault(
                "model: vocab: \"\(token)\" is number \(odd.offset), and vocab.txt has another "
                    + "token there; the two have to agree")
        }
        let count = lines.reduce(0) { count, _ in count + 1 }
        guard count == tokens.count else {
            throw file.fault(
                "model: vocab: \(tokens.count) tokens, and vocab.txt has \(count); the two have to "
                    + "agree")
        }
    }
    return bytes
}

extension SettingsFile {
    /// The tokens that `tokenizer.json` holds, by their numbers.
    fileprivate func vocabulary() throws(ModelFault) -> [[UInt8]] {
        guard let node = value("model", "vocab"), case .object = kind(of: node) else {
            throw fault("model: vocab: missing")
        }
        var numbered: [(number: Int, token: [UInt8])] = []
        var odd: JSONNode?
        forEachMember(of: node) { token, node in
            if let number = integer(node), !token.contains(UInt8(ascii: "\n")) {
                numbered.append((number, token))
            } else {
                odd = node
            }
        }
        if let odd { throw unsupported("model: vocab", odd, "a number for each token is") }
        numbered.sort { $0.number < $1.number }
        for (index, entry) in numbered.enumerated() where entry.number != index {
            throw fault("model: vocab: no token has the number \(index), or two have")
        }
        return numbered.map(\.token)
    }

    /// A whole number of any size that fits.
    private func integer(_ node: JSONNode) -> Int? {
        guard case .integer = kind(of: node) else { return nil }
        return Int(exactly: number(of: node))
    }
}
