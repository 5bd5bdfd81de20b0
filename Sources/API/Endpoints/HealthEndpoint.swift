internal import Inference
internal import JSON

/// `GET /health`: always 200, with whether a model is loaded in the body.
struct HealthEndpoint {
    let service: any DenoisingService

    func respond() -> Response {
        let isLoaded = service.isModelLoaded
        return .json(
            status: 200,
            [
                "status": isLoaded ? "healthy" : "not_ready", "model_loaded": .bool(isLoaded),
                "device": isLoaded ? "cpu" : .null,
            ])
    }
}
