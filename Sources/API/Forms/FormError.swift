/// Why a form was refused, by Starlette's and FastAPI's rules.
enum FormError: Error, Equatable {
    /// The bytes are no multipart body under the announced boundary.
    case malformed
    /// The content type names no boundary.
    case missingBoundary
    /// A part names no field.
    case missingName
    /// More parts with a file name than allowed.
    case tooManyFiles(limit: Int)
    /// More parts without a file name, or more URL-encoded fields, than allowed.
    case tooManyFields(limit: Int)
    /// A part without a file name is longer than the `limit` bytes allowed.
    case partTooLarge(limit: Int)
    /// A URL-encoded field is longer than the `limit` bytes allowed.
    case fieldTooLarge(limit: Int)
    /// The body has, or has reached, `length` bytes, more than the server takes.
    case bodyTooLarge(length: Int, limit: Int)
    /// The body did not come whole.
    case body(BodyError)

}

extension APIError {
    /// The error that FastAPI answers with.
    init(_ error: FormError) {
        func malformed(_ text: String) -> APIError { APIError(.malformed, text) }
        self =
            switch error {
            case .malformed: malformed("Invalid multipart data.")
            case .missingBoundary: malformed("Missing boundary in multipart.")
            case .missingName:
                malformed("The Content-Disposition header field \"name\" must be provided.")
            case .tooManyFiles(let limit):
                malformed("Too many files. Maximum number of files is \(limit).")
            case .tooManyFields(let limit):
                malformed("Too many fields. Maximum number of fields is \(limit).")
            case .partTooLarge(let limit):
                malformed("Part exceeded maximum size of \(limit / 1024)KB.")
            case .fieldTooLarge(let limit):
                malformed("Field exceeded maximum size of \(limit / 1024)KB.")
            case .bodyTooLarge(let length, let limit): .tooLong(length, limit: limit)
            case .body(let error): APIError(error)
            }
    }
}
