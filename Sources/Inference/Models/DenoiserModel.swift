public import Denoisers
internal import CDefaultModel
public import ModelFiles
package import System

/// A denoiser as it is served: parameters that never change, and their version.
public struct DenoiserModel: Sendable {
    /// The numbers.
    public let parameters: AutoencoderParameters

    /// What answers computed with it are labelled with, such as `12-3fa9c1d2`.
    public let version: String

    /// Reads the model at `path`, `.pt` or safetensors by content.
    public init(reading path: String) throws(ModelFault) {
        do throws(ModelFileError) {
            try self.init(Checkpoint(reading: path), file: path)
        } catch {
            throw ModelFault(error)
        }
    }

    /// The model that ships with the product, linked into the executable.
    public static let builtIn: DenoiserModel? = builtInCheckpoint.flatMap {
        try? DenoiserModel($0, file: "the built-in model")
    }

    /// The same as a file holds it.
    public static let builtInCheckpoint: Checkpoint? = {
        let bytes = unsafe Array(
            UnsafeBufferPointer(start: default_model_start(), count: default_model_size))
        return try? Checkpoint(decoding: bytes, file: "the built-in model")
    }()

    init(_ checkpoint: Checkpoint, file: String) throws(ModelFileError) {
        var names: Set<String> = []
        let parameters = try AutoencoderParameters { name, shape throws(ModelFileError) in
            names.insert(name)
            return try checkpoint.tensor(name, shape: shape, file: file)
        }
        try checkpoint.refuseTensors(otherThan: names, file: file)
        guard parameters.isFinite else {
            throw .damaged(file: file, reason: "a parameter is not a finite number")
        }
        self.parameters = parameters
        version = checkpoint.version.description
    }

    /// Denoises `embeddings` [rows, 384], after adding noise where `noiseLevel` is above 0.
    public func denoise(_ embeddings: [Float], noiseLevel: Float) -> [Float] {
        denoise(embeddings, noiseLevel: noiseLevel, team: nil)
    }

    /// The same with a second thread for many rows.
    package func denoise(
        _ embeddings: [Float], noiseLevel: Float, team: ComputeTeam?
    ) -> [Float] {
        let noisy =
            noiseLevel > 0
            ? addingNoise(to: embeddings, noiseLevel: noiseLevel, seed: .random(in: .min ... .max))
            : embeddings
        let width = AutoencoderShape.width
        let rows = noisy.count / width
        let count = max(1, min(16, rows / Self.rowsOfPiece))
        guard team != nil, count > 1 else { return parameters.denoise(noisy) }
        let pieces = inPieces(count, team) { [parameters] piece in
            let mine = part(piece, of: count, rows)
            return parameters.denoise(
                Array(noisy[mine.lowerBound * width..<mine.upperBound * width]))
        }
        var denoised: [Float] = []
        denoised.reserveCapacity(noisy.count)
        for piece in pieces { denoised += piece }
        return denoised
    }

    /// Rows that take about 0.2 ms.
    private static let rowsOfPiece = 32
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
