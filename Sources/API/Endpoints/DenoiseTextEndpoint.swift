internal import Inference
internal import JSON
internal import System

/// `POST /denoise/text`: embeds texts and denoises the embeddings.
struct DenoiseTextEndpoint: Endpoint {
    let context: EndpointContext

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let limits = context.limits
        let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
        let asked = try TextReading(limit: limits.texts).request(from: body, limits: limits)
        try request.admitAnswer(rows: asked.rows.count)
        return try DenoiseAnswer.measuring(context.team) { () throws(InferenceError) in
            try context.service.denoise(
                texts: asked.rows, noiseLevel: asked.noiseLevel, for: request.caller)
        }
    }

    static let description = RouteDescription(
        summary: "Denoise Text",
        description: "基於文本的去噪API\n\n將文本編碼為嵌入向量，然後進行去噪處理",
        operationID: "denoise_text_denoise_text_post",
        body: .init("application/json", "TextDenoiseRequest"), answer: "DenoiseResponse",
        schemas: [
            DenoiseAnswer.schema,
            Schema(
                name: "TextDenoiseRequest",
                text: #"""
                    {
                      "properties": {
                        "texts": {
                          "items": {"type": "string"},
                          "type": "array",
                          "title": "Texts",
                          "description": "要去噪的文本列表"
                        },
                        "noise_level": {
                          "type": "number",
                          "minimum": 0.0,
                          "title": "Noise Level",
                          "description": "可選參數，如果大於0，先添加噪聲再去噪",
                          "default": 0.0
                        }
                      },
                      "type": "object",
                      "required": ["texts"],
                      "title": "TextDenoiseRequest"
                    }
                    """#),
        ])
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
