import CFastCGI
import Glibc

/// One libfcgi request, which one thread uses for one request after another.
///
/// libfcgi reads a request's begin and parameters from a private pair of sockets. Only records that
/// passed the gate are written into it. So libfcgi never waits for a peer, never sees a management
/// record or a second request, and never holds bytes of the next one. Bodies do not pass through
/// it; they go from the gate to their reader, which is much faster than the pair and its buffer of
/// 8 KB. Its own accept, write and close are not used: they wait without bound, take a partial
/// write for a whole one, and hold a thread at the end.
@safe
final class LibraryRequest: @unchecked Sendable {
    // Unchecked: one thread makes it, then only one other thread uses it.
    private let request: UnsafeMutablePointer<FCGX_Request>
    private let supply: Descriptor

    /// The most bytes of parameters; libfcgi reads them all at once.
    static let longestParameters = 131_072

    private var records: [UInt8] = []

    /// A buffer of the same thread for the bytes that it receives from peers.
    var space = [UInt8](repeating: 0, count: [UInt8].recordContentLimit)

    /// Whether libfcgi did not read all of the last request, so that the pair may hold a rest of
    /// it.
    private var isRefused = false

    /// Whether it is ready for another request.
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
        // Writes no closing records, and avoids libfcgi's close with its wait.
        unsafe FCGX_Free(request, 0)
        if end >= 0 { close(end) }
        unsafe request.deallocate()
    }

    /// Has libfcgi read a request's begin and its whole parameter stream.
    func begin(parameters: [UInt8]) throws(FastCGIError) {
        precondition(isFree, "a request is in progress")
        precondition(
            parameters.count <= Self.longestParameters, "\(parameters.count) bytes of parameters")
        isFree = false
        records.removeAll(keepingCapacity: true)
        records.appendHeader(.beginRequest, id: 1, length: 8)
        // Role responder. Without "keep the connection" libfcgi closes its end of the pair.
        records += [0, 1, 1, 0, 0, 0, 0, 0]
        records.appendStream(.parameters, id: 1, parameters[...])
        records.appendHeader(.parameters, id: 1, length: 0)
        isRefused = true
        try write(records)
        let result = unsafe FCGX_Accept_r(request)
        guard result == 0 else { throw .unfitLibrary("it refused a request, code \(result)") }
        isRefused = false
    }

    /// The parameters as libfcgi stores them: `NAME=value` in order, each with a NUL behind it.
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
    /// The pair is used again even after a broken request: without free descriptors there may be no
    /// other pair.
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
