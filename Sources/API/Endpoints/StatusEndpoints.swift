internal import Inference
internal import JSON

/// `GET /`: a word of welcome.
struct RootEndpoint: Endpoint {
    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        .json(status: 200, ["message": "歡迎使用嵌入向量去噪 API"])
    }

    static let description = RouteDescription(
        summary: "Root", description: "API根路徑，返回簡單的歡迎信息", operationID: "root__get")
}

/// `GET /health`: always 200; the body tells whether a model is loaded.
struct HealthEndpoint: Endpoint {
    let service: any DenoisingService

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let isLoaded = service.isModelLoaded
        return .json(
            status: 200,
            [
                "status": isLoaded ? "healthy" : "not_ready", "model_loaded": .bool(isLoaded),
                "device": isLoaded ? "cpu" : .null,
            ])
    }

    static let description = RouteDescription(
        summary: "Health Check", description: "健康檢查端點",
        operationID: "health_check_health_get")
}
