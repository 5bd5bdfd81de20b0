internal import Inference
internal import JSON
internal import System

/// `POST /denoise/embedding`: denoises embeddings given as numbers.
struct DenoiseEmbeddingEndpoint {
    let service: any DenoisingService
    let limits: Limits
    let team: ComputeTeam?

    func respond(to request: Request, body: inout some BodySource & ~Copyable) -> Response {
        do {
            let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
            let asked = try EmbeddingReading(limit: limits.rows, team: team)
                .request(from: body, limits: limits)
            try request.admitAnswer(rows: asked.rows.count / EmbeddingReading.columns)
            try request.expectCaller(rows: asked.rows.count / EmbeddingReading.columns)
            return DenoiseAnswer.measuring(team) { () throws(InferenceError) in
                try service.denoise(embeddings: asked.rows, noiseLevel: asked.noiseLevel)
            }
        } catch {
            return error.response
        }
    }
}
