public import Inference
public struct Application: Sendable {
    public init(service: any DenoisingService, limits: Limits) {}
    public func respond<Body: BodySource & ~Copyable>(to request: Request, body: inout Body) -> Response { Response(status: 500) }
}
