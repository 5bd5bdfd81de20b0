internal import Inference
internal import JSON
internal import System

/// `POST /denoise/embedding`: denoises embeddings given as numbers.
struct DenoiseEmbeddingEndpoint: Endpoint {
    let context: EndpointContext

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let limits = context.limits
        let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
        let asked = try EmbeddingReading(limit: limits.rows, team: context.team)
            .request(from: body, limits: limits)
        let rows = asked.rows.count / EmbeddingReading.columns
        try request.admitAnswer(rows: rows)
        try request.expectCaller(rows: rows)
        return try DenoiseAnswer.measuring(context.team) { () throws(InferenceError) in
            try context.service.denoise(embeddings: asked.rows, noiseLevel: asked.noiseLevel)
        }
    }

    static let description = RouteDescription(
        summary: "Denoise Embedding",
        description: "基於嵌入向量的去噪API\n\n直接處理提供的嵌入向量，進行去噪處理",
        operationID: "denoise_embedding_denoise_embedding_post",
        body: .init("application/json", "EmbeddingDenoiseRequest"), answer: "DenoiseResponse",
        schemas: [
            DenoiseAnswer.schema,
            Schema(
                name: "EmbeddingDenoiseRequest",
                text: #"""
                    {
                      "properties": {
                        "embeddings": {
                          "items": {"items": {"type": "number"}, "type": "array"},
                          "type": "array",
                          "title": "Embeddings",
                          "description": "要去噪的嵌入向量列表"
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
                      "required": ["embeddings"],
                      "title": "EmbeddingDenoiseRequest"
                    }
                    """#),
        ])
}
