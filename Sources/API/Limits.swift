/// How much one request may ask for; every bound has a default and an option.
public struct Limits: Sendable, Equatable {
    /// Bytes in the body of any route but the upload.
    public var bodyBytes = 16 << 20

    /// Bytes in the body of an upload, with its multipart framing.
    public var uploadBytes = 64 << 20

    /// Texts in one request.
    public var texts = 2_048

    /// Embedding rows in one request.
    public var rows = 65_536

    /// Arrays and objects within each other: what CPython's recursion limit leaves `json.loads` below uvicorn.
    public var jsonDepth = 960

    /// Lines in a training upload.
    public var trainingLines = 1_000_000

    /// Errors listed in one answer; FastAPI lists all, at 100 bytes of answer for 3 of request.
    public var issues = 65_536

    public init() {}
}
