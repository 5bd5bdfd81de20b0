import Testing

@testable import FastCGI

@Suite struct `The parameters of a request` {
    private func parameters(_ entries: [String]) -> Parameters {
        Parameters(environment: entries.flatMap { Array($0.utf8) + [0] })
    }

    /// What web servers send for a route, and the path and mount point it means.
    private static let places: [(entries: [String], path: String, root: String)] = [
        // nginx, its stock parameter file.
        (["SCRIPT_NAME=/health", "DOCUMENT_URI=/health"], "/health", ""),
        // nginx below a prefix, with fastcgi_split_path_info.
        (
            ["SCRIPT_NAME=/api/v1", "PATH_INFO=/upload/", "DOCUMENT_URI=/api/v1/upload/"],
            "/upload/", "/api/v1"
        ),
        // A configuration that sets the whole path twice.
        (["SCRIPT_NAME=/health", "PATH_INFO=/health", "DOCUMENT_URI=/health"], "/health", ""),
        (["SCRIPT_NAME=/x/index", "PATH_INFO=/health", "DOCUMENT_URI=/health"], "/health", ""),
        // Apache.
        (["SCRIPT_NAME=/app.fcgi", "PATH_INFO=/upload/"], "/upload/", "/app.fcgi"),
        (["SCRIPT_NAME=/app/", "PATH_INFO=/"], "/", "/app"),
        // Apache with a rewrite rule: the address without the script, and with it.
        (["SCRIPT_NAME=/a.fcgi", "PATH_INFO=/docs", "REQUEST_URI=/docs?x"], "/docs", ""),
        (
            ["SCRIPT_NAME=/sub/a.fcgi", "PATH_INFO=/docs", "REQUEST_URI=//evil/../sub/docs"],
            "/docs", "/sub"
        ),
        (
            ["SCRIPT_NAME=/sub/a.fcgi", "PATH_INFO=/docs", "REQUEST_URI=/sub/a.fcgi/docs"],
            "/docs", "/sub/a.fcgi"
        ),
        // lighttpd.
        (["SCRIPT_NAME=/denoise/text", "PATH_INFO="], "/denoise/text", ""),
        (["SCRIPT_NAME=", "PATH_INFO=/denoise/text"], "/denoise/text", ""),
        // One character with the mark behind it, and a slash all the same.
        (["SCRIPT_NAME=/a/", "PATH_INFO=/\u{307}x"], "/\u{307}x", "/a"),
        // What the client wrote never decides.
        (["REQUEST_URI=/health", "DOCUMENT_URI=/upload/"], "/upload/", ""),
        (["DOCUMENT_URI=odd"], "/odd", ""),
        ([], "/", ""),
    ]

    @Test(arguments: places)
    func `Path and mount point are what the web server matched`(
        entries: [String], path: String, root: String
    ) {
        let found = parameters(entries)
        #expect(found.path == path)
        #expect(found.rootPath == root)
    }

    @Test func `Of duplicates the last counts`() {
        let found = parameters(["SCRIPT_NAME=/default", "A=1", "SCRIPT_NAME=/override", "A="])
        #expect(found.path == "/override")
        #expect(found["A"] == nil)
    }

    @Test func `Headers have their lower-case names, and Proxy is none`() {
        let found = parameters([
            "HTTP_ACCEPT=*/*", "HTTP_X_FORWARDED_FOR=1", "HTTP_PROXY=http://evil", "CONTENT_TYPE=a",
            "CONTENT_LENGTH=12", "HTTP_CONTENT_LENGTH=99", "HTTP_CONTENT_TYPE=b",
            "REDIRECT_HTTP_AUTHORIZATION=Bearer x", "HTTP_HOST=h=1", "PATH=/bin",
        ])
        let fields = [
            "accept": "*/*", "x-forwarded-for": "1", "content-type": "a",
            "content-length": "12", "authorization": "Bearer x", "host": "h=1",
        ]
        for (name, value) in fields { #expect(found.header(name) == value) }
        for name in ["proxy", "path", "", "redirect-http-authorization", "x-forwarded"] {
            #expect(found.header(name) == nil)
        }
        #expect(found.contentLength == 12)
        let empty = parameters(["CONTENT_TYPE=", "CONTENT_LENGTH=", "HTTP_AUTHORIZATION="])
        #expect(empty.header("content-type") == nil && empty.header("content-length") == nil)
        #expect(empty.header("authorization") == "")
    }

    @Test func `A header's variable in a spelling that no web server writes is none`() {
        let odd = ["HTTP_PROXy=http://evil", "HTTP_proxy=http://evil", "HTTP_X-A=2", "HTTP_x_a=3"]
        let found = parameters(["HTTP_X_A=1"] + odd)
        #expect(found.header("x-a") == "1" && found.header("proxy") == nil)
        #expect(parameters(odd).header("x-a") == nil)
    }

    @Test func `The public address is what the client used`() {
        #expect(parameters([]).scheme == "http")
        #expect(parameters(["HTTPS=on"]).scheme == "https")
        #expect(parameters(["HTTPS=off"]).scheme == "http")
        #expect(parameters(["REQUEST_SCHEME=https", "HTTPS="]).scheme == "https")
    }

    @Test func `The port of a scheme that a proxy told is left out of the server's address`() {
        let found = parameters(["SERVER_NAME=b", "SERVER_PORT=443"])
        #expect(found.server(under: "https") == "b" && found.server(under: "wss") == "b")
        #expect(found.server(under: "http") == "b:443" && found.server(under: "ws") == "b:443")
    }

    @Test func `A request for the mount point itself has an empty path`() {
        let found = parameters(["DOCUMENT_URI=/api/v1", "DENOISER_MOUNT=/api/v1"])
        #expect(found.path == "" && found.rootPath == "/api/v1")
        let sent = parameters(["DOCUMENT_URI=/health", "HTTP_DENOISER_MOUNT=/api/v1"])
        #expect(sent.path == "/health" && sent.rootPath == "")
    }

    private func server(_ parameters: Parameters) -> String {
        parameters.server(under: parameters.scheme)
    }

    @Test func `The server's own address does not depend on what the client calls it`() {
        #expect(server(parameters([])) == "localhost")
        #expect(server(parameters(["HTTP_HOST=a:81", "SERVER_NAME=b"])) == "b")
        #expect(server(parameters(["SERVER_NAME=b", "SERVER_PORT=80"])) == "b")
        #expect(server(parameters(["SERVER_NAME=b", "SERVER_PORT=8080"])) == "b:8080")
        #expect(server(parameters(["HTTPS=on", "SERVER_NAME=b", "SERVER_PORT=443"])) == "b")
        let six = parameters(["SERVER_NAME=_", "SERVER_ADDR=::1", "SERVER_PORT=81"])
        #expect(server(six) == "[::1]:81")
        #expect(server(parameters(["SERVER_NAME=b", "SERVER_ADDR=unix:/a"])) == "b")
    }

    @Test func `A header's value keeps every byte`() {
        let type = Array("CONTENT_TYPE=a".utf8) + [0xE9, 0xA0]
        #expect(Parameters(environment: type + [0]).header("content-type") == "a\u{E9}\u{A0}")
    }

    @Test func `Bytes that are not UTF-8 do no harm`() {
        let found = Parameters(environment: Array("PATH_INFO=/".utf8) + [0xFF, 0xC3, 0])
        #expect(found.path == "/\u{FFFD}\u{FFFD}")
    }

    @Test(arguments: [
        [], [0], [1], [65_453], [65_454], [65_455], [200_001],
        [0, 1, 0, 65_528, 65_529, 3, 131_056],
    ])
    func `An answer's records carry it whole, without injected headers`(sizes: [Int]) throws {
        let pieces = sizes.enumerated().map { [UInt8](repeating: UInt8($0 + 1), count: $1) }
        let answer = Answer(
            status: 299, headers: [("A", "1\r\n\r\nevil"), ("B\r\nC", "2"), ("", "3")],
            pieces: pieces)
        var content: [UInt8] = []
        var rest = answer.records(id: 258, withoutBody: false).bytes[...]
        var types: [UInt8] = []
        while let type = rest.dropFirst().first {
            let head = Array(rest.prefix(8))
            let length = Int(head[4]) << 8 | Int(head[5])
            #expect(head[2] == 1 && head[3] == 2 && head[6] == 0)
            #expect(length <= 65_528)
            types.append(type)
            if type == 6 { content += rest.dropFirst(8).prefix(length) }
            rest = rest.dropFirst(8 + length)
            // The end of the stream has no content, and nothing else but the request's end follows.
            #expect((type == 6 && length == 0) == (rest.count == 16))
        }
        #expect(types.last == 3 && types.dropLast().allSatisfy { $0 == 6 })
        let body = Array(pieces.joined())
        let head =
            "Status: 299 Status\r\nA: 1    evil\r\nContent-Length: \(body.count)\r\n\r\n"
        #expect(content == Array(head.utf8) + body)
        // One piece begins behind the head, and its records are full.
        if pieces.count == 1 { #expect(types.count == (content.count + 65_527) / 65_528 + 2) }
    }
}
