import Foundation
import Testing
import StandIns

@testable import API

@Suite struct `Router` {
    private func answer(_ request: Request) -> Response {
        var body = PiecewiseBody([])
        return Application(service: StandInService()).respond(to: request, body: &body)
    }

    /// Measured with Starlette 1.10: what may be a host keeps its place, what may not is replaced.
    @Test(arguments: [
        ("h.example", true), ("h.example:8080", true), ("[::1]:99", true), ("[1::]", true),
        ("[::]", true),
        ("[1:2:3:4:5:6:7:8]", true), ("[1:2:3:4:5:6:7::]", true), ("[::1.2.3.4]", true),
        ("h:0", true),
        ("[1:2:3:4:5:6:1.2.3.4]", true), ("[v1.a:b]", true), ("h:000000080", true), ("a%41b", true),
        ("A_b~!$&'()*+,;=", true), ("[fe80::1]:065535", true), ("", false), ("bad host", false),
        ("u@h", false),
        ("h:", false), ("h:99999", false), ("h:8x", false), ("a/b", false), ("a?b", false),
        ("[1:2]", false),
        ("[::]:65536", false), ("[1:2:3:4:5:6:7:8:9]", false), ("[::01.2.3.4]", false),
        ("[:1::]", false),
        ("[::1.2.3.256]", false), ("[1::2::3]", false), ("[1:::2]", false), ("[12345::]", false),
        ("[v.a]", false),
        ("[V1.a]", false), ("[::1%25eth0]", false), ("[::1]x", false), ("[1.2.3.4]", false),
        ("[g::]", false),
        (":80", false), ("xn--\u{E9}", false), ("[1:2:3:4:5:6:7:1.2.3.4]", false),
    ])
    func `redirects name the host asked for if it is one`(host: String, isTrusted: Bool) {
        let answer = answer(
            Request(
                method: "GET", path: "/health/", headers: ["host": host], scheme: "https",
                server: "127.0.0.1:8231"))
        #expect(answer.status == 307)
        #expect(answer["location"] == "https://\(isTrusted ? host : "127.0.0.1:8231")/health")
        #expect(answer["content-type"] == nil)
    }

    @Test(arguments: [
        ("/health//", "", "/health"),
        ("/upload", "a=b", "/upload/?a=b"),
        ("/docs/oauth2-redirect/", "", "/docs/oauth2-redirect"),
        ("/health/", "%zz+b;c", "/health?%zz+b;c"),
        (
            "/upload", #"a=<b>&c="d"^`{|}~%20\"#,
            "/upload/?a=%3Cb%3E&c=%22d%22%5E%60%7B%7C%7D~%20%5C"
        ),
    ])
    func `redirects quote what they name`(path: String, query: String, location: String) {
        #expect(answer(Request(method: "GET", path: path, query: query))["location"] == location)
    }

    @Test func `below a mount point, links and documents name it`() {
        func below(_ path: String, _ method: String = "GET") -> Response {
            answer(
                Request(
                    method: method, path: path, rootPath: "/api/v1", headers: ["host": "h"]))
        }
        #expect(below("/health/")["location"] == "http://h/api/v1/health")
        #expect(below("")["location"] == "http://h/api/v1/")
        #expect(text(below("/")) == text(answer(Request(method: "GET", path: "/"))))
        let plain = text(answer(Request(method: "GET", path: "/openapi.json")))
        let servers = #","servers":[{"url":"/api/v1"}]}"#
        #expect(text(below("/openapi.json")) == plain.dropLast() + servers)
        #expect(
            below("/openapi.json", "HEAD")["content-length"]
                == String(plain.utf8.count + servers.utf8.count - 1))
        #expect(text(below("/docs")).contains("url: '/api/v1/openapi.json'"))
    }

    /// A line feed at the end too: Python's patterns match before it, a web server's rules do not.
    @Test(arguments: [
        "//", "//health", "/Health", "/health\n", "/health\n\n", "/health\n/", "/upload\n",
        "/upload/\n", "/denoise/text\n", "/\n", "/nope/", "/denoise/", "", "/health\u{2028}",
    ])
    func `what is no route is not found`(path: String) {
        let answer = answer(Request(method: "GET", path: path, rootPath: path.isEmpty ? "" : "/x"))
        if path.isEmpty {
            #expect(answer["location"] == "/")
        } else {
            #expect(answer.status == 404)
            #expect(text(answer) == #"{"detail":"Not Found"}"#)
        }
    }

    @Test(arguments: ["get", "FOO", "CONNECT", "OPTIONS", ""])
    func `an unknown method is not allowed`(method: String) {
        let answer = answer(Request(method: method, path: "/openapi.json"))
        #expect(answer.status == 405)
        #expect(answer["allow"] == "GET, HEAD")
    }

    @Test func `an answer to HEAD has the length and no body`() {
        for path in ["/openapi.json", "/docs", "/nope", "/", "/health"] {
            let get = answer(
                Request(method: path == "/" || path == "/health" ? "PUT" : "GET", path: path))
            let head = answer(Request(method: "HEAD", path: path))
            #expect(head.status == get.status)
            #expect(head.body.isEmpty)
            #expect(head["content-length"] == String(get.body.count))
        }
    }
}
