import Dispatch
import Glibc
import Testing
import System
import TestSupport

@testable import FastCGI

@Suite struct `An exchange` {
    @Test func `A request is read and answered`() throws {
        let service = try Service()
        let peer = try service.peer()
        peer.send(Wire.request("/echo", body: Array("hello".utf8)))
        let reply = try #require(peer.reply())
        #expect(reply.status == 200)
        #expect(reply.text == "hello")
        #expect(reply.headers["status"] == "200 OK")
        #expect(reply.headers["content-length"] == "5")
        #expect(reply.headers["x-odd"] == "a  B: c", "a line end in a value starts no header")
        #expect(reply.headers["b"] == nil)
        #expect(reply.protocolStatus == 0)
        #expect(peer.sawEnd(), "closed, as the peer did not ask to keep it")
        #expect(service.stop() == .finished)
    }

    @Test(
        arguments: [0, 1, 7776, 7777, 65_535, 65_536, 65_537, 200_000, 3_000_000],
        [7777, 65_536, 262_144])
    func `A body of any size arrives as it was sent`(size: Int, portion: Int) throws {
        let service = try Service(portion: portion)
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 131 ^ $0 >> 9) }
        let peer = try service.peer()
        for keep in [true, false] {
            peer.send(Wire.request("/echo", body: body, keep: keep, id: 9))
            #expect(peer.reply(to: 9)?.body == body)
        }
        service.stop()
    }

    @Test func `A request split in two at any byte is answered`() throws {
        let service = try Service()
        let request = Wire.request("/echo", body: Array("split".utf8), keep: true)
        let peer = try service.peer()
        for cut in 1..<request.count {
            peer.send(request[..<cut])
            peer.send(request[cut...])
            #expect(peer.reply()?.text == "split", "cut at \(cut)")
        }
        for byte in request { peer.send([byte]) }
        #expect(peer.reply()?.text == "split", "a byte at a time")
        service.stop()
    }

    @Test func `Requests one after the other meet the same thread`() throws {
        let service = try Service { $0.requestThreads = 8 }
        let peer = try service.peer()
        for _ in 0..<20 {
            peer.send(Wire.request("/all", keep: true))
            #expect(peer.reply()?.status == 200)
            usleep(5000)
        }
        let threads = Set(service.visits.withLock { $0.map(\.thread) })
        print("threads for 20 requests: \(threads.count)")
        #expect(threads.count < 4, "at times one is late to wait again")
        service.stop()
    }

    @Test func `Without places in the queue there are as many requests as threads`() throws {
        let service = try Service {
            $0.requestThreads = 1
            $0.queuedRequests = 0
        }
        // The thread may not wait yet.
        #expect(eventually { service.answers() })
        #expect(eventually { service.server.statistics.inFlight == 0 })
        usleep(50_000)
        let (first, second) = (try service.peer(), try service.peer())
        for _ in 0..<3 {
            first.send(Wire.request("/wait", body: [1], keep: true))
            #expect(eventually { service.visits.withLock { $0.last?.path == "/wait" } })
            second.send(Wire.request("/all", body: [1], keep: true))
            #expect(second.reply()?.status == 503)
            service.gate.signal()
            #expect(first.reply()?.status == 200)
            service.visits.withLock { $0 = [] }
            #expect(eventually { service.server.statistics.inFlight == 0 })
            // Then the thread is about to wait again.
            usleep(50_000)
        }
        service.stop()
    }

    @Test func `A short request lies in the socket until its answer is sent`() throws {
        let service = try Service()
        let peer = try service.peer()
        for (size, isLeft) in [(0, true), (10_000, true), (20_000, false), (100, true)] {
            peer.send(Wire.request("/wait", body: [UInt8](repeating: 1, count: size), keep: true))
            #expect(eventually { service.visits.withLock { $0.last?.body.count == size } })
            #expect(peer.isUnread == isLeft, "\(size) bytes")
            service.gate.signal()
            #expect(peer.reply()?.text == "\(size) bytes")
            #expect(eventually { !peer.isUnread })
        }
        service.stop()
    }

    @Test func `What comes while a request lies in the socket is the next request`() throws {
        let service = try Service()
        let peer = try service.peer()
        peer.send(Wire.request("/wait", body: [1], keep: true, id: 1))
        #expect(eventually { service.paths == ["/wait"] })
        peer.send(Wire.request("/echo", body: Array("next".utf8), keep: true, id: 2))
        service.gate.signal()
        #expect(peer.reply(to: 1)?.text == "1 bytes")
        #expect(peer.reply(to: 2)?.text == "next")
        #expect(service.paths == ["/wait", "/echo"])
        service.stop()
    }

    @Test func `A connection is ended, not broken off, answered or given up`() throws {
        let service = try Service()
        let spare = Wire.record(9, id: 0) + Wire.request("/all")
        for (path, keep, rest) in [
            ("/all", false, []), ("/all", false, spare), ("/all", true, spare),
            ("/drop", false, []), ("/drop", true, []), ("/drop", true, spare),
        ] {
            let peer = try service.peer()
            peer.send(Wire.request(path, body: [1, 2, 3], keep: keep) + rest)
            #expect((peer.reply() == nil) == (path == "/drop"))
            #expect(peer.reply() == nil && peer.isEnded, "\(path), \(rest.count) bytes more")
        }
        let broken = try service.peer()
        broken.send(Wire.begin() + [9, 9, 9, 9, 9, 9, 9, 9])
        #expect(broken.reply() == nil && broken.isEnded)
        #expect(service.stop() == .finished)
    }

    @Test func `HEAD gets the length and no body`() throws {
        let service = try Service()
        let peer = try service.peer()
        peer.send(Wire.request("/all", method: "HEAD"))
        let reply = try #require(peer.reply())
        #expect(reply.headers["content-length"] == "7")
        #expect(reply.body.isEmpty)
        service.stop()
    }

    @Test func `A thousand requests go over one connection`() throws {
        let service = try Service()
        let peer = try service.peer()
        for number in 0..<1000 {
            let body = [UInt8](repeating: 65, count: number % 300)
            peer.send(Wire.request("/all", body: body, keep: true))
            try #require(peer.reply()?.text == "\(number % 300) bytes")
        }
        let statistics = service.server.statistics
        #expect(statistics.accepted == 1)
        #expect(statistics.requests == 1000)
        service.stop()
    }

    @Test func `A body shorter or longer than declared is no body`() throws {
        let service = try Service()
        for length in [3, 7, 0] {
            let peer = try service.peer()
            peer.send(Wire.request("/all", body: Array("hello".utf8), length: length, keep: true))
            #expect(peer.reply()?.status == 400, "declared \(length)")
            #expect(peer.sawEnd(), "a connection in doubt is not kept")
        }
        let expected: [FastCGIError?] = [3, 7, 0].map { .wrongLength(declared: $0, received: 5) }
        #expect(service.visits.withLock { $0.map(\.fault) } == expected)
        #expect(service.answers())
        service.stop()
    }

    @Test(arguments: [-100_000, -1, 1, 70_000])
    func `A large body shorter or longer than declared is no body`(more: Int) throws {
        let service = try Service(portion: 262_144)
        let body = [UInt8](repeating: 65, count: 400_000 + more)
        let peer = try service.peer()
        peer.send(Wire.request("/all", body: body, length: 400_000, keep: true))
        #expect(peer.reply()?.status == 400)
        #expect(peer.sawEnd(), "a connection in doubt is not kept")
        guard case .wrongLength(400_000, let received)? = service.visits.withLock({ $0[0].fault })
        else {
            Issue.record("another fault")
            return
        }
        #expect(more < 0 ? received == body.count : received > 400_000)
        #expect(service.answers())
        service.stop()
    }

    @Test(arguments: [true, false])
    func `A large body that stops half way is no body`(leaves: Bool) throws {
        let service = try Service(portion: 262_144) {
            $0.stallTime = leaves ? .seconds(60) : .milliseconds(200)
        }
        let request = Wire.request("/all", body: [UInt8](repeating: 65, count: 400_000))
        let peer = try service.peer()
        peer.send(request[..<200_000])
        if leaves {
            #expect(eventually { service.server.statistics.inFlight == 1 })
            usleep(20_000)  // To where it waits for more.
            peer.leave()
        }
        try #require(eventually { service.visits.withLock { $0.count } == 1 })
        let fault = service.visits.withLock { $0[0].fault }
        #expect(fault == (leaves ? .connectionLost : .timedOut("the body did not come in time")))
        #expect(service.answers())
        service.stop()
    }

    @Test func `A body without a declared length is read to its end`() throws {
        let service = try Service()
        let peer = try service.peer()
        let content = Wire.pairs(Wire.parameters("/echo", length: nil))
        peer.send(
            Wire.begin() + Wire.record(4, content) + Wire.record(4) + Wire.body("chunked".utf8))
        #expect(peer.reply()?.text == "chunked")
        service.stop()
        let large = [UInt8](repeating: 66, count: 300_001)
        let direct = try Service(portion: 65_536)
        let other = try direct.peer()
        other.send(Wire.begin() + Wire.record(4, content) + Wire.record(4) + Wire.body(large))
        #expect(other.reply()?.body == large)
        direct.stop()
    }

    @Test(arguments: ["", "A\0B", "x", "-1", "1e3", "99999999999999999999"])
    func `Parameters nobody should act on close the connection`(value: String) throws {
        let service = try Service()
        let peer = try service.peer()
        let name = value.isEmpty ? "" : value.contains("\0") ? "HTTP_X" : "CONTENT_LENGTH"
        let content =
            Wire.pairs(Wire.parameters("/all")) + Wire.pair(name, Array(value.utf8))
        peer.send(Wire.begin() + Wire.record(4, content) + Wire.record(4) + Wire.record(5))
        #expect(peer.reply() == nil)
        #expect(service.paths.isEmpty)
        #expect(eventually { service.server.statistics.brokenProtocols == 1 })
        #expect(service.answers())
        service.stop()
    }

    @Test func `A dropped exchange closes its connection and costs nothing else`() throws {
        let service = try Service()
        for _ in 0..<20 {
            let peer = try service.peer()
            peer.send(Wire.request("/drop", body: [1, 2, 3], keep: true))
            #expect(peer.reply() == nil)
        }
        #expect(service.answers())
        #expect(service.stop() == .finished)
    }

    @Test func `Clients that leave early take nothing with them`() throws {
        let service = try Service()
        let large = Wire.request("/all", body: [UInt8](repeating: 1, count: 300_000))
        for end in [4, 20, 100, 1000, 200_000] {
            let peer = try service.peer()
            peer.send(large[..<end])
            peer.leave()
        }
        for path in ["/all", "/long"] {
            let peer = try service.peer()
            peer.send(Wire.request(path))
            peer.leave()
        }
        #expect(service.answers())
        #expect(service.stop() == .finished)
    }

    @Test func `Requests over TCP are answered`() throws {
        let server = try Server(Listener(address: "127.0.0.1:0"))
        let port = try #require(server.port)
        let thread = try SystemThread {
            _ = try? server.run { exchange in exchange.respond(Answer(status: 204)) }
        }
        let peer = try #require(Peer(port: port))
        peer.send(Wire.request("/any", keep: true))
        let reply = try #require(peer.reply())
        #expect(reply.status == 204)
        #expect(reply.headers["content-length"] == nil)
        peer.send(Wire.request("/any", body: [1, 2], keep: false))
        #expect(peer.reply()?.status == 204)
        #expect(peer.reply() == nil && peer.isEnded)
        server.stop()
        thread.join()
        #expect(Peer(port: port) == nil, "nobody listens any more")
    }
}
