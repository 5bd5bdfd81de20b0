internal import Inference
internal import JSON
internal import System

/// `POST /denoise/text`: embeds texts and denoises the embeddings.
struct DenoiseTextEndpoint {
    let service: any DenoisingService
    let limits: Limits
    let team: ComputeTeam?

    func respond(to request: Request, body: inout some BodySource & ~Copyable) -> Response {
        do {
            let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
            let asked = try TextReading(limit: limits.texts).request(from: body, limits: limits)
            try request.admitAnswer(rows: asked.rows.count)
            return DenoiseAnswer.measuring(team) { () throws(InferenceError) in
                try service.denoise(
                    texts: asked.rows, noiseLevel: asked.noiseLevel, for: request.caller)
            }
        } catch {
            return error.response
        }
    }
}

/// Reads a list of strings.
struct TextReading: RowReading {
    static let name = "texts"
    static let takesOnlyASCII = false

    /// How many texts one request may hold.
    let limit: Int

    func fastRows(_ reader: inout JSONReader, in text: JSONText) -> [String]? {
        var texts: [String] = []
        guard reader.skip(UInt8(ascii: "[")) else { return nil }
        repeat {
            guard texts.count < limit, let text = reader.string() else { return nil }
            texts.append(text)
        } while reader.skip(UInt8(ascii: ","))
        return reader.skip(UInt8(ascii: "]")) ? texts : nil
    }

    func rows(_ list: JSONNode, in tree: JSONTree, issues: inout RequestIssues) -> [String]? {
        guard isShortEnough(list, in: tree, issues: &issues) else { return nil }
        var texts: [String] = []
        tree.forEachElement(of: list) { index, element in
            if case .string = tree.kind(of: element) {
                texts.append(String(replacingSurrogatesIn: tree.string(of: element)))
            } else {
                issues.shared.add(
                    .notAString, at: ["body", .name(Self.name), .index(index)],
                    size: tree.length(of: element)
                ) { tree.write(element, into: &$0) }
            }
            return true
        }
        return texts
    }
}
