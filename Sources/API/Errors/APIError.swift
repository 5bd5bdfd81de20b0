/// Why a request has no result: a value until an `ErrorRendering` makes a response of it.
public struct APIError: Error {
    /// What went wrong; the raw value is the HTTP status.
    public enum Kind: Int, Sendable {
        case malformed = 400
        case unauthenticated = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case tooLarge = 413
        case invalid = 422
        /// nginx logs a client that left with this status.
        case callerLeft = 499
        case failed = 500
        case unavailable = 503
    }

    /// What a client reads.
    enum Detail: Equatable, Sendable {
        /// A sentence.
        case text(String)
        /// What is wrong with the request's values.
        case issues([ValidationIssue])
    }

    /// What went wrong.
    let kind: Kind

    /// What a client reads.
    let detail: Detail

    /// Header fields of the response, in order.
    var headers: [(name: String, value: String)] = []

    /// The sentence in English; nil if `detail` is in English already.
    var english: String?

    /// The member of the body that is wrong, such as "input"; nil if no single one is.
    var parameter: String?

    /// The cause in a word for programs, such as "model_not_found"; nil if its kind says it all.
    var code: String?

    /// Whether the same request would fail again, however idle the service is.
    var isLasting = false

    /// Why nothing was computed for lack of time; nil for every other reason.
    var unserved: Response.Unserved?

    /// An error that a sentence tells.
    public init(_ kind: Kind, _ text: String, headers: [(name: String, value: String)] = []) {
        self.kind = kind
        detail = .text(text)
        self.headers = headers
    }

    /// An error in the request's values.
    init(_ issues: [ValidationIssue]) {
        kind = .invalid
        detail = .issues(issues)
    }
}
