import Foundation
import Inference
import JSON
import StandIns
import Testing

@testable import API

/// The routes, with the one for texts also under a path that has OpenAI's shape of errors.
private let routes =
    Route.all + [
        Route("/v1/other", ["POST"], right: .use, work: .texts) {
            DenoiseTextEndpoint(context: $0)
        }
    ]

private func post(
    _ path: String, _ body: String, error: InferenceError? = nil, keys: AccessKeys? = nil,
    method: String = "POST", limits: Limits = Limits()
) -> Response {
    var source = PiecewiseBody(Array(body.utf8))
    let application = Application(
        service: StandInService(error: error), limits: limits, keys: keys, routes: routes)
    return application.respond(
        to: Request(
            method: method, path: path, headers: ["content-type": "application/json"]),
        body: &source)
}

@Suite struct `A route` {
    @Test(
        arguments: [
            (#"{"texts":["a"]}"#, .overloaded(retryAfter: 7), 429, "the service is busy"),
            (#"{"texts":["a"]}"#, .failed("no memory"), 500, "the request failed: no memory"),
            (#"{"texts":3}"#, nil, 400, "Input should be a valid list"),
            ("", nil, 400, "Field required"), ("[", nil, 400, "JSON decode error"),
        ] as [(String, InferenceError?, Int, String)])
    func `renders its errors in its own shape`(
        body: String, error: InferenceError?, status: Int, message: String
    ) throws {
        let answer = post("/v1/other", body, error: error)
        #expect(answer.status == status)
        #expect(answer["content-type"] == "application/json")
        let object = try JSONValue(parsing: answer.body)
        guard case .object(let members) = object, case .object(let error) = members["error"] else {
            Issue.record("\(text(answer))")
            return
        }
        #expect(error["message"] == .string(message))
        #expect(answer.route == "/v1/other")
        #expect(text(post("/denoise/text", body, error: nil)).contains(#""error":{"mess"#) == false)
    }

    @Test func `renders what is refused before its endpoint is asked in the same shape`() throws {
        let keys = try AccessKeys(parsing: "use 0123456789abcdef")
        let key = post("/v1/other", "", keys: keys)
        #expect(text(key).hasPrefix(#"{"error":{"message":"Not authenticated","type":"inv"#))
        #expect(key["www-authenticate"] == "Bearer")
        let method = post("/v1/other", "", method: "PUT")
        #expect(text(method).hasPrefix(#"{"error":{"message":"Method Not Allowed","type":"in"#))
        #expect(method["allow"] == "POST")
        var limits = Limits()
        limits.bodyBytes = 1
        #expect(
            text(post("/v1/other", "{}", limits: limits)).hasPrefix(#"{"error":{"message":"Req"#))
    }

    @Test func `keeps headers and the reason in any shape`() {
        for path in ["/v1/other", "/denoise/text"] {
            let answer = post(path, #"{"texts":["a"]}"#, error: .overloaded(retryAfter: 7))
            #expect(answer["retry-after"] == "7")
            #expect(answer.unserved == .refused)
        }
    }

    @Test func `renders an error that another layer finds`() {
        let application = Application(service: StandInService(), routes: routes)
        let answer = application.response(to: .late, at: "/v1/other")
        #expect(answer.status == 429)
        #expect(text(answer).contains(#""code":"rate_limit_exceeded""#))
        #expect(answer.unserved == .late)
        let plain = text(application.response(to: .late, at: "/nowhere"))
        #expect(plain == #"{"detail":"伺服器忙碌中，請稍後再試"}"#)
    }

    @Test(
        arguments: [
            ("/denoise/embedding", .rows), ("/api/v1/denoise/embedding", .rows),
            ("/x/denoise/text", .texts), ("/upload/", .training), ("/nowhere", nil),
        ] as [(String, Route.Work?)])
    func `is found by the end of a path below any mount point`(path: String, work: Route.Work?) {
        #expect(Route.ending(path.utf8)?.work == work)
    }

    @Test func `has a path of its own, and its description names schemas that are there`() throws {
        #expect(Set(Route.all.map(\.path)).count == Route.all.count)
        let document = String(
            decoding: OpenAPIDocument.printed(belowMountPoint: ""), as: UTF8.self)
        for match in document.matches(of: /schemas\/([A-Za-z_]+)/) {
            #expect(document.contains("\"\(match.1)\":{"), "\(match.1)")
        }
        for route in Route.all where route.description != nil {
            #expect(document.contains("\"\(route.path)\":{"))
        }
    }

    @Test func `lists every issue of a long list, whatever the pieces it is rendered in`() throws {
        var limits = Limits()
        (limits.issues, limits.texts) = (4_000, 4_000)
        let body = #"{"texts":[\#((0..<4_000).map(String.init).joined(separator: ","))]}"#
        let answer = post("/denoise/text", body, limits: limits)
        #expect(answer.pieces.count > 2)
        let object = try JSONSerialization.jsonObject(with: Data(answer.body))
        let list = (object as? [String: Any])?["detail"] as? [[String: Any]]
        #expect(list?.count == 4_000)
        #expect(list?.last?["input"] as? Int == 3_999)
    }
}
