import Foundation
import TestSupport

@testable import FastCGI

/// A server on a socket in a folder of its own, with a handler that does as the path says.
final class Service: Sendable {
    let path: String
    let server: Server
    let faults = Guarded<[FastCGIError]>([])
    private let folder: String
    private let outcome = Guarded<Server.Outcome?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    /// What the handler saw.
    struct Visit: Sendable {
        var path: String
        var body: [UInt8]
        var fault: FastCGIError?
        /// The thread it ran on.
        let thread = pthread_self()
    }
    let visits = Guarded<[Visit]>([])

    /// Requests for "/wait" are answered once per signal.
    let gate = DispatchSemaphore(value: 0)

    /// Bytes the handler reads at a time.
    private let portion: Int

    init(
        peers: PeerPolicy = PeerPolicy(), portion: Int = 7777, triage: Triage = Triage(),
        limits: (inout ServerLimits) -> Void = { _ in }
    ) throws {
        self.portion = portion
        folder = try temporaryFolder()
        path = folder + "/s"
        var chosen = ServerLimits()
        chosen.requestThreads = 4
        limits(&chosen)
        let faults = faults
        server = try Server(
            Listener(path: path), limits: chosen, peers: peers, triage: triage,
            report: { fault in faults.withLock { $0.append(fault) } })
        Thread.detachNewThread { [self] in
            let result = try? server.run { exchange in self.handle(exchange) }
            outcome.withLock { $0 = result }
            isDone.signal()
        }
    }

    /// Stops the server and waits for its end.
    @discardableResult
    func stop() -> Server.Outcome? {
        server.stop()
        guard isDone.wait(timeout: .now() + 20) == .success else { return nil }
        try? FileManager.default.removeItem(atPath: folder)
        return outcome.withLock { $0 }
    }

    /// A new connection.
    func peer() throws -> Peer {
        guard let peer = Peer(path: path) else { throw Unreachable() }
        return peer
    }

    struct Unreachable: Error {}

    /// Whether a request on a connection of its own is answered.
    func answers() -> Bool {
        guard let peer = Peer(path: path) else { return false }
        peer.send(Wire.request("/all"))
        return peer.reply()?.status == 200
    }

    /// The paths of the requests that reached the handler.
    var paths: [String] { visits.withLock { $0.map(\.path) } }

    private func handle(_ exchange: consuming Exchange) {
        var visit = Visit(path: exchange.parameters.path, body: [])
        if visit.path == "/drop" {
            visits.withLock { $0.append(visit) }
            return
        }
        let readLimit =
            switch visit.path {
            case "/none", "/missing": 0
            case "/part": 10
            default: Int.max
            }
        do throws(FastCGIError) {
            while visit.body.count < readLimit {
                let most = min(portion, readLimit - visit.body.count)
                if try exchange.readBody(upTo: most, into: &visit.body) == 0 { break }
            }
        } catch {
            visit.fault = error
        }
        visits.withLock { $0.append(visit) }
        if visit.path == "/wait" { gate.wait() }
        let answer: [UInt8] =
            switch visit.path {
            case "/echo": visit.body
            case "/long": [UInt8](repeating: 0x61, count: 4 << 20)
            default: Array("\(visit.body.count) bytes".utf8)
            }
        let status = visit.path == "/missing" ? 404 : visit.fault == nil ? 200 : 400
        exchange.respond(
            Answer(
                status: status,
                headers: [("Content-Type", "text/plain"), ("X-Odd", "a\r\nB: c")], body: answer))
    }
}
