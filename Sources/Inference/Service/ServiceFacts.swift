/// What a service is made of, and how fast it is.
public struct ServiceFacts: Sendable {
    /// The denoiser that answers now; nil while none is loaded.
    public var model: ModelFacts?

    /// Why that is not the model of its file; nil if it is.
    public var modelFault: String?

    /// How far rows may move: `auto`, `safe`, `balanced` or `restore`.
    public var strength: String

    /// The most tokens of a text that count, with `[CLS]` and `[SEP]`.
    public var tokenLimit: Int

    /// Elements of an embedding.
    public var columns: Int

    /// Compute threads.
    public var threads: Int

    /// Tokens of long requests done in a second, as measured last; nil before the first
    /// measurement.
    public var tokensPerSecond: Double?

    /// The instructions that computing uses: `baseline`, `x86-64-v3` (AVX2) or `x86-64-v4`
    /// (AVX-512).
    public var instructionSet: String

    /// The version of the denoiser that ships with the product.
    public var builtInModel: String?

    /// A denoiser's facts.
    public struct ModelFacts: Sendable {
        /// Its version, such as `12-3fa9c1d2`.
        public var version: String
        /// `adaptive` or `autoencoder`.
        public var kind: String
        /// Whether it ships with the product.
        public var isBuiltIn: Bool
        /// What its training run reported, as JSON text; nil if its file has no report.
        public var report: String?

        public init(version: String, kind: String, isBuiltIn: Bool, report: String? = nil) {
            self.version = version
            self.kind = kind
            self.isBuiltIn = isBuiltIn
            self.report = report
        }
    }

    public init(
        model: ModelFacts?, modelFault: String? = nil, strength: String = "auto",
        tokenLimit: Int, columns: Int, threads: Int, tokensPerSecond: Double? = nil,
        instructionSet: String = "baseline", builtInModel: String? = nil
    ) {
        self.model = model
        self.modelFault = modelFault
        self.strength = strength
        self.tokenLimit = tokenLimit
        self.columns = columns
        self.threads = threads
        self.tokensPerSecond = tokensPerSecond
        self.instructionSet = instructionSet
        self.builtInModel = builtInModel
    }
}
