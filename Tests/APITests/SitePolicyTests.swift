import Testing
import StandIns

@testable import API

@Suite struct `The site policy` {
    @Test(
        arguments: [
            // What is no browser.
            ([:], true),
            // Old browsers send the origin alone.
            (["origin": "http://here.example"], true), (["origin": "https://here.example"], true),
            (["origin": "https://HERE.example:443"], true),
            (["origin": "https://evil.example"], false), (["origin": "null"], false),
            (["origin": "http://here.example.evil.example"], false),
            (["origin": "http://here.example:8080"], false), (["origin": "nonsense"], false),
            (["origin": ""], false),
            (["host": "here.example:8080", "origin": "http://here.example:8080"], true),
            (["host": "here.example:8080", "origin": "http://here.example"], false),
            (["host": "[::1]:8000", "origin": "http://[::1]:8000"], true),
            (["host": "[::1]", "origin": "http://[::1]"], true),
            // The browser's word on where the page is from.
            (["sec-fetch-site": "same-origin", "origin": "https://front.example"], true),
            (["sec-fetch-site": "same-origin", "origin": "null"], true),
            (["sec-fetch-site": "none"], true),
            (["sec-fetch-site": "cross-site"], false),
            (["sec-fetch-site": "cross-site", "origin": "http://here.example"], false),
            (["sec-fetch-site": "same-site", "origin": "http://other.here.example"], false),
            (["sec-fetch-site": "same-site", "origin": "http://here.example"], true),
            (["sec-fetch-site": "same-site"], false), (["sec-fetch-site": "new"], false),
        ] as [([String: String], Bool)])
    func `an upload is taken from pages of the own host only`(
        headers: [String: String], isTaken: Bool
    ) throws {
        let service = StandInService()
        let answer = try upload(headers, to: Application(service: service))
        #expect(answer.status == (isTaken ? 200 : 403), "\(headers)")
        #expect(service.trained.count == (isTaken ? 1 : 0))
        if !isTaken { #expect(text(answer).hasPrefix(#"{"detail":"Uploads from pages"#)) }
    }

    @Test func `an origin that is named may upload, and all may where all are`() throws {
        var sites = SitePolicy()
        sites.origins = ["https://app.example"]
        for (origin, status) in [("https://app.example", 200), ("https://evil.example", 403)] {
            let headers = ["origin": origin, "sec-fetch-site": "cross-site"]
            let application = Application(service: StandInService(), sites: sites)
            #expect(try upload(headers, to: application).status == status)
        }
        sites.origins = ["*"]
        let application = Application(service: StandInService(), sites: sites)
        #expect(try upload(["sec-fetch-site": "cross-site"], to: application).status == 200)
    }

    @Test func `with keys it is the key that counts`() throws {
        let keys = try AccessKeys(parsing: "train 0123456789abcdef")
        let application = Application(service: StandInService(), keys: keys)
        let site = ["sec-fetch-site": "cross-site"]
        #expect(try upload(site, to: application).status == 401)
        let known = site.merging(["authorization": "Bearer 0123456789abcdef"]) { $1 }
        #expect(try upload(known, to: application).status == 200)
    }

    @Test(arguments: [
        ("here.example", 200), ("HERE.example:8000", 200), ("a.below.example", 200),
        ("below.example", 400), ("evil.example", 400), ("", 400), ("xhere.example", 400),
        ("[::1]:80", 200),
    ])
    func `of other names than the allowed none is answered`(host: String, status: Int) {
        var sites = SitePolicy()
        sites.hosts = ["here.example", "*.below.example", "[::1]"]
        let application = Application(service: StandInService(), sites: sites)
        var body = PiecewiseBody([])
        let request = Request(method: "GET", path: "/health", headers: ["host": host])
        #expect(application.respond(to: request, body: &body).status == status)
    }

    private func upload(
        _ headers: [String: String], to application: Application
    ) throws -> Response {
        var body = PiecewiseBody(form(Array("one".utf8)))
        let all = ["host": "here.example", "content-type": "multipart/form-data; boundary=X"]
            .merging(headers) { $1 }
        return application.respond(
            to: Request(method: "POST", path: "/upload/", headers: all), body: &body)
    }
}
