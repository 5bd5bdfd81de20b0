/// A version as the list of versions shows it.
public struct ModelRecord: Sendable {
    /// Its name.
    public let version: ModelVersion

    /// Its file; nil for the built-in model, which has none.
    public let path: String?

    /// Whether it is the one that is served.
    public let isLive: Bool

    /// Whether it is kept until a user lets it go.
    public internal(set) var isPinned = false

    /// The kind of its network, if the file names it.
    public let kind: String?

    /// What made it; nil for foreign files and those of before it was noted.
    public let origin: Checkpoint.Origin?

    /// The version that was live before it was published.
    public let parent: ModelVersion?

    /// When it was published, in seconds since 1970; nil for foreign files.
    public let publishedAt: Int?

    /// The settings of its training run, as JSON text.
    public let settings: String?

    /// The SHA-256 of its training text, in hexadecimal.
    public let corpusDigest: String?

    /// What its training run reports, as JSON text.
    public let report: String?

    /// What is wrong with the file, in one line; nil if it is whole.
    public let problem: String?

    init(_ checkpoint: Checkpoint, path: String?, isLive: Bool) {
        self.init(
            checkpoint.version, checkpoint, path: path, isLive: isLive, problem: nil)
    }

    /// The record of a kept version, from its file.
    init(_ version: ModelVersion, path: String) {
        do throws(ModelFileError) {
            let checkpoint = try Checkpoint(reading: path)
            let problem =
                checkpoint.version == version
                ? nil : "\(path): holds version \(checkpoint.version)"
            self.init(version, checkpoint, path: path, isLive: false, problem: problem)
        } catch {
            self.init(version, nil, path: path, isLive: false, problem: error.description)
        }
    }

    private init(
        _ version: ModelVersion, _ checkpoint: Checkpoint?, path: String?, isLive: Bool,
        problem: String?
    ) {
        self.version = version
        self.path = path
        self.isLive = isLive
        kind = checkpoint?.kind
        origin = checkpoint?.origin
        parent = checkpoint?.parent
        publishedAt = checkpoint?.publishedAt
        settings = checkpoint?.settings
        corpusDigest = checkpoint?.corpusDigest
        report = checkpoint?.report
        self.problem = problem
    }
}
