import Testing
import StandIns

@testable import API

private let use = "use-use-use-use-use"
private let train = "train-train-train-train"

private func application() throws -> Application {
    let keys = try AccessKeys(parsing: "# keys\n\nuse \(use)\n  train\t\(train)\nuse \(train)\n")
    return Application(service: StandInService(), keys: keys)
}

private func answer(
    _ method: String, _ path: String, _ authorization: String?
) throws -> Response {
    var body = PiecewiseBody(path == "/upload/" ? form(Array("one two".utf8)) : Array("{}".utf8))
    var headers = [
        "content-type": path == "/upload/" ? "multipart/form-data; boundary=X" : "application/json"
    ]
    headers["authorization"] = authorization
    return try application().respond(
        to: Request(method: method, path: path, headers: headers), body: &body)
}

@Suite struct `Access keys` {
    @Test(arguments: ["/denoise/text", "/denoise/embedding", "/upload/"])
    func `without a key there is no answer but how to ask`(path: String) throws {
        for authorization in [nil, "", "Bearer", "Basic \(train)", train] {
            let answer = try answer("POST", path, authorization)
            #expect(answer.status == 401)
            #expect(text(answer) == #"{"detail":"Not authenticated"}"#)
            #expect(answer["www-authenticate"] == "Bearer")
        }
    }

    @Test(arguments: ["wrong-wrong-wrong", use + "x", String(use.dropLast()), "use", ""])
    func `a wrong key is told from none`(key: String) throws {
        let answer = try answer("POST", "/denoise/text", "Bearer \(key)x")
        #expect(answer.status == 401)
        #expect(text(answer) == #"{"detail":"Invalid authentication credentials"}"#)
        #expect(answer["www-authenticate"] == "Bearer")
    }

    @Test func `a key to use does not train, one to train does both`() throws {
        // 422: let in, and then found wanting.
        #expect(try answer("POST", "/denoise/text", "Bearer \(use)").status == 422)
        #expect(try answer("POST", "/denoise/embedding", "bearer  \(train)").status == 422)
        #expect(try answer("POST", "/upload/", "Bearer \(train)").status == 200)
        let refusal = try answer("POST", "/upload/", "Bearer \(use)")
        #expect(refusal.status == 403)
        #expect(text(refusal) == #"{"detail":"This key may not train"}"#)
    }

    @Test(arguments: ["/", "/health", "/openapi.json", "/docs", "/redoc"])
    func `what says nothing about anyone is open`(path: String) throws {
        #expect(try answer("GET", path, nil).status == 200)
    }

    @Test func `paths that are none, and other methods, are answered as without keys`() throws {
        #expect(try answer("GET", "/nowhere", nil).status == 404)
        #expect(try answer("GET", "/upload/", nil).status == 405)
        #expect(try answer("POST", "/upload", nil).status == 307)
    }

    @Test func `a request without a key is not read`() throws {
        var body = PiecewiseBody(Array("{}".utf8))
        _ = try application().respond(
            to: Request(method: "POST", path: "/denoise/text"), body: &body)
        #expect(body.position == 0)
    }

    @Test(arguments: [
        ("", 0), ("# nothing\n", 0), ("use\n", 1), ("\nread \(use)", 2), ("use \(use) \(use)", 1),
        ("use short", 1), ("use \(use)é", 1), ("use \(use)\ntrain \u{7F}\(use)", 2),
    ])
    func `a file that cannot be used says where, and never the key`(text: String, line: Int) {
        do throws(AccessKeys.Fault) {
            _ = try AccessKeys(parsing: text)
            Issue.record("accepted")
        } catch {
            #expect(error.line == line)
            #expect(!error.reason.contains(use))
        }
    }
}
