/// How much a form may hold; the defaults are those of Starlette 1.10 and python-multipart 0.0.34.
public struct FormLimits: Sendable, Equatable {
    /// Parts with a file name.
    public var files = 1000

    /// Parts without a file name, or URL-encoded fields.
    public var fields = 1000

    /// Bytes in a part without a file name; bytes of name and value of a URL-encoded field.
    public var fieldBytes = 1024 * 1024

    /// Header lines in a part.
    public var headers = 8

    /// Bytes in a header line, colon and spaces counted, line end not.
    public var headerBytes = 4096 + 128

    /// Bytes in a boundary.
    public var boundaryBytes = 256

    public init() {}
}
