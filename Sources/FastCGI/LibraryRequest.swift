import CFastCGI
import Glibc

/// One libfcgi request, used again for one after the other by one thread.
///
/// libfcgi reads from a private pair of sockets into which only records that passed the gate are
/// written, so it never waits for a peer, never sees a management record or a second request, and
/// never holds bytes of the next one. Its own accept, write and close are not used: they wait
/// without bound, take a write cut short for a whole one, and hold a thread at the end.
@safe
final class LibraryRequest: @unchecked Sendable {
    // Unchecked: made by one thread, then used by one other.
    private let request: UnsafeMutablePointer<FCGX_Request>
    private let supply: Descriptor

    /// Most bytes of a body written into the pair before libfcgi reads them.
    static let portion = [UInt8].recordContentLimit

    /// Most bytes of parameters, which libfcgi reads in one go.
    static let longestParameters = 131_072

    private var records: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: LibraryRequest.portion)

    /// Scratch of the same thread for what it receives from peers.
    var space = [UInt8](repeating: 0, count: LibraryRequest.portion)

    /// Whether it is ready for a request.
    private(set) var isFree = true
    private var isPairEmpty = true

    init() throws(FastCGIError) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw .system(call: "socketpair", subject: "a request", code: errno)
        }
        supply = Descriptor(ends[0])
        // A portion, or the longest parameter stream, must fit at once.
        var room = Int32(4 * Self.longestParameters)
        _ = unsafe setsockopt(
            ends[0], SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        unsafe request = .allocate(capacity: 1)
        unsafe FCGX_InitRequest(request, -1, 0)
        unsafe request.pointee.ipcFd = ends[1]
        unsafe request.pointee.keepConnection = 1
    }

    deinit {
        let end = unsafe request.pointee.ipcFd
        // Without its writers' closing records, and without libfcgi's close and its wait.
        unsafe FCGX_Free(request, 0)
        if end >= 0 { close(end) }
        unsafe request.deallocate()
    }

    /// Lets libfcgi read a request's begin and its whole parameter stream.
    func begin(parameters: [UInt8]) throws(FastCGIError) {
        precondition(isFree, "a request is in progress")
        precondition(
            parameters.count <= Self.longestParameters, "\(parameters.count) bytes of parameters")
        isFree = false
        isPairEmpty = false
        records.removeAll(keepingCapacity: true)
        records.appendHeader(.beginRequest, id: 1, length: 8)
        // Responder; keep the connection, or libfcgi closes its end of the pair.
        records += [0, 1, 1, 0, 0, 0, 0, 0]
        records.appendStream(.parameters, id: 1, parameters[...])
        records.appendHeader(.parameters, id: 1, length: 0)
        try write(records)
        let result = unsafe FCGX_Accept_r(request)
        guard result == 0 else { throw .unfitLibrary("it refused a request, code \(result)") }
    }

    /// The parameters as libfcgi keeps them, `NAME=value` each, in order.
    var environment: [[UInt8]] {
        guard var entry = unsafe request.pointee.envp else { return [] }
        var entries: [[UInt8]] = []
        while let text = unsafe entry.pointee {
            let bytes = unsafe UnsafeBufferPointer(start: text, count: strlen(text))
            entries.append(unsafe bytes.map { UInt8(bitPattern: $0) })
            unsafe entry += 1
        }
        return entries
    }

    /// Passes a portion of the body through libfcgi's input stream, appended to `output`.
    func read(_ body: ArraySlice<UInt8>, into output: inout [UInt8]) throws(FastCGIError) {
        precondition(body.count <= Self.portion, "\(body.count) bytes at once")
        records.removeAll(keepingCapacity: true)
        records.appendStream(.standardInput, id: 1, body)
        try write(records)
        let stream = unsafe request.pointee.in
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe FCGX_GetStr(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(body.count), stream)
        }
        guard Int(count) == body.count, unsafe FCGX_GetError(stream) == 0 else {
            throw .unfitLibrary("body of \(body.count) bytes read as \(count)")
        }
        output += buffer[..<Int(count)]
    }

    /// Ends the body; whether libfcgi's stream then ends too, without an error.
    func endsCleanly() -> Bool {
        records.removeAll(keepingCapacity: true)
        records.appendHeader(.standardInput, id: 1, length: 0)
        guard (try? write(records)) != nil else { return false }
        let stream = unsafe request.pointee.in
        isPairEmpty = unsafe FCGX_GetChar(stream) == -1 && FCGX_GetError(stream) == 0
        return isPairEmpty
    }

    /// Frees the request's streams and parameters; the next may begin.
    ///
    /// The pair is used again even after a request that broke off: where descriptors are short,
    /// there may be no other.
    func finish() {
        unsafe FCGX_Free(request, 0)
        let end = unsafe request.pointee.ipcFd
        if end < 0 { return }  // libfcgi closed it, which it does on a begin it refuses.
        if !isPairEmpty {
            let size = buffer.count
            while unsafe recv(end, &buffer, size, Int32(MSG_DONTWAIT)) > 0 {}
        }
        isFree = true
    }

    private func write(_ bytes: [UInt8]) throws(FastCGIError) {
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe send(supply.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == bytes.count else {
            throw .system(call: "send", subject: "a request's socket pair", code: errno)
        }
    }
}
