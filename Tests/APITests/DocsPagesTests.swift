import Foundation
import StandIns
import Testing
import TestSupport

@testable import API

@Suite struct `The documentation pages` {
    private func page(_ path: String, below root: String = "") -> Response {
        var body = PiecewiseBody([])
        return Application(service: StandInService())
            .respond(to: Request(method: "GET", path: path, rootPath: root), body: &body)
    }

    @Test(arguments: ["", "/api/v1"])
    func `the pages are FastAPI's but for where their assets come from`(root: String) throws {
        let prefix = root.isEmpty ? "" : "prefixed-"
        for (path, name) in [("/docs", "docs"), ("/redoc", "redoc")] {
            let page = page(path, below: root)
            #expect(page.status == 200)
            #expect(page.headers.first?.value == "text/html; charset=utf-8")
            let reference = String(
                decoding: try fixtures.data("\(prefix)\(name).html"), as: UTF8.self)
            #expect(
                withFastAPIAssets(text(page), root: root)
                    == reference.replacing(
                        /\n    <link href="https:..fonts.googleapis.com[^\n]*\n    \n/, with: "\n"))
        }
    }

    @Test func `the page that a sign-in returns to is FastAPI's`() throws {
        let page = page("/docs/oauth2-redirect", below: "/x")
        #expect(page.body == [UInt8](try fixtures.data("docs-oauth2-redirect.html")))
    }

    @Test(arguments: ["/docs", "/redoc"])
    func `a page loads nothing from elsewhere unless its own assets are missing`(
        path: String
    ) throws {
        let page = text(page(path, below: "/api/v1"))
        let loads = page.matches(of: /(?:src|href)="([^"]*)"/).map { String($0.1) }
        #expect(
            loads.filter {
                !$0.hasPrefix("/api/v1/docs-assets/") && !$0.hasPrefix("https://cdn.jsdelivr.net")
            } == [])
        #expect(loads.filter { $0.hasPrefix("/api/v1/docs-assets/") }.count >= 2)
    }

    @Test(arguments: ["/docs", "/redoc"])
    func `what comes from elsewhere is of one version and carries its digest`(path: String) throws {
        let page = text(page(path))
        let addresses = page.matches(of: /https:..cdn.jsdelivr.net\/npm\/[^"']*/)
        #expect(addresses.count == (path == "/docs" ? 2 : 1))
        for address in addresses {
            #expect(address.0.contains(/@\d+\.\d+\.\d+\//), "\(address.0)")
        }
        let digests =
            page.matches(of: /integrity="sha384-[A-Za-z0-9+\/]{64}"/)
            .count + page.matches(of: /integrity='sha384-[A-Za-z0-9+\/]{64}'/).count
        #expect(digests == addresses.count)
        #expect(page.matches(of: /anonymous/).count == addresses.count)
    }

    @Test func `a mount point cannot end the attribute it stands in`() throws {
        let page = text(page("/docs", below: "/a\"'<b"))
        #expect(page.contains("/a%22%27%3Cb/openapi.json"))
    }

    /// The page with FastAPI's addresses in place of ours, and without the fallbacks.
    private func withFastAPIAssets(_ page: String, root: String) -> String {
        let network = "https://cdn.jsdelivr.net/npm/"
        var page = page.replacing(/\ onerror="[^"]*"/, with: "")
        page = page.replacing(/\n    <script>window[^\n]*/, with: "")
        for (file, address) in [
            ("swagger-ui.css", network + "swagger-ui-dist@5/swagger-ui.css"),
            ("swagger-ui-bundle.js", network + "swagger-ui-dist@5/swagger-ui-bundle.js"),
            ("redoc.standalone.js", network + "redoc@2/bundles/redoc.standalone.js"),
            ("favicon.png", "https://fastapi.tiangolo.com/img/favicon.png"),
        ] {
            page = page.replacing("\(root)/docs-assets/\(file)", with: address)
        }
        return page
    }
}
