import Glibc

/// The records of an answer that is being sent.
///
/// The content stays in the answer's pieces and is sent from there, without a copy. A piece is
/// released with its last record.
struct OutgoingRecords {
    /// One record or several: the bytes before the content, and the content.
    private struct Part {
        let head: [UInt8]
        let content: ArraySlice<UInt8>
        /// Unused capacity of the content's piece.
        var spare = 0

        var count: Int { head.count + content.count }
    }

    private var parts: [Part] = []
    /// Bytes of the first part that are sent already.
    private var sentCount = 0

    var isEmpty: Bool { parts.isEmpty }

    /// Bytes of memory held: the unsent ones, the sent ones of the current piece, and unused
    /// capacity.
    var heldCount: Int {
        parts.reduce(parts.first?.content.startIndex ?? 0) { $0 + $1.count + $1.spare }
    }

    /// Compacts: copies the unsent bytes as soon as more other bytes are held than unsent ones.
    ///
    /// Not after every portion, which would copy a long rest again and again.
    mutating func trim() {
        let rest = parts.reduce(-sentCount) { $0 + $1.count }
        guard heldCount > 2 * rest else { return }
        parts = parts.map { part in
            defer { sentCount = 0 }
            let head = part.head.dropFirst(sentCount)
            let content = part.content.dropFirst(max(0, sentCount - part.head.count))
            return Part(head: Array(head), content: Array(content)[...])
        }
    }

    /// All unsent bytes, joined.
    var bytes: [UInt8] {
        Array(parts.flatMap { $0.head + $0.content }.dropFirst(sentCount))
    }

    /// Adds the standard output of request `id`, which is `head` and then `pieces`, and its end.
    mutating func append(id: UInt16, head: [UInt8], pieces: [[UInt8]]) {
        let most = [UInt8].recordContentLimit
        var rest = head[...]
        // For a head larger than a record; no answer of the service has one.
        while rest.count > most {
            append(id: id, rest.prefix(most), [])
            rest = rest.dropFirst(most)
        }
        for piece in pieces {
            var content = piece[...]
            while !content.isEmpty {
                let part = content.prefix(most - rest.count)
                append(id: id, rest, part)
                content = content.dropFirst(part.count)
                rest = []
            }
            if !piece.isEmpty { parts[parts.count - 1].spare = piece.capacity - piece.count }
        }
        if !rest.isEmpty { append(id: id, rest, []) }
        var end: [UInt8] = []
        end.appendHeader(.standardOutput, id: id, length: 0)
        end.appendEndRequest(id: id, .complete)
        parts.append(Part(head: end, content: []))
    }

    /// Adds a record of standard output whose content begins with `start`.
    private mutating func append(
        id: UInt16, _ start: ArraySlice<UInt8>, _ content: ArraySlice<UInt8>
    ) {
        var head: [UInt8] = []
        head.reserveCapacity(RecordHeader.size + start.count)
        head.appendHeader(.standardOutput, id: id, length: start.count + content.count)
        head += start
        parts.append(Part(head: head, content: content))
    }

    /// The first byte of every answer: the protocol's version.
    static let firstByte: UInt8 = 1

    /// Skips the first byte, which was sent as a probe.
    mutating func skipFirstByte() { sentCount = 1 }

    /// Sends as much as `socket` has room for, without waiting.
    ///
    /// - Returns: 0 if everything is sent, else the error that ended it.
    mutating func send(to socket: Int32) -> Int32 {
        while !parts.isEmpty {
            var vectors = unsafe [iovec]()
            unsafe vectors.reserveCapacity(2 * Self.partsOfCall)
            let count = unsafe sendParts(from: 0, &vectors, to: socket)
            guard count > 0 else { return Int32(-count) }
            drop(count)
        }
        return 0
    }

    /// Parts in one call: more than a socket has room for.
    private static let partsOfCall = 16

    /// Sends the first parts with one call; the parts before `index` are in `vectors` already.
    ///
    /// Recursive, one call a part: an array's bytes have an address only inside a closure.
    ///
    /// - Returns: the number of bytes sent, or minus the error.
    private func sendParts(
        from index: Int, _ vectors: inout [iovec], to socket: Int32
    ) -> Int {
        guard index < min(parts.count, Self.partsOfCall) else {
            return unsafe vectors.withUnsafeMutableBufferPointer { vectors in
                var message = unsafe msghdr()
                unsafe message.msg_iov = vectors.baseAddress
                unsafe message.msg_iovlen = vectors.count
                let count = unsafe sendmsg(socket, &message, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                return count < 0 ? -Int(errno) : count
            }
        }
        let part = parts[index]
        let sent = index == 0 ? sentCount : 0
        let head = part.head.dropFirst(sent)
        let content = part.content.dropFirst(max(0, sent - part.head.count))
        return unsafe head.withUnsafeBytes { head in
            unsafe vectors.append(iovec(reading: head))
            return unsafe content.withUnsafeBytes { content in
                unsafe vectors.append(iovec(reading: content))
                return unsafe sendParts(from: index + 1, &vectors, to: socket)
            }
        }
    }

    /// Drops `count` bytes that were sent.
    private mutating func drop(_ count: Int) {
        sentCount += count
        let whole = parts.firstIndex { part in
            if sentCount < part.count { return true }
            sentCount -= part.count
            return false
        }
        parts.removeFirst(whole ?? parts.count)
    }
}

extension iovec {
    fileprivate init(reading bytes: UnsafeRawBufferPointer) {
        unsafe self.init(
            iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
}
