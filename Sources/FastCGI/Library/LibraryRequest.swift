import CFastCGI
import Glibc

/// One libfcgi request, used again for one after the other by one thread.
///
/// libfcgi reads a request's begin and parameters from a private pair of sockets into which only records that
/// passed the gate are written, so it never waits for a peer, never sees a management record or a second
/// request, and never holds bytes of the next one. Bodies go past it, from the gate to their reader: through
/// the pair and its buffer of 8 KB, 8 MB took 8.4 ms instead of 3.3. Its own accept, write and close are not
/// used: they wait without bound, take a write cut short for a whole one, and hold a thread at the end.
@safe
final class LibraryRequest: @unchecked Sendable {
    // Unchecked: made by one thread, then used by one other.
    private let request: UnsafeMutablePointer<FCGX_Request>
    private let supply: Descriptor

    /// Most bytes of parameters, which libfcgi reads in one go.
    static let longestParameters = 131_072

    private var records: [UInt8] = []

    /// Scratch of the same thread for what it receives from peers.
    var space = [UInt8](repeating: 0, count: [UInt8].recordContentLimit)

    /// Whether libfcgi did not take the last request, of which the pair may hold a rest.
    private var isRefused = false

    /// Whether it is ready for a request.
    private(set) var isFree = true

    init() throws(FastCGIError) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw .system(call: "socketpair", subject: "a request", code: errno)
        }
        supply = Descriptor(ends[0])
        // The longest parameter stream must fit at once.
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
        records.removeAll(keepingCapacity: true)
        records.appendHeader(.beginRequest, id: 1, length: 8)
        // Responder; keep the connection, or libfcgi closes its end of the pair.
        records += [0, 1, 1, 0, 0, 0, 0, 0]
        records.appendStream(.parameters, id: 1, parameters[...])
        records.appendHeader(.parameters, id: 1, length: 0)
        isRefused = true
        try write(records)
        let result = unsafe FCGX_Accept_r(request)
        guard result == 0 else { throw .unfitLibrary("it refused a request, code \(result)") }
        isRefused = false
    }

    /// The parameters as libfcgi keeps them: `NAME=value` in order, each with a NUL behind it.
    var environment: [UInt8] {
        guard let first = unsafe request.pointee.envp else { return [] }
        var text: [UInt8] = []
        text.reserveCapacity(2048)
        var entry = unsafe first
        while let start = unsafe entry.pointee {
            unsafe text.append(
                contentsOf: UnsafeRawBufferPointer(start: start, count: strlen(start) + 1))
            unsafe entry += 1
        }
        return text
    }

    /// Frees the request's streams and parameters; the next may begin.
    ///
    /// The pair is used again even after a request that broke off: where descriptors are short,
    /// there may be no other.
    func finish() {
        unsafe FCGX_Free(request, 0)
        let end = unsafe request.pointee.ipcFd
        if end < 0 { return }  // libfcgi closed it, which it does on a begin it refuses.
        let size = space.count
        while isRefused, unsafe recv(end, &space, size, Int32(MSG_DONTWAIT)) > 0 {}
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
