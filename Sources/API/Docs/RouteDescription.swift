internal import JSON

/// A route as the OpenAPI document tells it.
struct RouteDescription: Sendable {
    /// The group under which pages show the route; nil for those of the original.
    var tag: String?
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

    /// The operation at `path`, in FastAPI's order of members.
    func operation(at path: String) -> JSONValue {
        var operation = JSONObject()
        if let tag { operation["tags"] = [.string(tag)] }
        operation["summary"] = .string(summary)
        if let description { operation["description"] = .string(description) }
        operation["operationId"] = .string(operationID)
        if let name = Self.parameter(of: path) {
            operation["parameters"] = [
                [
                    "name": .string(name), "in": "path", "required": true,
                    "schema": ["type": "string"],
                ]
            ]
        }
        var responses = JSONObject([
            ("200", Self.response("Successful Response", schema: answer))
        ])
        let isOpenAI = path.hasPrefix(openAIPrefix)
        if isOpenAI, body != nil || Self.parameter(of: path) != nil {
            responses["4XX"] = Self.response(
                "The request is wrong, or there is too much to do", schema: "OpenAIError")
            responses["5XX"] = Self.response(
                "No model is loaded, or a fault of the service", schema: "OpenAIError")
        }
        if let body {
            operation["requestBody"] = [
                "content": Self.content(body.contentType, schema: body.schema), "required": true,
            ]
            if !isOpenAI {
                responses["422"] = Self.response(
                    "Validation Error", schema: "HTTPValidationError")
            }
        }
        operation["responses"] = .object(responses)
        return .object(operation)
    }

    /// The name in the place that `path` leaves open; nil if it has none.
    private static func parameter(of path: String) -> String? {
        path.hasSuffix("}")
            ? path.lastIndex(of: "{").map { String(path[path.index(after: $0)...].dropLast()) }
            : nil
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
