internal import JSON

/// `GET /`: a word of welcome.
enum RootEndpoint {
    static func respond() -> Response {
        .json(status: 200, ["message": "歡迎使用嵌入向量去噪 API"])
    }
}
