internal import System
internal import Inference

/// What came as a JSON route's body.
enum JSONBody {
    /// Nothing at all.
    case empty
    /// Bytes that the content type calls JSON.
    case json([UInt8])
    /// Bytes under another content type or none, which FastAPI takes for one string.
    case other([UInt8])

    /// Reads a body to its end.
    ///
    /// - Throws: the answer where there is nothing to look at: too long, cut short, or no text.
    static func read(
        from source: inout some BodySource & ~Copyable, of request: Request, limit: Int
    ) throws(Refusal) -> JSONBody {
        if let length = source.declaredLength, length > limit {
            throw .tooLong(length, limit: limit)
        }
        let expected = source.declaredLength ?? limit
        do {
            try request.memory?.admitBody(expected, for: request.caller)
        } catch {
            throw Refusal(error)
        }
        var bytes: [UInt8] = []
        // Growing a full array would hold it twice; memory that no byte reaches costs nothing.
        bytes.reserveCapacity(expected)
        do {
            while try source.read(upTo: 256 << 10, into: &bytes) > 0, bytes.count <= limit {}
        } catch {
            throw Refusal(error)
        }
        if bytes.count > limit { throw .tooLong(bytes.count, limit: limit) }
        guard !bytes.isEmpty else { return .empty }
        if let deadline = request.caller.deadline, deadline <= .now { throw Refusal(.tooLate) }
        do {
            try request.memory?.admitParsing(bytes.count, for: request.caller)
        } catch {
            throw Refusal(error)
        }
        return isJSON(contentType: request.headers["content-type"] ?? "")
            ? .json(bytes) : .other(bytes)
    }

    /// Why a body is not looked at.
    struct Refusal: Error {
        let response: Response

        init(response: Response) { self.response = response }

        init(_ error: BodyError) { response = .failure(error) }

        /// Bytes, or JSON, that FastAPI fails on without saying why.
        static var unreadable: Refusal {
            Refusal(response: .detail(status: 400, "There was an error parsing the body"))
        }

        static func tooLong(_ length: Int, limit: Int) -> Refusal {
            Refusal(response: .tooLong(length, limit: limit))
        }
    }
}

extension Request {
    /// Makes room for an answer of `rows` rows.
    func admitAnswer(rows: Int) throws(JSONBody.Refusal) {
        do {
            try memory?.admitAnswer(rows: rows, for: caller)
        } catch {
            throw JSONBody.Refusal(error)
        }
    }

    /// Looks whether somebody still waits for an answer of `rows` rows, if they take a while.
    func expectCaller(rows: Int) throws(JSONBody.Refusal) {
        if rows > Limits.freeRows, caller.hasLeft() { throw JSONBody.Refusal(.callerLeft) }
    }
}

/// Whether FastAPI reads a body of this type as JSON: `application/json` or `application/…+json`.
///
/// As Python's `email` package takes a content type apart: what stands before the first ";",
/// without space around it, in lower case, with exactly one "/".
func isJSON(contentType: String) -> Bool {
    // As nearly every client spells it.
    if contentType.utf8.elementsEqual("application/json".utf8) { return true }
    var scalars = contentType.unicodeScalars.prefix { $0 != ";" }
    while let first = scalars.first, PythonText.isSpace(first.value) { scalars.removeFirst() }
    while let last = scalars.last, PythonText.isSpace(last.value) { scalars.removeLast() }
    // No capital beyond ASCII has a small letter of these names.
    let type = Substring(scalars).utf8.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
    let parts = type.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].elementsEqual("application".utf8) else { return false }
    return parts[1].elementsEqual("json".utf8) || parts[1].suffix(5).elementsEqual("+json".utf8)
}
