import Foundation
import Testing
import TestSupport

@testable import FastCGI

@Suite struct `Hostile peers` {
    /// Streams tried; a long run sets the variable.
    private static let rounds =
        ProcessInfo.processInfo.environment["FASTCGI_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 500

    @Test func `Damaged streams harm nobody else`() throws {
        let service = try Service {
            $0.headTime = .milliseconds(500)
            $0.bodyTime = .milliseconds(500)
        }
        var random = SystemRandomNumberGenerator()
        let values = Wire.record(9, id: 0, Wire.pairs([("FCGI_MPXS_CONNS", "")]))
        let seeds: [[UInt8]] = [
            Wire.request("/all", body: [UInt8](repeating: 65, count: 900), keep: true),
            Wire.request("/part", body: [UInt8](repeating: 1, count: 90_000)),
            values + Wire.request("/none", keep: true) + values,
            Wire.begin(id: 2) + Wire.begin() + Wire.request("/echo", body: [1, 2, 3], id: 2),
        ]
        var recent: [Peer] = []
        for round in 0..<Self.rounds {
            var stream = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let place = Int.random(in: 0..<min(stream.count, 400), using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: stream[place] = .random(in: 0...255, using: &random)
                case 1: stream[place] = [0, 1, 127, 128, 255][place % 5]
                case 2: stream.removeSubrange(place..<min(stream.count, place + 9))
                default: stream.insert(contentsOf: stream.prefix(place), at: place)
                }
                if stream.isEmpty { stream = [1] }
            }
            let peer = try service.peer()
            peer.send(stream)
            // Some leave at once, others stay a while.
            if round % 3 > 0 { recent.append(peer) }
            if recent.count > 60 { recent.removeFirst() }
            if round % 100 == 0 { #expect(service.answers(), "after round \(round)") }
        }
        recent.removeAll()
        #expect(eventually { service.server.statistics.inFlight == 0 })
        #expect(service.answers())
        #expect(service.stop() == .finished)
        print("\(Self.rounds) damaged streams: \(service.server.statistics)")
    }

    @Test func `A management record in a body goes no further than the gate`() throws {
        let service = try Service()
        let peer = try service.peer()
        let asked = Wire.record(9, id: 0, Wire.pairs([("FCGI_MPXS_CONNS", "")]))
        let content = Wire.pairs(Wire.parameters("/echo", length: 100_000))
        let half = [UInt8](repeating: 66, count: 50_000)
        peer.send(
            Wire.begin(keep: true) + Wire.record(4, content) + Wire.record(4)
                + Wire.record(5, half) + asked + Wire.record(77, id: 0) + Wire.record(5, half))
        #expect(peer.nextRecord()?.type == 10)
        #expect(peer.nextRecord()?.type == 11)
        peer.send(asked + Wire.record(5))
        #expect(peer.nextRecord()?.type == 10)
        #expect(peer.reply()?.body == half + half)
        service.stop()
    }

    @Test func `Two requests at a time are declined, and the first is served`() throws {
        let service = try Service()
        let peer = try service.peer()
        let content = Wire.pairs(Wire.parameters("/echo", length: 2))
        peer.send(Wire.begin(keep: true) + Wire.record(4, content) + Wire.record(4))
        peer.send(Wire.request("/second", id: 2))
        #expect(peer.reply(to: 2)?.protocolStatus == 1)
        peer.send(Wire.body([65, 66]))
        #expect(peer.reply()?.text == "AB")
        peer.send(Wire.request("/third", keep: true, id: 2))
        #expect(peer.reply(to: 2)?.status == 200)
        #expect(service.paths == ["/echo", "/third"])
        service.stop()
    }
}
