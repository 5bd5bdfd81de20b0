internal import Kernels
public import System
public import Tensors

/// The original application's denoiser.
public struct AutoencoderDenoiser: Denoiser {
    /// The network's numbers.
    public let parameters: AutoencoderParameters

    /// A denoiser with these numbers.
    public init(_ parameters: AutoencoderParameters) { self.parameters = parameters }

    public var kind: DenoiserKind { .autoencoder }
    public var width: Int { parameters.architecture.width }
    public var tensors: [(name: String, tensor: Tensor)] { parameters.named }

    /// Runs the network over all rows; it has no use for any option.
    public func denoise(
        _ rows: [Float], _ options: DenoisingOptions, team: WorkerPair?
    ) -> DenoisedRows {
        let count = rows.count / width
        let summary = DenoisingSummary(rows: count, movedRows: count)
        let pieces = max(1, min(16, count / Self.rowsOfPiece))
        guard team != nil, pieces > 1 else {
            return DenoisedRows(values: parameters.denoise(rows), summary: summary)
        }
        let results = parallelMap(pieces, on: team) { [parameters, width] piece in
            let mine = chunk(piece, of: pieces, in: count)
            return parameters.denoise(
                rows.span.extracting(mine.lowerBound * width..<mine.upperBound * width))
        }
        var values: [Float] = []
        values.reserveCapacity(rows.count)
        for result in results { values += result }
        return DenoisedRows(values: values, summary: summary)
    }

    /// The pieces' results before they are joined, and a workspace for each thread of a team.
    public static func memory(rows: Int) -> Int {
        let architecture = AutoencoderArchitecture.original
        return rows * architecture.width * MemoryLayout<Float>.stride
            + WorkerPair.size
            * AutoencoderWorkspace.bytes(rows: min(rows, mostFewRows), of: architecture)
    }

    /// Rows that are worth waking a thread for.
    private static let rowsOfPiece = 32
}
