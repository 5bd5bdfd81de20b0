import Foundation
import Testing
import TestSupport

@testable import FastCGI
@testable import System

@Suite struct `The stop of a server` {
    @Test func `An idle server stops at once, whoever is connected`() throws {
        let service = try Service()
        let idle = try service.peer()
        idle.send(Wire.request("/all", keep: true))
        #expect(idle.reply()?.status == 200)
        let silent = try service.peer()
        usleep(250_000)  // Else it counts as about to send.
        let start = Date()
        #expect(service.stop() == .finished)
        print("stop of an idle server: \(Date().timeIntervalSince(start) * 1000) ms")
        #expect(idle.sawEnd())
        #expect(silent.sawEnd())
        #expect(!FileManager.default.fileExists(atPath: service.path))
    }

    @Test func `Requests in flight are answered before the end`() throws {
        let service = try Service { $0.requestThreads = 2 }
        let peers = try (0..<5).map { _ in try service.peer() }
        for peer in peers { peer.send(Wire.request("/wait", keep: true)) }
        let reader = try service.peer()
        reader.send(Wire.request("/long"))
        #expect(eventually { service.server.statistics.inFlight == 6 })
        service.server.stop()
        #expect(eventually { Peer(path: service.path) == nil }, "no new connections")
        for _ in peers { service.gate.signal() }
        for peer in peers {
            #expect(peer.reply()?.status == 200)
            #expect(peer.sawEnd(), "and not kept")
        }
        #expect(reader.reply()?.body.count == 4 << 20, "read to its end after the stop")
        #expect(service.stop() == .finished)
    }

    @Test func `What cannot end is given up after the stop time`() throws {
        let service = try Service {
            $0.stopTime = .milliseconds(100)
            $0.requestThreads = 1
        }
        let (peer, queued) = (try service.peer(), try service.peer())
        peer.send(Wire.request("/wait", body: [1]))
        #expect(eventually { service.server.statistics.inFlight == 1 })
        queued.send(Wire.request("/wait", body: [1]))
        #expect(eventually { service.server.statistics.inFlight == 2 })
        #expect(service.stop() == .abandoned(2))
        #expect(queued.reply() == nil && queued.isEnded)
        service.gate.signal()
        _ = peer.reply()
        #expect(peer.sawEnd())
    }

    @Test func `No request that reached the socket is lost by a stop`() throws {
        for _ in 0..<10 {
            let service = try Service()
            let sent = Guarded(0)
            let answered = Guarded(0)
            let group = DispatchGroup()
            for _ in 0..<4 {
                group.enter()
                Thread.detachNewThread {
                    while let peer = Peer(path: service.path) {
                        // Connected and told so: from here on it is the server's to answer.
                        guard peer.send(Wire.request("/all")) else {
                            sent.withLock { $0 += 1 }
                            break
                        }
                        sent.withLock { $0 += 1 }
                        if peer.reply()?.status == 200 { answered.withLock { $0 += 1 } }
                    }
                    group.leave()
                }
            }
            usleep(20_000)
            #expect(service.stop() == .finished)
            group.wait()
            let counts = (sent.withLock { $0 }, answered.withLock { $0 })
            #expect(counts.0 == counts.1 && counts.0 > 0, "\(counts)")
        }
    }

    @Test func `Signals come to one thread and nowhere else`() async {
        await #expect(processExitsWith: .success) {
            let waiter = try SignalWaiter()
            let seen = Guarded<[Int32?]>([])
            let thread = try waiter.startThread { number in seen.withLock { $0.append(number) } }
            for (index, number) in SignalWaiter.steering.enumerated() {
                thread.signal(number)
                for _ in 0..<1000 where seen.withLock({ $0.count }) <= index { usleep(5000) }
            }
            try #require(seen.withLock { $0 } == SignalWaiter.steering)
            raise(SIGPIPE)
            raise(SIGXFSZ)
        }
    }

    @Test func `Who waits for signals has a turn where none comes`() async {
        await #expect(processExitsWith: .success) {
            let waiter = try SignalWaiter()
            let seen = Guarded<[Int32?]>([])
            let thread = try waiter.startThread(patience: { .milliseconds(20) }) { number in
                seen.withLock { $0.append(number) }
            }
            func hasSeen(_ wanted: [Int32?]) -> Bool {
                for _ in 0..<1000 where !seen.withLock({ $0.starts(with: wanted) }) { usleep(5000) }
                return seen.withLock { $0.starts(with: wanted) }
            }
            try #require(hasSeen([nil, nil]))
            thread.signal(SIGHUP)
            for _ in 0..<1000 where !seen.withLock({ $0.contains(SIGHUP) }) { usleep(5000) }
            let count = seen.withLock { $0.count }
            for _ in 0..<1000 where seen.withLock({ $0.count }) == count { usleep(5000) }
            try #require(seen.withLock { $0.contains(SIGHUP) && $0.last == .some(nil) })
        }
    }

    @Test func `The polling loop turns when it is nudged, and shows it`() throws {
        let service = try Service()
        #expect(service.answers())
        for _ in 0..<3 {
            let turns = service.server.turns
            service.server.nudge()
            #expect(eventually { service.server.turns > turns })
        }
        service.stop()
    }

    @Test func `libfcgi does not take the process's signals`() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            signal(SIGTERM, SIG_DFL)
            var set = sigset_t()
            unsafe sigemptyset(&set)
            unsafe sigaddset(&set, SIGTERM)
            unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
            try Library.prepare()
            raise(SIGTERM)
        }
    }
}

extension SystemThread {
    /// Sends a signal to this thread alone.
    fileprivate func signal(_ number: Int32) { pthread_kill(handle, number) }
}
