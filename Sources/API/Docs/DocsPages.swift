/// `GET /docs`, `/redoc` and the page to which a sign-in returns.
struct DocsEndpoint: Endpoint {
    /// The page below a mount point.
    let page: @Sendable (_ rootPath: String) -> String

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        Response(
            status: 200, headers: [("content-type", "text/html; charset=utf-8")],
            body: Array(page(request.rootPath).utf8))
    }
}

/// FastAPI's documentation pages, with scripts and styles from this server.
///
/// They differ from FastAPI's only in the addresses of their assets. The web server in front serves
/// the assets under `docs-assets/` beside the routes. A page that does not find them there falls
/// back on the content delivery network that FastAPI uses, for the same versions and with their
/// digests. Google's fonts are left out: a page that waits for them hangs without the internet.
enum DocsPages {
    private static let title = "嵌入向量去噪 API"

    /// The page of Swagger UI below a mount point, which has no trailing slash; "" is the root.
    static func swaggerUI(below rootPath: String) -> String {
        let root = encoded(rootPath)
        return """

                <!DOCTYPE html>
                <html>
                <head>
                <meta name="viewport" content="width=device-width, initial-scale=1.0">
                <link type="text/css" rel="stylesheet" href="\(root)/docs-assets/swagger-ui.css" \
            onerror="this.onerror=null;\
            this.integrity='\(styles.integrity)';this.crossOrigin='anonymous';\
            this.href='\(styles.address)'">
                <link rel="shortcut icon" href="\(root)/docs-assets/favicon.png">
                <title>\(title) - Swagger UI</title>
                </head>
                <body>
                <div id="swagger-ui">
                </div>
                <script src="\(root)/docs-assets/swagger-ui-bundle.js"></script>
            \(fallback("SwaggerUIBundle", bundle))
                <!-- `SwaggerUIBundle` is now available on the page -->
                <script>
                const ui = SwaggerUIBundle({
                    url: '\(root)/openapi.json',
                "dom_id": "#swagger-ui",
            "layout": "BaseLayout",
            "deepLinking": true,
            "showExtensions": true,
            "showCommonExtensions": true,
            oauth2RedirectUrl: window.location.origin + '\(root)/docs/oauth2-redirect',
                presets: [
                    SwaggerUIBundle.presets.apis,
                    SwaggerUIBundle.SwaggerUIStandalonePreset
                    ],
                })
                </script>
                </body>
                </html>
                
            """
    }

    /// The page of ReDoc below a mount point.
    static func reDoc(below rootPath: String) -> String {
        let root = encoded(rootPath)
        return """

                <!DOCTYPE html>
                <html>
                <head>
                <title>\(title) - ReDoc</title>
                <!-- needed for adaptive design -->
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1">
                
                <link rel="shortcut icon" href="\(root)/docs-assets/favicon.png">
                <!--
                ReDoc doesn't change outer page styles
                -->
                <style>
                  body {
                    margin: 0;
                    padding: 0;
                  }
                </style>
                </head>
                <body>
                <noscript>
                    ReDoc requires Javascript to function. Please enable it to browse the documentation.
                </noscript>
                <redoc spec-url="\(root)/openapi.json"></redoc>
                <script src="\(root)/docs-assets/redoc.standalone.js"> </script>
            \(fallback("Redoc", standalone))
                </body>
                </html>
                
            """
    }

    /// A file of the network; a browser takes it only if it equals the one fetched for this server.
    private struct NetworkFile {
        let address: String
        /// The SHA-384, in Base64, of the file that `nginx/fetch-docs-assets` verifies.
        let integrity: String

        init(_ path: String, _ digest: String) {
            address = "https://cdn.jsdelivr.net/npm/" + path
            integrity = "sha384-" + digest
        }
    }

    private static let styles = NetworkFile(
        "swagger-ui-dist@5.32.6/swagger-ui.css",
        "9Q2fpS+xeS4ffJy6CagnwoUl+4ldAYhOs9pgZuEKxypVModhmZFzeMlvVsAjf7uT")
    private static let bundle = NetworkFile(
        "swagger-ui-dist@5.32.6/swagger-ui-bundle.js",
        "EYdOaiRwn44zNjrw+Tfs06qYz9BGQVo2f4/pLY5i7VorbjnZNhdplAbTBk8FXHUJ")
    private static let standalone = NetworkFile(
        "redoc@2.5.3/bundles/redoc.standalone.js",
        "xiEssMQFSpSfLbzRZCGfxxIM5QDb2DTrU6vyoZdp2sV1L6pmOMy6MpTtUoLbpC96")

    /// Loads the script `file` if the one before did not define `global`.
    private static func fallback(_ global: String, _ file: NetworkFile) -> String {
        "    <script>window.\(global) || "
            + "document.write('<script src=\"\(file.address)\" integrity=\"\(file.integrity)\" "
            + "crossorigin=\"anonymous\"><\\/script>')</script>"
    }

    /// `path`, in which every byte is percent-encoded that could end an attribute or a string
    /// literal.
    private static func encoded(_ path: String) -> String {
        percentEncoded(path) { $0.isAlphanumeric || "%-./:@_~".utf8.contains($0) }
    }
}
