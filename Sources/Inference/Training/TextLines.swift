/// Where the lines of a text stand, without their ends.
///
/// A line ends with LF, with CR LF or with CR alone, as old Mac tools and some spreadsheets write
/// it. Other line ends of Unicode stay part of a line. What follows the last end is a line unless
/// it is empty.
public struct TextLines: Sequence, Sendable {
    private let text: [UInt8]

    /// The lines of UTF-8 `text`.
    public init(of text: [UInt8]) { self.text = text }

    public func makeIterator() -> Iterator { Iterator(text: text) }

    /// Finds one line after the other.
    public struct Iterator: IteratorProtocol, Sendable {
        fileprivate let text: [UInt8]
        private var start = 0

        fileprivate init(text: [UInt8]) { self.text = text }

        public mutating func next() -> Range<Int>? {
            guard start < text.count else { return nil }
            let end = text[start...].firstIndex { $0 == lineFeed || $0 == carriageReturn }
            let line = start..<(end ?? text.count)
            let isPair =
                line.upperBound + 1 < text.count && text[line.upperBound] == carriageReturn
                && text[line.upperBound + 1] == lineFeed
            start = line.upperBound + (isPair ? 2 : 1)
            return line
        }
    }

    /// The number of the line, from 1, that the byte at `offset` of `text` stands in.
    public static func number(ofLineAt offset: Int, in text: [UInt8]) -> Int {
        var number = 1
        for place in 0..<offset {
            let isPairsFirst =
                text[place] == carriageReturn && place + 1 < text.count
                && text[place + 1] == lineFeed
            if text[place] == lineFeed || text[place] == carriageReturn, !isPairsFirst {
                number += 1
            }
        }
        return number
    }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
