internal import Inference
internal import JSON

/// The product's version, as the command line prints it and `/info` tells it.
public let productVersion = "1.0.0"

/// `GET /info`: what the service is made of, what it may be asked for, and how fast it is.
struct InfoEndpoint: Endpoint {
    let context: EndpointContext

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let facts = context.service.facts
        let pace = facts.tokensPerSecond.map { JSONValue.double($0.rounded()) }
        return .json(
            status: 200,
            [
                "version": .string(productVersion),
                "models": .array(context.models.all.map { .string($0) }),
                "encoder": [
                    "name": .string(ServedModels.plain), "dimensions": .integer(facts.columns),
                    "max_tokens": .integer(facts.tokenLimit),
                ],
                "denoiser": denoiser(facts), "limits": limits, "threads": .integer(facts.threads),
                "tokens_per_second": pace ?? .null,
                "built_in": [
                    "denoiser": facts.builtInModel.map { .string($0) } ?? .null,
                    "instruction_set": .string(facts.instructionSet),
                ],
            ])
    }

    private func denoiser(_ facts: ServiceFacts) -> JSONValue {
        guard let model = facts.model else { return .null }
        let report = model.report.flatMap { try? JSONValue(parsing: Array($0.utf8)) }
        return [
            "version": .string(model.version), "kind": .string(model.kind),
            "built_in": .bool(model.isBuiltIn), "strength": .string(facts.strength),
            "behind": facts.modelFault == nil ? false : true, "report": report ?? .null,
        ]
    }

    private var limits: JSONValue {
        let limits = context.limits
        return [
            "body_bytes": .integer(limits.bodyBytes), "texts": .integer(limits.texts),
            "rows": .integer(limits.rows), "upload_bytes": .integer(limits.uploadBytes),
            "training_lines": .integer(limits.trainingLines),
        ]
    }

    static let description = RouteDescription(
        tag: "service", summary: "Info",
        description: "Version, models, limits, threads, and the measured rate in tokens a second; "
            + "null before the first measurement",
        operationID: "info")
}
