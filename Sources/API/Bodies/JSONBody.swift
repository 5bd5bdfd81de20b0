internal import Inference
internal import JSON
internal import System

/// The body of a request to a JSON route.
enum JSONBody {
    /// Nothing at all.
    case empty
    /// Bytes that the content type calls JSON.
    case json([UInt8])
    /// Bytes under another content type or none, which FastAPI reads as one string.
    case other([UInt8])

    /// Reads a body to its end.
    ///
    /// - Throws: why there is nothing to look at: the body is too long or cut short.
    static func read(
        from source: inout some BodySource & ~Copyable, of request: Request, limit: Int
    ) throws(APIError) -> JSONBody {
        if let length = source.declaredLength, length > limit {
            throw .tooLong(length, limit: limit)
        }
        let bytes: [UInt8]
        do throws(BodyError) {
            bytes = try readBytes(from: &source, of: request, limit: limit)
        } catch {
            throw APIError(error)
        }
        if bytes.count > limit { throw .tooLong(bytes.count, limit: limit) }
        guard !bytes.isEmpty else { return .empty }
        if let deadline = request.caller.deadline, deadline <= .now { throw .late }
        do throws(BodyError) {
            try request.memory?.admitParsing(bytes.count, for: request.caller)
        } catch {
            throw APIError(error)
        }
        return isJSON(contentType: request.headers["content-type"] ?? "")
            ? .json(bytes) : .other(bytes)
    }

    /// The body's bytes; more than `limit` if the body is too long.
    private static func readBytes(
        from source: inout some BodySource & ~Copyable, of request: Request, limit: Int
    ) throws(BodyError) -> [UInt8] {
        let expected = source.declaredLength ?? limit
        try request.memory?.admitBody(expected, for: request.caller)
        var bytes: [UInt8] = []
        // A full array that grows is held twice. Reserved memory that no byte reaches costs
        // nothing.
        bytes.reserveCapacity(expected)
        while try source.read(upTo: 256 << 10, into: &bytes) > 0, bytes.count <= limit {}
        return bytes
    }
}

extension JSONBody {
    /// Bytes of the body.
    var count: Int {
        switch self {
        case .empty: 0
        case .json(let bytes), .other(let bytes): bytes.count
        }
    }

    /// The body's characters; nil if it is not called JSON, which goes into `issues`.
    ///
    /// - Throws: the error of a body in no known encoding.
    func text(_ issues: inout RequestIssues) throws(APIError) -> JSONText? {
        switch self {
        case .empty:
            issues.shared.add(.missing, at: ["body"])
        case .other(let bytes):
            issues.shared.add(.notAnObject, at: ["body"], size: bytes.count) {
                appendJSON(String(decoding: bytes, as: UTF8.self), to: &$0)
            }
        case .json(let bytes):
            do { return try JSONText(decoding: bytes) } catch { throw .unreadable }
        }
        return nil
    }
}

extension JSONText {
    /// The document; nil if it is no object, which goes into `issues`.
    ///
    /// - Throws: the error of a text that is not JSON.
    func object(
        _ limits: Limits, _ issues: inout RequestIssues
    ) throws(APIError) -> JSONTree? {
        let tree: JSONTree
        do throws(JSONError) { tree = try JSONTree(self, depth: limits.jsonDepth) } catch {
            guard error.cause == .syntax else { throw .unreadable }
            var issue = ValidationIssue(
                type: .invalidJSON(error.message), location: ["body", .index(error.position)])
            issue.input = Array("{}".utf8)
            throw APIError([issue])
        }
        if case .object = tree.kind(of: tree.root) { return tree }
        issues.shared.add(.notAnObject, at: ["body"], size: tree.length(of: tree.root)) {
            tree.write(tree.root, into: &$0)
        }
        return nil
    }
}

extension Request {
    /// Reserves memory for an answer of `rows` rows.
    func admitAnswer(rows: Int) throws(APIError) {
        do throws(BodyError) {
            try memory?.admitAnswer(rows: rows, for: caller)
        } catch {
            throw APIError(error)
        }
    }

    /// Checks that the client still waits for an answer of `rows` rows, if they take a while.
    func expectCaller(rows: Int) throws(APIError) {
        if rows > Limits.freeRows, caller.hasLeft() { throw .left }
    }
}

/// Whether FastAPI reads a body of this type as JSON: `application/json` or `application/…+json`.
///
/// Python's `email` package reads a content type so: the text before the first ";", without space
/// around it, in lower case, with exactly one "/".
func isJSON(contentType: String) -> Bool {
    // Nearly every client spells it so.
    if contentType.utf8.elementsEqual("application/json".utf8) { return true }
    var scalars = contentType.unicodeScalars.prefix { $0 != ";" }
    while let first = scalars.first, PythonText.isSpace(first.value) { scalars.removeFirst() }
    while let last = scalars.last, PythonText.isSpace(last.value) { scalars.removeLast() }
    // No capital beyond ASCII has a small letter of these names.
    let type = Substring(scalars).utf8.map(\.lowercased)
    let parts = type.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].elementsEqual("application".utf8) else { return false }
    return parts[1].elementsEqual("json".utf8) || parts[1].suffix(5).elementsEqual("+json".utf8)
}
