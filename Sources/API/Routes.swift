extension Route {
    /// All routes: those of the original in the order in which FastAPI tries them, then our own.
    ///
    /// A new route is a row here and an endpoint of its own.
    public static let all = [
        Route("/openapi.json", ["GET", "HEAD"]) { _ in OpenAPIEndpoint() },
        Route("/docs", ["GET", "HEAD"]) { _ in DocsEndpoint(page: DocsPages.swaggerUI(below:)) },
        Route("/docs/oauth2-redirect", ["GET", "HEAD"]) { _ in
            DocsEndpoint { _ in DocsPages.oauth2Redirect }
        },
        Route("/redoc", ["GET", "HEAD"]) { _ in DocsEndpoint(page: DocsPages.reDoc(below:)) },
        Route("/", ["GET"], description: RootEndpoint.description) { _ in RootEndpoint() },
        Route(
            "/denoise/text", ["POST"], right: .use, work: .texts,
            description: DenoiseTextEndpoint.description
        ) { DenoiseTextEndpoint(context: $0) },
        Route(
            "/denoise/embedding", ["POST"], right: .use, work: .rows,
            description: DenoiseEmbeddingEndpoint.description
        ) { DenoiseEmbeddingEndpoint(context: $0) },
        Route("/health", ["GET"], description: HealthEndpoint.description) {
            HealthEndpoint(service: $0.service)
        },
        Route(
            "/upload/", ["POST"], right: .train, work: .training,
            description: UploadEndpoint.description
        ) { UploadEndpoint(service: $0.service, limits: $0.limits) },
        Route(
            "/similarity", ["POST"], right: .use, work: .texts,
            description: SimilarityEndpoint.description
        ) { SimilarityEndpoint(context: $0) },
        Route("/info", ["GET"], right: .use, description: InfoEndpoint.description) {
            InfoEndpoint(context: $0)
        },
        Route(
            "/v1/embeddings", ["POST"], right: .use, work: .texts,
            description: EmbeddingsEndpoint.description
        ) { EmbeddingsEndpoint(context: $0) },
        Route("/v1/models", ["GET"], right: .use, description: ModelListEndpoint.description) {
            ModelListEndpoint(models: $0.models)
        },
        Route(
            ModelEndpoint.beginning + "{model}", ["GET"], right: .use,
            description: ModelEndpoint.description
        ) { ModelEndpoint(models: $0.models) },
    ]

    /// The route whose path ends `path`, which may begin with a mount point; nil if there is none.
    ///
    /// This serves requests whose parameters are not read yet. A longer path of a route wins.
    public static func ending(_ path: some BidirectionalCollection<UInt8>) -> Route? {
        all.filter { path.suffix($0.path.utf8.count).elementsEqual($0.path.utf8) }
            .max { $0.path.utf8.count < $1.path.utf8.count }
    }
}
