internal import JSON

/// `GET /v1/models`: the models that clients may name.
struct ModelListEndpoint: Endpoint {
    let models: ServedModels

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        .json(
            status: 200,
            ["object": "list", "data": .array(models.all.map { ServedModels.entry($0) })])
    }

    static let description = RouteDescription(
        tag: "OpenAI", summary: "List models", description: "The models that requests may name",
        operationID: "list_models", answer: "ModelList",
        schemas: [
            ModelEndpoint.schema,
            Schema(
                name: "ModelList",
                text: #"""
                    {
                      "properties": {
                        "object": {"const": "list", "title": "Object"},
                        "data": {
                          "items": {"$ref": "#/components/schemas/Model"},
                          "type": "array",
                          "title": "Data"
                        }
                      },
                      "type": "object",
                      "required": ["object", "data"],
                      "title": "ModelList"
                    }
                    """#),
        ])
}

/// `GET /v1/models/{model}`: one of them.
struct ModelEndpoint: Endpoint {
    let models: ServedModels

    /// What the path begins with.
    static let beginning = "/v1/models/"

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let name = request.path.utf8.dropFirst(Self.beginning.utf8.count)
        return .json(
            status: 200, try models.description(of: String(decoding: name, as: UTF8.self)))
    }

    static let description = RouteDescription(
        tag: "OpenAI", summary: "Retrieve a model", description: "One of the models",
        operationID: "retrieve_model", answer: "Model", schemas: [schema])

    static let schema = Schema(
        name: "Model",
        text: #"""
            {
              "properties": {
                "id": {"type": "string", "title": "Id"},
                "object": {"const": "model", "title": "Object"},
                "created": {"type": "integer", "title": "Created"},
                "owned_by": {"type": "string", "title": "Owned By"}
              },
              "type": "object",
              "required": ["id", "object", "created", "owned_by"],
              "title": "Model"
            }
            """#)
}

extension ServedModels {
    /// When the encoder was published (30 August 2021), in seconds since 1970.
    private static let created = 1_630_281_600

    /// What is told of the model that clients may name so.
    ///
    /// - Throws: `model_not_found`.
    fileprivate func description(of name: String) throws(APIError) -> JSONValue {
        _ = try denoises(name)
        return Self.entry(name)
    }

    fileprivate static func entry(_ name: String) -> JSONValue {
        [
            "id": .string(name), "object": "model", "created": .integer(created),
            "owned_by": "denoiser",
        ]
    }
}
