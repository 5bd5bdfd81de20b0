public import Kernels

/// A model as its file holds it: named tensors, and what is known about where they come from.
public struct Checkpoint: Sendable {
    /// The file formats.
    public enum Format: Sendable {
        /// What `torch.save` writes and `torch.load` reads: a zip file around a pickle.
        case pt
        /// What the safetensors library reads.
        case safetensors

        /// The format that the name of a file asks for: safetensors by extension, else `.pt`.
        public init(path: String) {
            self = path.hasSuffix(".safetensors") ? .safetensors : .pt
        }
    }

    /// The largest file that is read into memory, in bytes.
    public static let sizeLimit = 64 << 20

    /// The tensors in the order of the file; names are unique.
    public let tensors: [(name: String, tensor: Tensor)]

    /// Strings kept beside the tensors, among them those of `settings`, `corpusDigest` and `report`.
    public private(set) var metadata: [String: String]

    /// The length of the vectors that the model takes (`embedding_dim`), where the file tells it.
    public let embeddingDimension: Int?

    /// The name of these tensors: the number they were published under and a digest of their content.
    ///
    /// The number is 0 where they were not published by this product, or were altered since.
    public private(set) var version: ModelVersion

    /// A model of `tensors`, whose names must differ.
    public init(
        tensors: [(name: String, tensor: Tensor)],
        metadata: [String: String] = [:],
        embeddingDimension: Int? = nil
    ) {
        precondition(
            Set(tensors.map(\.name)).count == tensors.count,
            "names repeat among \(tensors.map(\.name))")
        self.tensors = tensors
        self.metadata = metadata
        self.embeddingDimension = embeddingDimension
        let digest = Self.digest(of: tensors)
        let claimed = metadata[Key.version].flatMap { ModelVersion($0) }
        version =
            claimed?.digest == digest ? claimed ?? .init(0, digest) : .init(0, digest)
    }

    /// Reads the file at `path`, whichever of the two formats its content is.
    ///
    /// - Throws: `missing`, `system`, or `damaged` with what is wrong.
    public init(reading path: String) throws(ModelFileError) {
        let bytes = try ReadableFile(opening: path).contents(limit: Self.sizeLimit)
        try self.init(decoding: bytes, file: path)
    }

    /// Reads the content of a file; `file` names it in errors.
    ///
    /// - Throws: `damaged` with what is wrong.
    public init(decoding bytes: [UInt8], file: String) throws(ModelFileError) {
        if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            try self.init(torch: bytes, file: file)
        } else if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
            try self.init(safetensors: bytes, file: file)
        } else if bytes.starts(with: [0x80, 0x02]) {
            throw .damaged(
                file: file, reason: "PyTorch's format from before 1.6; load and save it again")
        } else {
            throw .damaged(
                file: file,
                reason: "neither a PyTorch nor a safetensors file (\(bytes.count) bytes)")
        }
    }

    /// The content of a file in `format`; equal checkpoints give equal bytes.
    public func encoded(as format: Format) -> [UInt8] {
        switch format {
        case .pt: torch()
        case .safetensors: safetensors()
        }
    }

    /// The tensor `name`, which must be of exactly this shape; `file` names the origin in errors.
    ///
    /// - Throws: `damaged`, naming the file and the tensor.
    public func tensor(
        _ name: String, shape: [Int], file: String
    ) throws(ModelFileError) -> Tensor {
        guard let tensor = tensors.first(where: { $0.name == name })?.tensor else {
            throw .damaged(file: file, reason: "no tensor \(name)")
        }
        guard tensor.shape == shape else {
            throw .damaged(
                file: file, reason: "tensor \(name) has shape \(tensor.shape), needs \(shape)")
        }
        return tensor
    }

    /// The same tensors, published under `number` in place of `parent` at `seconds` since 1970.
    func published(as number: Int, parent: ModelVersion?, at seconds: Int) -> Checkpoint {
        var copy = self
        copy.version = ModelVersion(number, version.digest)
        copy.metadata[Key.version] = copy.version.description
        copy.metadata[Key.parent] = parent?.description
        copy.metadata[Key.published] = String(seconds)
        return copy
    }
}
