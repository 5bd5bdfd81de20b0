public import Tensors

extension Checkpoint {
    /// Names under which files keep what is known about a model.
    enum Key {
        static let version = "version"
        static let parent = "parent"
        static let published = "published"
        static let settings = "settings"
        static let corpusDigest = "corpus_sha256"
        static let report = "report"
        static let origin = "origin"
        static let kind = "denoiser"
    }

    /// What made a model.
    public enum Origin: String, Sendable {
        /// The command `train`.
        case command
        /// An upload to the service.
        case upload
    }

    /// The kind of the network, as the file names it; nil in files of the original's network alone.
    public var kind: String? { metadata[Key.kind] }

    /// What made it; nil for foreign files and for those written before it was noted.
    public var origin: Origin? {
        version.number == 0 ? nil : metadata[Key.origin].flatMap { Origin(rawValue: $0) }
    }

    /// The version that was live before this one; nil for the first and for foreign files.
    public var parent: ModelVersion? {
        version.number == 0 ? nil : metadata[Key.parent].flatMap { ModelVersion($0) }
    }

    /// When it was published, in seconds since 1970; nil for foreign files.
    public var publishedAt: Int? {
        version.number == 0 ? nil : metadata[Key.published].flatMap { Int($0) }
    }

    /// The settings of the training run, as JSON text.
    public var settings: String? { metadata[Key.settings] }

    /// The SHA-256 of the training text, in hexadecimal.
    public var corpusDigest: String? { metadata[Key.corpusDigest] }

    /// What the training run reports, as JSON text.
    public var report: String? { metadata[Key.report] }

    /// A trained model with what is to be known about it.
    ///
    /// - Parameters:
    ///   - kind: the kind of the network.
    ///   - settings: the settings of the run, as JSON text.
    ///   - corpusDigest: the SHA-256 of the training text, in hexadecimal.
    ///   - report: what the run reports, as JSON text.
    ///   - origin: what asked for the run.
    public init(
        tensors: [(name: String, tensor: Tensor)], kind: String? = nil, embeddingDimension: Int,
        settings: String, corpusDigest: String, report: String, origin: Origin? = nil
    ) {
        var metadata = [
            Key.settings: settings, Key.corpusDigest: corpusDigest, Key.report: report,
        ]
        metadata[Key.origin] = origin?.rawValue
        metadata[Key.kind] = kind
        self.init(tensors: tensors, metadata: metadata, embeddingDimension: embeddingDimension)
    }
}
