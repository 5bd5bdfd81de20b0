import API
import FastCGI
import Foundation
import Inference
import System
import TestSupport
import Testing

@testable import denoiser

@Suite struct `Requests over FastCGI` {
    private func serving(
        _ arguments: String..., changing change: (inout ServiceConfiguration) -> Void = { _ in },
        body: (TestedService, ServiceSnapshot, Client) throws -> Void
    ) throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            var configuration = try service.configuration(arguments)
            change(&configuration)
            let snapshot = try ServiceSnapshot(configuration, after: nil, service.state)
            try service.serving(snapshot) { try body(service, snapshot, $0) }
        }
    }

    @Test func `are answered by the routes, with the status and headers of the route`() throws {
        try serving { _, snapshot, client throws in
            let texts = try client.ask("/denoise/text", #"{"texts":["the sea","cat"]}"#)
            #expect(texts.status == 200 && texts.text.contains(#""shape":[2,384]"#))
            #expect(texts.headers["content-type"] == "application/json")
            #expect(texts.headers["x-model-version"] == snapshot.model.current()?.version)
            let missing = try client.ask("/nowhere")
            #expect(missing.status == 404 && missing.text == #"{"detail":"Not Found"}"#)
            let put = try client.ask("/health", method: "PUT")
            #expect(put.status == 405 && put.headers["allow"] == "GET")
            let head = try client.ask("/docs", method: "HEAD")
            #expect(head.body.isEmpty)
        }
    }

    @Test func `with a body of another length than declared have none`() throws {
        try serving { service, _, client throws in
            let body = Array(#"{"texts":["the sea"]}"#.utf8)
            for length in [body.count - 1, body.count + 1] {
                let reply = try? client.send(
                    Wire.request(
                        "/denoise/text", body: body, length: length,
                        more: [("CONTENT_TYPE", "application/json")]))
                #expect(reply?.status != 200, "declared \(length)")
            }
            #expect(try client.ask("/health").status == 200)
        }
    }

    @Test(arguments: [
        ("0af3-B.c_9", true), ("a\r\nx: 1", false), ("a b", false), ("", false),
        (String(repeating: "x", count: 128), true), (String(repeating: "x", count: 129), false),
    ])
    func `bear the id that the web server gave them, if it can break no line`(
        id: String, isTaken: Bool
    ) throws {
        try serving { _, _, client throws in
            let reply = try client.ask("/health", more: [("REQUEST_ID", id)])
            #expect(reply.status == 200)
            #expect(reply.headers["x-request-id"] == (isTaken ? id : nil))
        }
    }

    @Test func `that waited past their deadline are answered as late, but not forms`() throws {
        try serving(changing: { $0.limits.requestDeadline = 0 }) { service, _, client throws in
            // The first would also be late for the encoder; the second would be answered.
            for late in [
                try client.ask("/denoise/text", #"{"texts":["the sea"]}"#),
                try client.ask("/health"),
            ] { #expect(late.status == 503 && late.headers["retry-after"] != nil) }
            // The polling thread answers it if it comes before a request thread.
            #expect(
                eventually {
                    service.state.metrics.count(of: .late) + client.statistics().lateAnswers == 2
                })
            let form = try client.upload("\n")
            #expect(form.status == 422, "what is blank trains nothing: \(form.text)")
        }
    }

    @Test func `say how the client came only through a trusted web server`() throws {
        try serving("--forwarded-allow-ips", "10.0.0.1") { _, _, client throws in
            func location(from peer: String) throws -> String? {
                try client.ask(
                    "/upload",
                    more: [
                        ("HTTP_X_FORWARDED_PROTO", "https"), ("REMOTE_ADDR", peer),
                        ("HTTP_HOST", "example.org"),
                    ]
                ).headers["location"]
            }
            #expect(try location(from: "10.0.0.1") == "https://example.org/upload/")
            #expect(try location(from: "10.0.0.2") == "http://example.org/upload/")
        }
    }

    @Test func `are counted by route and status, with the stages they went through`() throws {
        try serving { service, _, client throws in
            _ = try client.ask("/denoise/text", #"{"texts":["the sea"]}"#)
            _ = try client.ask("/denoise/text", #"{"texts":7}"#)
            _ = try client.ask("/nowhere")
            func figures() -> String {
                var text = MetricsText()
                service.state.metrics.write(into: &text)
                return text.text
            }
            // A request is counted once it is answered, so its client may come first.
            let requests = "denoiser_requests_total"
            for line in [
                #"\#(requests){route="none",status="404"} 1"#,
                #"\#(requests){route="/denoise/text",status="200"} 1"#,
                #"\#(requests){route="/denoise/text",status="422"} 1"#,
            ] { #expect(eventually { figures().contains(line) }, "\(line)") }
            for stage in ["queue", "memory", "read", "parse", "encode", "denoise", "write"] {
                #expect(
                    figures().contains(#"route="/denoise/text",stage="\#(stage)"}"#), "\(stage)")
            }
        }
    }

    @Test func `give back the memory they took`() throws {
        try serving { _, snapshot, client throws in
            let rows = Array(
                repeating: "[\(Array(repeating: "0.5", count: 384).joined(separator: ","))]",
                count: 20)
            let body = #"{"embeddings":[\#(rows.joined(separator: ","))]}"#
            #expect(try client.ask("/denoise/embedding", body).status == 200)
            #expect(try client.ask("/denoise/embedding", body + "x").status == 422)
            #expect(try client.upload("\n").status == 422)
            #expect(
                eventually {
                    snapshot.plan.budgets.all.allSatisfy { $0.budget.usage.taken == 0 }
                })
        }
    }
}
