/// What one request may ask for at most; the values are defaults, and each has an option.
public struct Limits: Sendable, Equatable {
    /// Bytes in the body of any request but an upload.
    public var bodyBytes = 16 << 20

    /// Bytes in the body of an upload: 64 MiB of text and what a form adds.
    public var uploadBytes = 64 << 20 + 64 << 10

    /// Texts in one request.
    public var texts = 2_048

    /// Embedding rows in one request: as many as a body holds at Python's 20 characters a number.
    public var rows = 2_048

    /// Depth of nested arrays and objects.
    ///
    /// CPython 3.11's recursion limit leaves `json.loads` this depth below the command `uvicorn`.
    public var jsonDepth = 961

    /// Lines in a training upload; training takes 1.5 KB for each.
    public var trainingLines = 40_000

    /// Errors listed in one answer; FastAPI lists all, 100 bytes of answer for 3 bytes of request.
    public var issues = 1_000

    /// Bytes of the request that errors quote; FastAPI quotes all, some at five times their length.
    public var quotedBytes = 256 << 10

    /// What a form may hold.
    public var form = FormLimits()

    public init() {}
}

/// What a form may hold at most, by default as in Starlette 1.10 and python-multipart 0.0.34.
public struct FormLimits: Sendable, Equatable {
    /// Parts with a file name.
    public var files = 1000

    /// Parts without a file name, or URL-encoded fields.
    public var fields = 1000

    /// Bytes in a part without a file name, or in name and value of a URL-encoded field.
    public var fieldBytes = 1024 * 1024

    /// Header lines in a part.
    public var headers = 8

    /// Bytes in a header line with colon and spaces, without its end.
    public var headerBytes = 4096 + 128

    /// Bytes in a boundary.
    public var boundaryBytes = 256

    public init() {}
}
