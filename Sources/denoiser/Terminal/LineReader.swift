import Glibc
import System

/// The lines of a file, a pipe or a terminal, read in pieces; they end as in `TextLines`.
///
/// A line is there as soon as its end is, so its writer gets an answer to it.
final class LineReader {
    /// What stands next.
    enum Step {
        /// A line's place in `bytes`, without its end; it holds until the next step.
        case line(Range<Int>)
        /// No whole line can be read without waiting for more.
        case nothingYet
        case end
    }

    /// The longest line in bytes; a longer one is no text.
    static let longestLine = 64 << 20

    /// What was read and is not done with.
    private(set) var bytes: [UInt8] = []

    /// The lines so far.
    private(set) var number = 0

    /// The first two bytes of all.
    private(set) var beginning: [UInt8] = []

    /// How messages name it.
    let name: String

    private let descriptor: Int32
    private let isOwned: Bool
    /// The first byte of the next line.
    private var start = 0
    /// No byte from `start` up to here ends a line.
    private var searched = 0
    /// A line ended with CR; LF right behind belongs to its end.
    private var skipsLineFeed = false
    private var isAtEnd = false

    /// Reads from the position of `descriptor` on.
    ///
    /// - Parameter isOwned: whether the descriptor is closed in the end.
    init(_ descriptor: Int32, name: String, isOwned: Bool = false) {
        self.descriptor = descriptor
        self.name = name
        self.isOwned = isOwned
    }

    deinit { if isOwned { close(descriptor) } }

    /// Finds the next line.
    ///
    /// - Parameter isPatient: whether it is waited for.
    /// - Throws: if reading fails, or the line is too long.
    func next(waiting isPatient: Bool) throws(CommandFailure) -> Step {
        while true {
            if skipsLineFeed, start < bytes.count {
                if bytes[start] == lineFeed { start += 1 }
                skipsLineFeed = false
            }
            if let end = bytes[max(start, searched)...].firstIndex(where: isLineEnd) {
                skipsLineFeed = bytes[end] == carriageReturn
                return taken(upTo: end, andEnd: 1)
            }
            if isAtEnd { return start < bytes.count ? taken(upTo: bytes.count, andEnd: 0) : .end }
            guard bytes.count - start <= Self.longestLine else {
                throw .data(
                    "\(name), line \(number + 1): longer than \(Self.longestLine >> 20) MiB; "
                        + "a text is a line")
            }
            guard isPatient || isReadable() else { return .nothingYet }
            try readPiece()
        }
    }

    /// What comes next, in one piece as it is read; nil at the end.
    func piece() throws(CommandFailure) -> [UInt8]? {
        start = bytes.count
        try readPiece()
        return isAtEnd ? nil : bytes
    }

    private func taken(upTo end: Int, andEnd length: Int) -> Step {
        let line = start..<end
        start = end + length
        searched = start
        number += 1
        return .line(line)
    }

    private func readPiece() throws(CommandFailure) {
        bytes.removeSubrange(..<start)
        start = 0
        searched = bytes.count
        while true {
            var count = 0
            bytes.append(addingCapacity: Self.piece) { room in
                unsafe room.withUnsafeMutableBufferPointer { buffer, filled in
                    count = unsafe read(descriptor, buffer.baseAddress, Self.piece)
                    filled = max(count, 0)
                }
            }
            if count >= 0 {
                isAtEnd = count == 0
                if beginning.count < 2 {
                    beginning += bytes.dropFirst(searched).prefix(2 - beginning.count)
                }
                return
            }
            switch errno {
            case EINTR: continue
            // Another process made what is shared with it not block.
            case EAGAIN: _ = isReadable(before: -1)
            default: throw .system("cannot read \(name)", errno)
            }
        }
    }

    /// Whether a read would return at once.
    ///
    /// - Parameter milliseconds: how long that is waited for; -1 for ever.
    private func isReadable(before milliseconds: Int32 = 0) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// As much as a pipe holds.
    private static let piece = 1 << 16
}

private func isLineEnd(_ byte: UInt8) -> Bool { byte == lineFeed || byte == carriageReturn }

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
