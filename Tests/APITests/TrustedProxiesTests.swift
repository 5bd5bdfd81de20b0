import Foundation
import Testing
import TestSupport

@testable import API

@Suite struct `The trusted proxies` {
    private struct Recorded: Decodable {
        var trusted: String
        var peer: String
        var value: String
        var scheme: String
    }

    @Test func `the scheme is the one that uvicorn takes from such a peer`() throws {
        let cases = try fixtures.decoded([Recorded].self, "proxies.json")
        #expect(cases.count > 400)
        for recorded in cases {
            let proxies = try TrustedProxies(recorded.trusted)
            let headers = ["x-forwarded-proto": recorded.value]
            let scheme = proxies.scheme(of: headers, from: recorded.peer) ?? "from below"
            #expect(scheme == recorded.scheme, "\(recorded)")
        }
    }

    @Test func `loopback and Unix sockets are trusted at first, all others are not`() throws {
        let headers = ["x-forwarded-proto": "https"]
        for peer in ["127.0.0.1", "::1", "unix:", "::ffff:127.0.0.1"] {
            #expect(try TrustedProxies().scheme(of: headers, from: peer) == "https", "\(peer)")
        }
        for peer in [nil, "", "203.0.113.9", "unix:/x", "127.0.0.1, 127.0.0.1", "::ffff:10.0.0.1"] {
            #expect(try TrustedProxies().scheme(of: headers, from: peer) == nil, "\(peer ?? "")")
        }
        #expect(try TrustedProxies().scheme(of: [:], from: "127.0.0.1") == nil)
    }

    @Test(arguments: [
        ("10.0.0.1/8", "bits beyond"), ("10.0.0.0/33", "number of bits"),
        ("::/129", "number of bits"),
        ("10.0.0.0/", "number of bits"), ("10.0.0.0/255.0.255.0", "number of bits"),
        ("127.0.0.1,fd00::1/8", "bits beyond"),
    ])
    func `what looks like a network and is none is refused with the reason`(
        list: String, reason: String
    ) {
        #expect {
            _ = try TrustedProxies(list)
        } throws: {
            "\($0)".contains(reason)
        }
    }
}
