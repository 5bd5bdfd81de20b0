/// Why a text is not JSON, in Python's words.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What kind of fault it is; FastAPI answers only the first in detail.
    public enum Cause: Sendable {
        /// The grammar is broken: Python's `JSONDecodeError`.
        case syntax
        /// The bytes are not valid in the encoding that they seem to have.
        case encoding
        /// Arrays and objects are nested too deep.
        case depth
        /// An integer has more digits than Python converts.
        case digits
        /// Python accepts it, but json-c cannot represent it.
        case unsupported
    }

    /// Python's message, such as "Expecting value".
    public let message: String

    /// The place, in characters (Unicode scalars) from 0.
    public let position: Int

    /// What kind of fault it is.
    public let cause: Cause

    public init(message: String, position: Int, cause: Cause = .syntax) {
        self.message = message
        self.position = position
        self.cause = cause
    }

    public var description: String { "\(message): char \(position)" }
}
