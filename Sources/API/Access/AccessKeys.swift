internal import ModelFiles

/// Who may use the service and who may train it, by bearer keys (RFC 6750).
///
/// Only digests of the keys are kept.
public struct AccessKeys: Sendable {
    /// What a key allows.
    enum Right: String, Sendable {
        /// The denoise routes.
        case use
        /// Those and the upload.
        case train
    }

    /// A line of the file that cannot be used; the text does not hold the key.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// From 1.
        public let line: Int
        /// What is wrong and what is right.
        public let reason: String

        public var description: String { "line \(line): \(reason)" }
    }

    private var keys: [(right: Right, digest: [UInt8])] = []

    /// The shortest key: 16 random characters cannot be guessed.
    private static let shortest = 16

    /// Reads lines of `use KEY` or `train KEY`; blank lines and lines that begin with `#` say nothing.
    ///
    /// - Throws: the first line that is wrong; line 0 where there is no key at all.
    public init(parsing text: String) throws(Fault) {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            func fault(_ reason: String) -> Fault { Fault(line: index + 1, reason: reason) }
            guard words.count == 2, let right = Right(rawValue: String(first)) else {
                throw fault("not `use KEY` or `train KEY`")
            }
            let key = Array(words[1].utf8)
            guard key.count >= Self.shortest else {
                throw fault("the key has \(key.count) characters; give it \(Self.shortest) or more")
            }
            guard key.allSatisfy({ 0x21...0x7E ~= $0 }) else {
                throw fault("the key holds something else than printable ASCII characters")
            }
            keys.append((right, SHA256.digest(of: key)))
        }
        guard !keys.isEmpty else { throw Fault(line: 0, reason: "no key; write `use KEY`") }
    }

    /// Checks that a request has a key that allows `right`.
    ///
    /// - Throws: the error of FastAPI's `HTTPBearer` if it has none.
    func check(_ headers: any HeaderFields, for right: Right) throws(APIError) {
        guard let given = headers["authorization"] else {
            throw Self.unauthenticated("Not authenticated")
        }
        let parts = given.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Self.unauthenticated("Not authenticated")
        }
        guard let found = self.right(of: String(parts[1].drop { $0 == " " })) else {
            throw Self.unauthenticated("Invalid authentication credentials")
        }
        guard right == .use || found == .train else {
            throw APIError(
                .forbidden, "This key may not train",
                headers: [("www-authenticate", #"Bearer error="insufficient_scope""#)])
        }
    }

    /// What `key` allows, in a time that says nothing of any key.
    private func right(of key: String) -> Right? {
        let digest = SHA256.digest(of: Array(key.utf8))
        var found: Right?
        for (right, known) in keys {
            var difference: UInt8 = 0
            for i in known.indices { difference |= known[i] ^ digest[i] }
            // All keys are looked at, and each from end to end; a key that may train is one that may use.
            if difference == 0, found != .train { found = right }
        }
        return found
    }

    private static func unauthenticated(_ text: String) -> APIError {
        APIError(.unauthenticated, text, headers: [("www-authenticate", "Bearer")])
    }
}
