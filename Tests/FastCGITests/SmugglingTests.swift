import Foundation
import Testing
import TestSupport

@testable import FastCGI

/// A client's bytes must never be read as records: what libfcgi leaves unread of a body would be
/// the next request on a kept connection.
@Suite struct `Smuggled requests` {
    /// A request as an attacker would write it into a body.
    private static let hidden = Wire.request("/smuggled", keep: true)

    @Test(arguments: ["/all", "/none", "/part", "/missing"], [0, 13, 8168, 70_000, 150_000])
    func `A body that looks like records is not read as such`(path: String, lead: Int) throws {
        let service = try Service()
        let peer = try service.peer()
        let body = [UInt8](repeating: 0, count: lead) + Self.hidden + Self.hidden
        for round in 1...3 {
            peer.send(Wire.request(path, body: body, keep: true))
            let reply = try #require(peer.reply(), "round \(round)")
            #expect(reply.status == (path == "/missing" ? 404 : 200))
        }
        peer.send(Wire.request("/last", keep: true))
        #expect(peer.reply()?.text == "0 bytes")
        #expect(service.paths == [path, path, path, "/last"])
        #expect(service.server.statistics.accepted == 1)
        service.stop()
    }

    @Test(arguments: ["/none", "/part"])
    func `Behind a body too long to drop the connection ends`(path: String) throws {
        let service = try Service { $0.drainedBodyBytes = 100_000 }
        let peer = try service.peer()
        var body: [UInt8] = []
        while body.count < 400_000 { body += Self.hidden }
        peer.send(Wire.request(path, body: body, keep: true))
        #expect(peer.reply()?.status == 200, "answered all the same")
        #expect(peer.sawEnd())
        #expect(service.paths == [path])
        service.stop()
    }

    @Test func `A dropped request leaves no body behind`() throws {
        let service = try Service()
        let peer = try service.peer()
        peer.send(Wire.request("/drop", body: Self.hidden + Self.hidden, keep: true))
        #expect(peer.reply() == nil)
        #expect(service.paths == ["/drop"])
        service.stop()
    }

    @Test func `A body of the wrong length leaves none behind`() throws {
        let service = try Service()
        for length in [1, 10_000] {
            let peer = try service.peer()
            peer.send(Wire.request("/all", body: Self.hidden, length: length, keep: true))
            #expect(peer.reply()?.status == 400)
            #expect(peer.sawEnd())
        }
        #expect(service.paths == ["/all", "/all"])
        service.stop()
    }

    @Test func `What follows a request in the same breath is not served`() throws {
        let service = try Service()
        for extra in [Self.hidden, Wire.record(5, Self.hidden), [1, 2, 3]] {
            let peer = try service.peer()
            peer.send(Wire.request("/all", keep: true) + extra)
            #expect(peer.reply()?.status == 200)
            #expect(peer.sawEnd())
        }
        #expect(service.paths == ["/all", "/all", "/all"])
        service.stop()
    }

    @Test func `An answer that is sent for want of threads leaves no body behind`() throws {
        let service = try Service {
            $0.requestThreads = 1
            $0.queuedRequests = 1
        }
        let busy = try (0..<2).map { _ in try service.peer() }
        busy[0].send(Wire.request("/wait", body: [1]))
        #expect(eventually { service.paths == ["/wait"] })
        busy[1].send(Wire.request("/wait", body: [1]))
        #expect(eventually { service.server.statistics.inFlight == 2 })
        let small = try service.peer()
        small.send(Wire.request("/all", body: Self.hidden, keep: true))
        let reply = try #require(small.reply())
        #expect(reply.status == 503)
        #expect(reply.headers["retry-after"] == "1")
        #expect(reply.text.contains("detail"))
        small.send(Wire.request("/all", body: [1], keep: true))
        #expect(small.reply()?.status == 503, "nor a request that was left in the socket")
        let large = try service.peer()
        var body: [UInt8] = []
        while body.count < 300_000 { body += Self.hidden }
        large.send(Wire.request("/all", body: body, keep: true))
        #expect(large.reply()?.status == 503)
        #expect(large.sawEnd())
        // Gone, it has the polling thread turn no more.
        large.leave()
        let turns = service.server.turns
        usleep(200_000)
        #expect(service.server.turns - turns < 100)
        for peer in busy {
            service.gate.signal()
            #expect(peer.reply()?.status == 200)
        }
        small.send(Wire.request("/last", keep: true))
        #expect(small.reply()?.status == 200, "the small one's connection was kept")
        #expect(Set(service.paths) == ["/wait", "/last"])
        #expect(service.server.statistics.busyAnswers == 3)
        service.stop()
    }
}
