internal import CDefaultModel
public import Denoisers
public import ModelFiles
package import System

/// A denoiser as it is served: a network that never changes, and its version.
public struct DenoiserModel: Sendable {
    /// The network.
    public let denoiser: any Denoiser

    /// The label of answers computed with it, such as `12-3fa9c1d2`.
    public let version: String

    /// What its training run reported, as JSON text; nil if its file has no report.
    let report: String?

    /// The kind of the network.
    public var kind: DenoiserKind { denoiser.kind }

    /// Version and kind, as lines of the log name a model.
    public var label: String { "\(version) (\(kind.rawValue))" }

    /// Reads the model at `path`, `.pt` or safetensors by content.
    public init(reading path: String) throws(ModelFault) {
        do throws(ModelFileError) {
            try self.init(Checkpoint(reading: path), file: path)
        } catch {
            throw ModelFault(error)
        }
    }

    /// The model that ships with the product, linked into the executable.
    ///
    /// Its networks are read when a row shows noise for the first time: a service of clean text
    /// needs none of them.
    public static let builtIn: DenoiserModel? = {
        let name = AdaptiveParameters.prefix + AdaptiveParameters.pilotsName
        guard let head = readBuiltIn({ $0 == name }), let tensor = head.tensors.first?.tensor,
            let pilots = try? AdaptiveParameters.pilots(tensor, width: embeddingWidth)
        else { return nil }
        return DenoiserModel(
            AdaptiveDenoiser(pilots: pilots) { builtInNetworks },
            version: head.version.description, report: head.report)
    }()

    /// The same as a file holds it; read anew each time.
    public static var builtInCheckpoint: Checkpoint? { readBuiltIn { _ in true } }

    private static func readBuiltIn(_ isAsked: (_ name: String) -> Bool) -> Checkpoint? {
        let bytes = unsafe Array(
            UnsafeBufferPointer(start: default_model_start(), count: default_model_size))
        return try? Checkpoint(linked: bytes, file: "the built-in model", isAsked: isAsked)
    }

    private static let builtInNetworks: AdaptiveDenoiser.Networks = {
        guard let checkpoint = builtInCheckpoint,
            let denoiser = try? adaptive(in: checkpoint, "the built-in model")
        else { preconditionFailure("the built-in model is damaged") }
        return AdaptiveDenoiser.Networks(denoiser.parameters, original: denoiser.original)
    }()

    private init(_ denoiser: any Denoiser, version: String, report: String?) {
        self.denoiser = denoiser
        self.version = version
        self.report = report
    }

    /// What clients are told of it.
    var facts: ServiceFacts.ModelFacts {
        ServiceFacts.ModelFacts(
            version: version, kind: kind.rawValue, isBuiltIn: version == Self.builtIn?.version,
            report: report)
    }

    /// The model that `checkpoint` holds; `file` names it in errors.
    init(_ checkpoint: Checkpoint, file: String) throws(ModelFileError) {
        denoiser = try Self.denoiser(in: checkpoint, file)
        version = checkpoint.version.description
        report = checkpoint.report
    }

    /// The network of the kind that `checkpoint` names.
    ///
    /// A file that names none holds an autoencoder, or an adaptive denoiser if it has one's
    /// tensors.
    private static func denoiser(
        in checkpoint: Checkpoint, _ file: String
    ) throws(ModelFileError) -> any Denoiser {
        let isAdaptive = checkpoint.tensors.contains {
            $0.name.hasPrefix(Checkpoint.adaptivePrefix)
        }
        let name = checkpoint.kind ?? (isAdaptive ? DenoiserKind.adaptive : .autoencoder).rawValue
        switch DenoiserKind(rawValue: name) {
        case .autoencoder: return try autoencoder(in: checkpoint, file)
        case .adaptive: return try adaptive(in: checkpoint, file)
        case nil:
            let kinds = DenoiserKind.allCases.map(\.rawValue).joined(separator: " and ")
            throw .damaged(
                file: file,
                reason: "holds a denoiser of kind \(name.prefix(40)); \(kinds) are known")
        }
    }

    /// The adaptive denoiser in `checkpoint`, and the original's network if it is there, too.
    private static func adaptive(
        in checkpoint: Checkpoint, _ file: String
    ) throws(ModelFileError) -> AdaptiveDenoiser {
        let prefix = Checkpoint.adaptivePrefix
        let (own, others) = checkpoint.tensors.partitioned { $0.name.hasPrefix(prefix) }
        let tensors = Dictionary(uniqueKeysWithValues: own.map { ($0.name, $0.tensor) })
        var left = Set(tensors.keys)
        let parameters: AdaptiveParameters
        do throws(AdaptiveError) {
            parameters = try AdaptiveParameters(prefix: prefix) { name in
                left.remove(name)
                return tensors[name]
            }
        } catch {
            throw .damaged(file: file, reason: "\(error)")
        }
        try checkpoint.refuse(left, file: file)
        guard parameters.shape.width == embeddingWidth else {
            throw .damaged(
                file: file,
                reason:
                    "denoises rows of \(parameters.shape.width) elements, needs \(embeddingWidth)")
        }
        guard !others.isEmpty else { return AdaptiveDenoiser(parameters) }
        let original = try autoencoder(in: Checkpoint(tensors: others), file)
        return AdaptiveDenoiser(parameters, original: original.parameters)
    }

    private static func autoencoder(
        in checkpoint: Checkpoint, _ file: String
    ) throws(ModelFileError) -> AutoencoderDenoiser {
        var names: Set<String> = []
        let parameters = try AutoencoderParameters { name, shape throws(ModelFileError) in
            names.insert(name)
            return try checkpoint.tensor(name, shape: shape, file: file)
        }
        try checkpoint.refuseTensors(otherThan: names, file: file)
        guard parameters.isFinite else {
            throw .damaged(file: file, reason: "a parameter is not a finite number")
        }
        return AutoencoderDenoiser(parameters)
    }

    /// Denoises `embeddings` [rows, width], after adding noise if `noiseLevel` is above 0.
    public func denoise(_ embeddings: [Float], noiseLevel: Float) -> [Float] {
        denoise(embeddings, noiseLevel: noiseLevel, team: nil)
    }

    /// The same with a second thread for many rows.
    package func denoise(
        _ embeddings: [Float], noiseLevel: Float, team: WorkerPair?
    ) -> [Float] {
        denoise(embeddings, noiseLevel: noiseLevel, DenoisingOptions(), team: team).values
    }

    /// The same with what the caller knows of the noise, and with what was found out.
    package func denoise(
        _ embeddings: [Float], noiseLevel: Float, _ options: DenoisingOptions, team: WorkerPair?
    ) -> DenoisedRows {
        let noisy =
            noiseLevel > 0
            ? addingNoise(to: embeddings, noiseLevel: noiseLevel, seed: .random(in: .min ... .max))
            : embeddings
        return denoiser.denoise(noisy, options, team: team)
    }
}

extension Array {
    /// The elements that satisfy `condition`, and the others, in order.
    fileprivate func partitioned(_ condition: (Element) -> Bool) -> ([Element], [Element]) {
        (filter(condition), filter { !condition($0) })
    }
}

/// A file of the installation that cannot be used; one line that says which and why.
public struct ModelFault: Error, Equatable, CustomStringConvertible {
    public let description: String

    /// Whether the system refused a call: the same may succeed a moment later.
    public let isPassing: Bool

    init(_ description: String, isPassing: Bool = false) {
        self.description = description
        self.isPassing = isPassing
    }

    init(_ error: ModelFileError) {
        self.init("\(error)", isPassing: error.isOfSystem)
    }
}
