internal import System

/// The bearer keys (RFC 6750) that let clients use or train the service.
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

    /// A line of the file that cannot be used; its description never holds the key.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// The line's number, from 1.
        public let line: Int
        /// What is wrong and what is right.
        public let reason: String

        public var description: String { "line \(line): \(reason)" }
    }

    private var keys: [(right: Right, digest: [UInt8])] = []

    /// Characters of the shortest key: 16 random ones cannot be guessed.
    private static let shortest = 16

    /// Reads lines of `use KEY` or `train KEY`; blank lines and lines that begin with `#` are
    /// ignored.
    ///
    /// - Throws: the first wrong line; line 0 if there is no key at all.
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

    /// What `key` allows; the time this takes tells nothing about any key.
    private func right(of key: String) -> Right? {
        let digest = SHA256.digest(of: Array(key.utf8))
        var found: Right?
        for (right, known) in keys {
            var difference: UInt8 = 0
            for i in known.indices { difference |= known[i] ^ digest[i] }
            // No loop ends early. A key that may train may also use the service.
            if difference == 0, found != .train { found = right }
        }
        return found
    }

    private static func unauthenticated(_ text: String) -> APIError {
        APIError(.unauthenticated, text, headers: [("www-authenticate", "Bearer")])
    }
}
