import Foundation
import Testing
import System
import TestSupport

@testable import FastCGI

@Suite struct `Slow peers` {
    @Test func `Silent, half and slow peers hold no thread`() throws {
        let service = try Service {
            $0.requestThreads = 2
            $0.unsentBytes = 100 << 20
        }
        let request = Wire.request("/all", body: [UInt8](repeating: 1, count: 5000))
        let large = Wire.request("/long", keep: true)
        var peers: [Peer] = []
        for number in 0..<100 {
            let peer = try service.peer()
            switch number % 5 {
            case 0: break
            case 1: peer.send(request[..<5])
            case 2: peer.send(request[..<60])
            case 3: peer.send(request[..<3000])
            default: peer.send(large)  // And does not read the four megabytes.
            }
            peers.append(peer)
        }
        let start = Date()
        for _ in 0..<20 { #expect(service.answers()) }
        print("answers beside 100 slow peers: \(Date().timeIntervalSince(start) / 20 * 1000) ms")
        // Those who go on are served after all.
        peers[3].send(request[3000...])
        #expect(peers[3].reply()?.text == "5000 bytes")
        #expect(peers[4].reply()?.body.count == 4 << 20)
        peers[0].send(request)
        #expect(peers[0].reply()?.status == 200)
        peers.removeAll()
        #expect(service.stop() == .finished)
    }

    @Test func `Answers beyond what is kept wait on their threads and arrive whole`() throws {
        let service = try Service {
            $0.requestThreads = 4
            $0.unsentBytes = 5 << 20
            $0.stallTime = .seconds(60)
        }
        let readers = try (0..<3).map { _ in try service.peer() }
        for reader in readers { reader.send(Wire.request("/long", keep: true)) }
        // One answer is kept for its reader, two hold a thread each.
        #expect(eventually { service.server.statistics.waiting == 1 })
        #expect(eventually { service.server.statistics.inFlight == 2 })
        #expect(service.answers())
        for reader in readers { #expect(reader.reply()?.body.count == 4 << 20) }
        #expect(service.stop() == .finished)
    }

    @Test func `Answers beyond what is kept hold half of the threads, and not for long`() throws {
        let service = try Service {
            $0.requestThreads = 4
            $0.unsentBytes = 5 << 20
            $0.stallTime = .milliseconds(300)
        }
        let readers = try (0..<12).map { _ in try service.peer() }
        for reader in readers {
            reader.send(Wire.request("/long", keep: true))
            #expect(service.answers())
        }
        #expect(eventually { service.server.statistics.timeouts == 11 })
        #expect(service.server.statistics.unsent <= 5 << 20)
        #expect(readers.map { $0.reply()?.body.count == 4 << 20 }.count { $0 } == 1)
        #expect(service.stop() == .finished)
    }

    @Test(arguments: [1, 32])
    func `An answer that was read almost to its end is held no longer`(count: Int) throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let connection = Connection(Descriptor(ends[0]), parameterLimit: 1, deadline: .now)
        let peer = Descriptor(ends[1])
        let pieces = (0..<count).map { number in
            var piece = [UInt8](repeating: UInt8(number), count: (8 << 20) / count)
            if number % 2 == 0 { piece.reserveCapacity((9 << 20) / count) }
            return piece
        }
        var records = OutgoingRecords()
        records.append(id: 7, head: Array("Status: 200 OK\r\n\r\n".utf8), pieces: pieces)
        let expected = records.bytes
        connection.prepare(records, staysOpen: false)
        #expect(connection.outputCount >= pieces.reduce(0) { $0 + $1.capacity })
        records = OutgoingRecords()
        var taken: [UInt8] = []
        var portion = [UInt8](repeating: 0, count: 100_000)
        while try !connection.flush() {
            // What lies in the socket on its way counts neither here nor there.
            #expect(connection.outputCount <= max(2 * (expected.count - taken.count), 1))
            let count = unsafe read(peer.number, &portion, portion.count)
            try #require(count > 0)
            taken += portion[..<count]
        }
        #expect(connection.outputCount == 0)
        while taken.count < expected.count {
            let count = unsafe read(peer.number, &portion, portion.count)
            try #require(count > 0)
            taken += portion[..<count]
        }
        #expect(taken == expected)
    }

    @Test func `Who never pauses keeps nobody waiting`() throws {
        let service = try Service { $0.headTime = .seconds(60) }
        // Taken without an answer in every phase: somebody gives up a request that is not there.
        let flood = Array(repeating: Wire.record(2, id: 9), count: 8000).flatMap { $0 }
        let isOver = Guarded(false)
        let thread = try SystemThread {
            guard let peer = try? service.peer() else { return }
            while !isOver.withLock({ $0 }), peer.send(flood) {}
        }
        for _ in 0..<20 { #expect(service.answers()) }
        isOver.withLock { $0 = true }
        thread.join()
        #expect(service.stop() == .finished)
    }

    @Test func `What peers together have sent is bounded, and who exceeds it is told`() throws {
        let service = try Service {
            $0.heldBytes = 200_000
            $0.leaveTime = .seconds(60)
        }
        let request = Wire.request("/all", body: [UInt8](repeating: 1, count: 60_000), keep: true)
        let peers = try (0..<6).map { _ in try service.peer() }
        // All but the end of the body, of each.
        for peer in peers { peer.send(request[..<(request.count - 8)]) }
        #expect(eventually { service.server.statistics.busyAnswers >= 2 })
        #expect(service.server.statistics.held <= 200_000 + 65_536)
        #expect(service.answers())
        for peer in peers { peer.send(request[(request.count - 8)...]) }
        let statuses = peers.map { $0.reply()?.status ?? 0 }
        #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 })
        #expect(statuses.contains(200) && statuses.contains(503))
        #expect(eventually { service.server.statistics.held < 100_000 })
        service.stop()
    }

    @Test func `Idle connections hold no thread`() throws {
        let service = try Service { $0.requestThreads = 1 }
        let idle = try (0..<30).map { _ in try service.peer() }
        for _ in 0..<3 {
            for peer in idle {
                peer.send(Wire.request("/all", keep: true))
                #expect(peer.reply()?.status == 200)
            }
        }
        #expect(eventually { service.server.statistics.waiting == 30 })
        #expect(service.answers())
        service.stop()
    }

    @Test func `Who takes too long is closed`() throws {
        let service = try Service {
            $0.headTime = .milliseconds(100)
            $0.bodyTime = .milliseconds(100)
            $0.sendTime = .milliseconds(100)
            $0.idleTime = .milliseconds(100)
        }
        let request = Wire.request("/all", body: [UInt8](repeating: 1, count: 200_000))
        let peers = try [0, 5, 60, 3000, 100_000].map { part in
            let peer = try service.peer()
            peer.send(request[..<part])
            return peer
        }
        let idle = try service.peer()
        idle.send(Wire.request("/all", keep: true))
        #expect(idle.reply()?.status == 200)
        let blind = try service.peer()
        blind.send(Wire.request("/long"))
        #expect(eventually { service.server.statistics.timeouts == 5 })
        #expect(blind.reply() == nil, "cut short")
        #expect(idle.sawEnd())
        for peer in peers {
            #expect(peer.reply()?.status != 200)
            #expect(peer.sawEnd())
        }
        #expect(service.answers())
        #expect(service.stop() == .finished)
    }

    @Test func `At the limit of connections the idlest makes room`() throws {
        let service = try Service { $0.connections = 10 }
        let peers = try (0..<25).map { _ in try service.peer() }
        #expect(service.answers())
        #expect(service.server.statistics.waiting <= 10)
        #expect(peers[0].sawEnd())
        service.stop()
    }

    @Test func `Without descriptors accepting pauses and goes on`() async {
        await #expect(processExitsWith: .success) {
            let service = try Service()
            try #require(service.answers())
            let peers = (0..<20).map { _ in Peer() }
            let highest = try #require(peers.map(\.descriptor).max())
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(7), &limit)
            var low = limit
            low.rlim_cur = rlim_t(highest) + 3
            unsafe setrlimit(__rlimit_resource_t(7), &low)
            for peer in peers {
                try #require(peer.connect(to: service.path))
                peer.send(Wire.request("/wait"))
            }
            try #require(eventually { service.server.statistics.pauses > 0 })
            unsafe setrlimit(__rlimit_resource_t(7), &limit)
            for _ in peers { service.gate.signal() }
            for peer in peers { try #require(peer.reply()?.status == 200) }
            try #require(service.answers())
            try #require(service.stop() == .finished)
        }
    }
}
