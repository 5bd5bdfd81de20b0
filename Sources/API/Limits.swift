/// How much one request may ask for; every bound has a default and an option.
public struct Limits: Sendable, Equatable {
    /// Bytes in the body of any route but the upload.
    public var bodyBytes = 16 << 20

    /// Bytes in the body of an upload: 64 MiB of text and what a form puts around it.
    public var uploadBytes = 64 << 20 + 64 << 10

    /// Texts in one request.
    public var texts = 2_048

    /// Embedding rows in one request; at Python's 20 characters a number, as many as a body holds.
    public var rows = 2_048

    /// Arrays and objects within each other: what CPython 3.11's recursion limit leaves
    /// `json.loads` below the command `uvicorn`.
    public var jsonDepth = 961

    /// Lines in a training upload, each of which takes 1.5 KB while it is trained on.
    public var trainingLines = 40_000

    /// Errors listed in one answer; FastAPI lists all, at 100 bytes of answer for 3 of request.
    public var issues = 1_000

    /// Bytes of the request that errors quote; FastAPI quotes all, some of it at five times its length.
    public var quotedBytes = 256 << 10

    /// Parts and headers of a form.
    public var form = FormLimits()

    public init() {}
}
