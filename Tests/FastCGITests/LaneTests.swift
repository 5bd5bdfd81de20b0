import Foundation
import Glibc
import Testing
import System
import TestSupport

@testable import FastCGI

/// Requests of more than ten bytes take long.
private let bySize = Triage(errand: { Errand($0.gathered > 10 ? .long : .short, size: $0.gathered) }
)

private func body(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

extension Service {
    /// Has `count` requests of `size` bytes hold a thread each.
    fileprivate func hold(_ count: Int, size: Int = 1) throws -> [Peer] {
        let before = paths.count
        let peers = try (0..<count).map { _ in
            let peer = try peer()
            peer.send(Wire.request("/wait", body: body(size)))
            return peer
        }
        #expect(eventually { paths.count == before + count })
        return peers
    }

    /// Sends a request that waits in the queue.
    fileprivate func queue(_ path: String, _ size: Int = 1) throws -> Peer {
        let before = server.statistics.inFlight
        let peer = try peer()
        peer.send(Wire.request(path, body: body(size)))
        #expect(eventually { server.statistics.inFlight == before + 1 })
        return peer
    }

    /// Lets those go on that hold threads, and ends.
    fileprivate func finish(_ held: [Peer]) {
        for _ in held { gate.signal() }
        for peer in held { #expect(peer.reply()?.status == 200) }
        #expect(stop() == .finished)
    }
}

@Suite struct `The lanes of requests` {
    @Test(arguments: 1...4)
    func `Requests without a body never wait for those with one`(threads: Int) throws {
        let service = try Service { $0.requestThreads = threads }
        let held = try service.hold(threads)
        let queued = try service.queue("/all")
        for _ in 0..<20 { #expect(service.answers()) }
        #expect(
            !service.paths.contains { $0 == "/all" }
                || service.visits.withLock {
                    $0.allSatisfy { $0.path != "/all" || $0.body.isEmpty }
                })
        for _ in held { service.gate.signal() }
        #expect(queued.reply()?.status == 200)
        for peer in held { #expect(peer.reply()?.status == 200) }
        #expect(service.stop() == .finished)
    }

    @Test func `Long requests leave threads for short ones`() throws {
        let service = try Service(triage: bySize) {
            $0.requestThreads = 3
            $0.longThreads = 2
        }
        let held = try service.hold(2, size: 100)
        let queued = try service.queue("/all", 100)
        for _ in 0..<20 {
            let short = try service.peer()
            short.send(Wire.request("/echo", body: body(5)))
            #expect(short.reply()?.body.count == 5)
        }
        #expect(!service.paths.contains("/all"))
        service.finish(held)
        #expect(queued.reply()?.status == 200)
    }

    @Test func `Who has less to do comes first, but not for ever`() throws {
        let service = try Service { $0.requestThreads = 1 }
        let held = try service.hold(1)
        let large = try service.queue("/large", 1000)
        let small = try (0..<8).map { try service.queue("/small", 10 + $0) }
        service.finish(held)
        for peer in small + [large] { #expect(peer.reply()?.status == 200) }
        let order = service.paths.dropFirst()
        let place = try #require(order.firstIndex(of: "/large")) - order.startIndex
        #expect(1...3 ~= place)
    }

    @Test func `A request whose peer leaves while it waits is dropped soon`() throws {
        let service = try Service { $0.requestThreads = 1 }
        let held = try service.hold(1)
        let peers = try (0..<10).map { _ in try service.queue("/all") }
        for peer in peers.dropFirst() { peer.leave() }
        let start = ContinuousClock.now
        #expect(eventually { service.server.statistics.departures == 9 })
        #expect(start.duration(to: .now) < .seconds(5))
        #expect(service.server.statistics.inFlight == 2)
        #expect(service.faults.withLock { $0.isEmpty }, "clients do that")
        service.finish(held)
        #expect(peers[0].reply()?.status == 200)
        #expect(service.paths == ["/wait", "/all"])
    }

    @Test func `A request that waits too long is answered as busy`() throws {
        let service = try Service {
            $0.requestThreads = 1
            $0.queueTime = .milliseconds(200)
        }
        let held = try service.hold(1)
        let queued = try service.queue("/all")
        #expect(queued.reply()?.status == 503)
        #expect(service.server.statistics.lateAnswers == 1)
        service.finish(held)
    }

    @Test func `A long request without a chance is refused at once, by what waits before it`()
        throws
    {
        let triage = Triage(
            errand: bySize.errand,
            refusal: { _, errand, ahead in
                ahead + errand.size > 250
                    ? Answer(status: 503, body: Array("\(ahead)".utf8)) : nil
            })
        let service = try Service(triage: triage) {
            $0.requestThreads = 2
            $0.longThreads = 1
        }
        let held = try service.hold(1, size: 100)
        let queued = try service.queue("/all", 100)
        let peer = try service.peer()
        peer.send(Wire.request("/all", body: body(200), keep: true))
        let reply = try #require(peer.reply())
        #expect(reply.status == 503)
        #expect(reply.text == "100")
        // Its connection is in order, and one that has a chance is let in.
        peer.send(Wire.request("/last", body: body(99), keep: true))
        service.finish(held)
        #expect(queued.reply()?.status == 200)
        #expect(peer.reply()?.status == 200)
    }

    @Test func `Who asks again as soon as it is refused is soon refused at a pace`() throws {
        let triage = Triage(errand: bySize.errand, refusal: { _, _, _ in Answer(status: 503) })
        let service = try Service(triage: triage)
        let peer = try service.peer()
        let start = ContinuousClock.now
        for _ in 0..<HeldRefusals.burst + 20 {
            peer.send(Wire.request("/all", body: body(100), keep: true))
            #expect(peer.reply()?.status == 503)
            #expect(service.answers(), "others do not wait")
        }
        #expect(start.duration(to: .now) >= HeldRefusals.interval * 20)
        #expect(service.stop() == .finished)
    }

    @Test func `A refusal that is kept back is dropped if its peer leaves, and sent at the end`()
        throws
    {
        let triage = Triage(errand: bySize.errand, refusal: { _, _, _ in Answer(status: 503) })
        let service = try Service(triage: triage)
        let peers = try (0..<200).map { _ in
            let peer = try service.peer()
            peer.send(Wire.request("/all", body: body(100)))
            return peer
        }
        // The last ones wait for a second.
        #expect(peers[0].reply()?.status == 503)
        peers[199].leave()
        #expect(eventually { service.server.statistics.departures > 0 })
        #expect(service.server.statistics.inFlight > 0)
        #expect(service.stop() == .finished)
        for peer in peers[1..<199] { #expect(peer.reply()?.status == 503) }
    }

    @Test func `Short requests that never pause leave long ones and forms their turn`() throws {
        let triage = Triage(errand: {
            Errand($0.gathered < 10 ? .short : $0.gathered < 100 ? .long : .form, size: $0.gathered)
        })
        let service = try Service(triage: triage) {
            $0.requestThreads = 1
            $0.longThreads = 1
            $0.formThreads = 1
        }
        let held = try service.hold(1)
        let short = try (0..<12).map { _ in try service.queue("/short") }
        let long = try service.queue("/more", 50)
        let form = try service.queue("/form", 200)
        service.finish(held)
        for peer in [long, form] + short { #expect(peer.reply()?.status == 200) }
        let order = service.paths
        let (first, second) = (order.firstIndex(of: "/more"), order.firstIndex(of: "/form"))
        #expect(first.map { $0 <= 10 } == true && second.map { $0 <= 10 } == true, "\(order)")
    }

    @Test func `Many requests of all lanes are all answered`() throws {
        let triage = Triage(errand: {
            Errand([.short, .long, .form][$0.gathered % 3], size: $0.gathered)
        })
        let service = try Service(triage: triage) {
            $0.requestThreads = 5
            $0.longThreads = 1
            // As many forms may wait as may hold a thread: the eight peers find room, whatever they
            // send.
            $0.formThreads = 4
            $0.queuedRequests = 100
        }
        let good = Guarded(0)
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            for turn in 0..<100 {
                guard let peer = Peer(path: service.path) else { continue }
                let size = (number * 31 + turn) % 50
                peer.send(Wire.request("/echo", body: body(size)))
                if peer.reply()?.body.count == size { good.withLock { $0 += 1 } }
            }
        }
        #expect(good.withLock { $0 } == 800)
        #expect(service.stop() == .finished)
    }
}

@Suite struct `A peer that leaves while it is answered` {
    /// A server whose handler waits until its peer is gone, for a while, and then answers.
    private final class Watching: Sendable {
        let server: Server
        let seen = Guarded<[Bool]>([])
        private let thread = Guarded<SystemThread?>(nil)

        init(_ listener: consuming Listener) throws {
            server = try Server(listener)
            let started = try SystemThread { [self] in
                _ = try? self.server.run { exchange in
                    let end = ContinuousClock.now + .seconds(1)
                    while !exchange.peer.isGone, end > .now { usleep(20_000) }
                    let isGone = exchange.peer.isGone
                    self.seen.withLock { $0.append(isGone) }
                    exchange.respond(Answer(status: 200, body: Array("whole".utf8)))
                }
            }
            thread.withLock { $0 = started }
        }

        func verdict() -> Bool? {
            for _ in 0..<1000 {
                if let verdict = seen.withLock({ $0.first }) { return verdict }
                usleep(5000)
            }
            return nil
        }

        func stop() {
            server.stop()
            thread.withLock { $0 }?.join()
        }
    }

    @Test(arguments: [false, true], [false, true])
    func `is noticed`(overTCP: Bool, keepsConnection: Bool) throws {
        let folder = try temporaryFolder()
        let watching = try Watching(
            overTCP ? Listener(address: "127.0.0.1:0") : Listener(path: folder + "/s"))
        let port = watching.server.port
        let peer = try #require(port.map { Peer(port: $0) } ?? Peer(path: folder + "/s"))
        peer.send(Wire.request("/any", body: [1, 2, 3], keep: keepsConnection))
        usleep(50_000)
        peer.leave()
        #expect(watching.verdict() == true)
        watching.stop()
    }

    @Test(arguments: [false, true])
    func `One that only sends no more has not left`(overTCP: Bool) throws {
        let folder = try temporaryFolder()
        let watching = try Watching(
            overTCP ? Listener(address: "127.0.0.1:0") : Listener(path: folder + "/s"))
        let port = watching.server.port
        let peer = try #require(port.map { Peer(port: $0) } ?? Peer(path: folder + "/s"))
        peer.send(Wire.request("/any", body: [1, 2, 3]))
        shutdown(peer.descriptor, Int32(SHUT_WR))
        let reply = try #require(peer.reply())
        #expect(reply.status == 200)
        #expect(reply.text == "whole")
        #expect(watching.verdict() == false)
        watching.stop()
    }
}
