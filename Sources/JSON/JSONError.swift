/// Why a text is not JSON, in Python's words.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Python's message, such as "Expecting value".
    public let message: String

    /// Where, counted in characters (Unicode scalars) from 0.
    public let position: Int

    public init(message: String, position: Int) {
        self.message = message
        self.position = position
    }

    public var description: String { "\(message): char \(position)" }
}
