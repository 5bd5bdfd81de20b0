internal import Inference
internal import JSON
internal import System

/// `POST /v1/embeddings`: embeds texts as OpenAI's API does, and denoises if the model's name says
/// so.
struct EmbeddingsEndpoint: Endpoint {
    let context: EndpointContext

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let limits = context.limits
        let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
        let asked = try EmbeddingsRequest(body, of: context.models, limits: limits)
        try request.admitAnswer(rows: asked.rows)
        var batch: EmbeddingBatch
        do throws(InferenceError) {
            batch = try self.batch(asked, for: request.caller)
        } catch {
            throw APIError(error)
        }
        let computed = ContinuousClock.now
        if let row = batch.rowNotFinite {
            throw .wrong("input", "the values of 'input[\(row)]' are too large to denoise")
        }
        if let dimensions = asked.dimensions { batch.cut(to: dimensions) }
        var response = answer(batch, asked)
        response.stages = batch.stages + [Stage("print", computed.duration(to: .now))]
        return response
    }

    static let description = RouteDescription(
        tag: "OpenAI", summary: "Create embeddings",
        description: "Embeds texts as OpenAI's API does. The model's name selects denoising.",
        operationID: "create_embedding", body: .init("application/json", "EmbeddingsRequest"),
        answer: "EmbeddingsResponse",
        schemas: [
            Schema(
                name: "EmbeddingsRequest",
                text: #"""
                    {
                      "properties": {
                        "model": {
                          "type": "string",
                          "title": "Model",
                          "examples": ["all-MiniLM-L6-v2", "all-MiniLM-L6-v2-denoised"]
                        },
                        "input": {
                          "anyOf": [
                            {"type": "string"},
                            {
                              "items": {"type": "string"},
                              "type": "array",
                              "minItems": 1,
                              "maxItems": 2048
                            },
                            {
                              "items": {
                                "items": {"type": "number"},
                                "type": "array",
                                "minItems": 384,
                                "maxItems": 384
                              },
                              "type": "array",
                              "minItems": 1,
                              "maxItems": 2048
                            }
                          ],
                          "title": "Input",
                          "description": "A text, texts, or embeddings to denoise"
                        },
                        "encoding_format": {
                          "enum": ["float", "base64", null],
                          "title": "Encoding Format",
                          "default": "float"
                        },
                        "dimensions": {
                          "type": ["integer", "null"],
                          "minimum": 1,
                          "maximum": 384,
                          "title": "Dimensions",
                          "description": "Elements to keep of each embedding"
                        },
                        "denoise": {
                          "type": ["boolean", "null"],
                          "title": "Denoise",
                          "description": "Whether to denoise, whatever the model's name says"
                        },
                        "noise_level": {
                          "type": ["number", "null"],
                          "minimum": 0.0,
                          "title": "Noise Level",
                          "description": "Noise to add first; only with denoising"
                        }
                      },
                      "type": "object",
                      "required": ["model", "input"],
                      "title": "EmbeddingsRequest"
                    }
                    """#),
            Schema(
                name: "EmbeddingsResponse",
                text: #"""
                    {
                      "properties": {
                        "object": {"const": "list", "title": "Object"},
                        "data": {
                          "items": {
                            "properties": {
                              "object": {"const": "embedding", "title": "Object"},
                              "index": {"type": "integer", "title": "Index"},
                              "embedding": {
                                "anyOf": [
                                  {"items": {"type": "number"}, "type": "array"},
                                  {"type": "string"}
                                ],
                                "title": "Embedding"
                              }
                            },
                            "type": "object",
                            "required": ["object", "index", "embedding"],
                            "title": "Embedding"
                          },
                          "type": "array",
                          "title": "Data"
                        },
                        "model": {"type": "string", "title": "Model"},
                        "usage": {
                          "properties": {
                            "prompt_tokens": {"type": "integer", "title": "Prompt Tokens"},
                            "total_tokens": {"type": "integer", "title": "Total Tokens"}
                          },
                          "type": "object",
                          "required": ["prompt_tokens", "total_tokens"],
                          "title": "Usage"
                        }
                      },
                      "type": "object",
                      "required": ["object", "data", "model", "usage"],
                      "title": "EmbeddingsResponse"
                    }
                    """#),
        ])

    private func batch(
        _ asked: EmbeddingsRequest, for caller: Caller
    ) throws(InferenceError) -> EmbeddingBatch {
        switch asked.input {
        case .texts(let texts) where asked.denoises:
            return try context.service.denoise(
                texts: texts, noiseLevel: asked.noiseLevel, for: caller)
        case .texts(let texts): return try context.service.embed(texts: texts, for: caller)
        case .vectors(let values):
            if asked.rows > Limits.freeRows, caller.hasLeft() { throw .callerLeft }
            return try context.service.denoise(embeddings: values, noiseLevel: asked.noiseLevel)
        }
    }

    private func answer(_ batch: EmbeddingBatch, _ asked: EmbeddingsRequest) -> Response {
        let tokens = JSONValue.integer(batch.tokens)
        var end = Array(#"],"model":"#.utf8)
        appendJSON(asked.model, to: &end)
        end.append(contentsOf: #","usage":"#.utf8)
        (["prompt_tokens": tokens, "total_tokens": tokens] as JSONValue).write(into: &end)
        end.append(UInt8(ascii: "}"))
        let isBase64 = asked.encoding == .base64
        let pieces = batch.printed(
            from: #"{"object":"list","data":["#, to: end, on: context.team,
            bytesOfValue: isBase64 ? 6 : bytesOfFloat
        ) { number, row, text in
            text.append(contentsOf: #"{"object":"embedding","index":"#.utf8)
            text.append(contentsOf: String(number).utf8)
            text.append(contentsOf: #","embedding":"#.utf8)
            if isBase64 {
                text.append(UInt8(ascii: "\""))
                appendBase64(row, to: &text)
                text.append(UInt8(ascii: "\""))
            } else {
                appendJSON(row, to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
        return .json(status: 200, pieces: pieces, headers: batch.headers)
    }
}

extension EmbeddingBatch {
    /// Keeps the first `count` elements of each row and scales what is left to length one.
    ///
    /// Whole rows stay as they are, and so do rows of zeros.
    fileprivate mutating func cut(to count: Int) {
        guard count < columns else { return }
        var cut: [Float] = []
        cut.reserveCapacity(rows * count)
        for start in stride(from: 0, to: values.count, by: columns) {
            let row = values[start..<(start + count)]
            let length = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            cut += row.map { length > 0 ? Float(Double($0) / length) : $0 }
        }
        values = cut
        columns = count
    }
}
