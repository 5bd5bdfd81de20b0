internal import JSON

extension ErrorRendering {
    /// OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.
    ///
    /// Its clients try again after 429, for as long as `Retry-After` and `retry-after-ms` say, but
    /// never after 400. So overload is 429, and a request that is too large for its time is 400.
    static let openAI = ErrorRendering { error in
        let status = openAIStatus(of: error)
        let text: String
        var parameter = error.parameter
        switch error.detail {
        case .text(let detail): text = error.english ?? detail
        case .issues(let issues):
            text = issues.first?.type.message ?? "the request is invalid"
            if case .name(let name)? = issues.first?.location.last { parameter = name }
        }
        let body: JSONValue = [
            "error": [
                "message": .string(text), "type": .string(openAIType(of: status)),
                "param": parameter.map { .string($0) } ?? .null,
                "code": (error.code ?? openAICode(of: status)).map { .string($0) } ?? .null,
            ]
        ]
        return (status, [body.bytes])
    } headers: { error in
        guard openAIStatus(of: error) == 429,
            let seconds = error.headers.first(where: { $0.name == "retry-after" })?.value
        else { return error.headers }
        return error.headers + [("retry-after-ms", seconds + "000")]
    }

    private static func openAIStatus(of error: APIError) -> Int {
        switch error.kind {
        case .unavailable where error.isLasting: 400
        case .unavailable where error.unserved != nil: 429
        case .invalid: 400
        default: error.kind.rawValue
        }
    }

    private static func openAIType(of status: Int) -> String {
        switch status {
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    private static func openAICode(of status: Int) -> String? {
        switch status {
        case 401: "invalid_api_key"
        case 403: "permission_denied"
        case 404: "not_found"
        case 405: "method_not_allowed"
        case 413: "request_too_large"
        case 429: "rate_limit_exceeded"
        default: nil
        }
    }
}
