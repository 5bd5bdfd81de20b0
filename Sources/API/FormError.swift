/// Why a form was refused, in the words Starlette and FastAPI answer with.
enum FormError: Error, Equatable {
    /// The bytes are no multipart body under the announced boundary.
    case malformed
    /// The content type names no boundary.
    case missingBoundary
    /// A part says no field name.
    case missingName
    /// More parts with a file name than allowed.
    case tooManyFiles
    /// More parts without a file name, or more URL-encoded fields, than allowed.
    case tooManyFields
    /// A part without a file name is longer than allowed.
    case partTooLarge
    /// A URL-encoded field is longer than allowed.
    case fieldTooLarge
    /// The whole body's `length`, as far as known, is more than the `limit` bytes the server takes.
    case bodyTooLarge(length: Int, limit: Int)
    /// The body ended early or its connection failed.
    case unreadable

    /// The HTTP status FastAPI gives it.
    var status: Int {
        if case .bodyTooLarge = self { 413 } else { 400 }
    }

    /// The text of `{"detail": …}`.
    var detail: String {
        switch self {
        case .malformed: "Invalid multipart data."
        case .missingBoundary: "Missing boundary in multipart."
        case .missingName: "The Content-Disposition header field \"name\" must be provided."
        case .tooManyFiles:
            "Too many files. Maximum number of files is \(FormLimits.files)."
        case .tooManyFields:
            "Too many fields. Maximum number of fields is \(FormLimits.fields)."
        case .partTooLarge: "Part exceeded maximum size of \(FormLimits.fieldBytes / 1024)KB."
        case .fieldTooLarge: "Field exceeded maximum size of \(FormLimits.fieldBytes / 1024)KB."
        case .bodyTooLarge(let length, let limit):
            "Request body too large: \(length) bytes, at most \(limit)"
        case .unreadable: "There was an error parsing the body"
        }
    }
}

/// What Starlette 1.10 and python-multipart 0.0.34 allow in a form unless told otherwise.
enum FormLimits {
    /// Parts with a file name.
    static let files = 1000
    /// Parts without a file name, or URL-encoded fields.
    static let fields = 1000
    /// Bytes in a part without a file name; bytes of name and value of a URL-encoded field.
    static let fieldBytes = 1024 * 1024
    /// Header lines in a part.
    static let headers = 8
    /// Bytes in a header line, colon and spaces counted, line end not.
    static let headerBytes = 4096 + 128
    /// Bytes in a boundary.
    static let boundaryBytes = 256
}
