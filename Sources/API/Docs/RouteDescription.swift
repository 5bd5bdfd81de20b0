internal import JSON

/// A route as the OpenAPI document tells it.
struct RouteDescription: Sendable {
    /// A few words.
    var summary: String
    /// A sentence; nil if there is none.
    var description: String?
    /// The name that generated clients give the call.
    var operationID: String
    /// What the route reads; nil if it reads no body.
    var body: Body?
    /// The name of the answer's schema; nil allows any JSON.
    var answer: String?
    /// The schemas that `body` and `answer` name.
    var schemas: [Schema] = []

    /// A request's body.
    struct Body: Sendable {
        let contentType: String
        let schema: String

        init(_ contentType: String, _ schema: String) {
            self.contentType = contentType
            self.schema = schema
        }
    }

    /// The operation in FastAPI's order of members.
    var operation: JSONValue {
        var operation = JSONObject([("summary", .string(summary))])
        if let description { operation["description"] = .string(description) }
        operation["operationId"] = .string(operationID)
        var responses = JSONObject([
            ("200", Self.response("Successful Response", schema: answer))
        ])
        if let body {
            operation["requestBody"] = [
                "content": Self.content(body.contentType, schema: body.schema), "required": true,
            ]
            responses["422"] = Self.response("Validation Error", schema: "HTTPValidationError")
        }
        operation["responses"] = .object(responses)
        return .object(operation)
    }

    /// A response with a JSON body.
    static func response(_ description: String, schema: String?) -> JSONValue {
        [
            "description": .string(description),
            "content": content("application/json", schema: schema),
        ]
    }

    private static func content(_ type: String, schema: String?) -> JSONValue {
        let reference: JSONValue =
            schema.map { ["$ref": .string("#/components/schemas/\($0)")] } ?? [:]
        let schema: JSONValue = ["schema": reference]
        return .object(JSONObject([(type, schema)]))
    }
}

/// A schema of the OpenAPI document under its name.
struct Schema: Sendable {
    let name: String
    /// JSON, written for people.
    let text: String
}
