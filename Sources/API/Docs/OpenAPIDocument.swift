internal import JSON

/// `GET /openapi.json`: the document that FastAPI makes of the original application.
struct OpenAPIEndpoint: Endpoint {
    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        .json(
            status: 200, pieces: [OpenAPIDocument.printed(belowMountPoint: request.rootPath)])
    }
}

/// The OpenAPI document, made of the descriptions of `Route.all`.
///
/// Paths and schemas are FastAPI's, except for the `format` of an upload's file. What FastAPI
/// leaves undocumented is listed under `components.responses`: every route with a body may answer
/// so.
enum OpenAPIDocument {
    /// The document below a mount point, which is listed under `servers`; "" is the root.
    static func printed(belowMountPoint rootPath: String) -> [UInt8] {
        guard !rootPath.isEmpty else { return printed }
        var bytes = Array(printed.dropLast())
        bytes.append(contentsOf: #","servers":"#.utf8)
        JSONValue.array([["url": .string(rootPath)]]).write(into: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The document without white space, as FastAPI prints it.
    private static let printed: [UInt8] = {
        var text = #"{"openapi":"3.1.0","info":"#
        text += info.text + #","paths":"# + paths.text
        text += #","components":{"responses":"# + responses.text + #","schemas":{"#
        text += schemas.map { "\"\($0.name)\":\($0.text)" }.joined(separator: ",") + "}}}"
        var bytes: [UInt8] = []
        do {
            let tree = try JSONTree(JSONText(decoding: Array(text.utf8)), depth: 64)
            tree.write(tree.root, into: &bytes)
        } catch {
            preconditionFailure("the document is not JSON: \(error)")
        }
        return bytes
    }()

    private static let info: JSONValue = [
        "title": "嵌入向量去噪 API", "description": "使用自動編碼器對文本嵌入向量進行去噪",
        "version": .string(productVersion),
    ]

    private static var paths: JSONValue {
        .object(
            JSONObject(
                Route.all.compactMap { route in
                    guard let operation = route.description?.operation(at: route.path) else {
                        return nil
                    }
                    let method = route.methods.first ?? "GET"
                    return (route.path, .object(JSONObject([(method.lowercased(), operation)])))
                }))
    }

    private static let responses: JSONValue = [
        "400": RouteDescription.response(
            "The body is no JSON text in UTF-8, UTF-16 or UTF-32, or no form",
            schema: "HTTPError"),
        "413": RouteDescription.response("The body is longer than the limit", schema: "HTTPError"),
        "500": RouteDescription.response("A fault of the service", schema: "HTTPError"),
        "503": RouteDescription.response(
            "No model is loaded, or the service is busy: Retry-After says for how long",
            schema: "HTTPError"),
    ]

    /// The schemas of all routes and those of errors, each once, by name as in FastAPI's document.
    private static var schemas: [Schema] {
        var schemas: [String: Schema] = [:]
        for schema in errors + Route.all.flatMap({ $0.description?.schemas ?? [] }) {
            schemas[schema.name] = schema
        }
        return schemas.values.sorted { $0.name < $1.name }
    }

    private static let errors = [
        Schema(
            name: "OpenAIError",
            text: #"""
                {
                  "properties": {
                    "error": {
                      "properties": {
                        "message": {"type": "string", "title": "Message"},
                        "type": {"type": "string", "title": "Type"},
                        "param": {"type": ["string", "null"], "title": "Param"},
                        "code": {"type": ["string", "null"], "title": "Code"}
                      },
                      "type": "object",
                      "required": ["message", "type", "param", "code"],
                      "title": "Error"
                    }
                  },
                  "type": "object",
                  "required": ["error"],
                  "title": "OpenAIError"
                }
                """#),
        Schema(
            name: "HTTPError",
            text: #"""
                {
                  "properties": {"detail": {"type": "string", "title": "Detail"}},
                  "type": "object",
                  "required": ["detail"],
                  "title": "HTTPError"
                }
                """#),
        Schema(
            name: "HTTPValidationError",
            text: #"""
                {
                  "properties": {
                    "detail": {
                      "items": {"$ref": "#/components/schemas/ValidationError"},
                      "type": "array",
                      "title": "Detail"
                    }
                  },
                  "type": "object",
                  "title": "HTTPValidationError"
                }
                """#),
        Schema(
            name: "ValidationError",
            text: #"""
                {
                  "properties": {
                    "loc": {
                      "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                      "type": "array",
                      "title": "Location"
                    },
                    "msg": {"type": "string", "title": "Message"},
                    "type": {"type": "string", "title": "Error Type"},
                    "input": {"title": "Input"},
                    "ctx": {"type": "object", "title": "Context"}
                  },
                  "type": "object",
                  "required": ["loc", "msg", "type"],
                  "title": "ValidationError"
                }
                """#),
    ]
}
