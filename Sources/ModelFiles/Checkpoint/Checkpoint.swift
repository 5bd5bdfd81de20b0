public import Tensors

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

    /// What the names begin with of tensors that the original's network has no part in.
    ///
    /// A `.pt` file keeps them in an entry of their own, so that readers of the original's entries
    /// take no notice of them.
    public static let adaptivePrefix = "adaptive."

    /// The tensors in the order of the file, those under `adaptivePrefix` last; names are unique.
    ///
    /// The order is a part of the digest, and a file keeps no other.
    public let tensors: [(name: String, tensor: Tensor)]

    /// Strings kept beside the tensors, among them those of `settings`, `corpusDigest` and
    /// `report`.
    public private(set) var metadata: [String: String]

    /// The length of the vectors that the model takes (`embedding_dim`), if the file tells it.
    public let embeddingDimension: Int?

    /// The name of these tensors: the number they were published under and a digest of their
    /// content.
    ///
    /// The number is 0 if they were not published by this product, or were altered since.
    public private(set) var version: ModelVersion

    /// A model of `tensors`, whose names must differ.
    ///
    /// - Parameter isVersionTrusted: whether the version in `metadata` is that of the tensors; else
    ///   their digest decides.
    public init(
        tensors: [(name: String, tensor: Tensor)],
        metadata: [String: String] = [:],
        embeddingDimension: Int? = nil,
        isVersionTrusted: Bool = false
    ) {
        precondition(
            Set(tensors.map(\.name)).count == tensors.count,
            "names repeat among \(tensors.map(\.name))")
        let isAdaptive = tensors.map { $0.name.hasPrefix(Self.adaptivePrefix) }
        let tensors =
            zip(tensors, isAdaptive).filter { !$0.1 }.map(\.0)
            + zip(tensors, isAdaptive).filter(\.1).map(\.0)
        self.tensors = tensors
        self.metadata = metadata
        self.embeddingDimension = embeddingDimension
        let claimed = metadata[Key.version].flatMap { ModelVersion($0) }
        if isVersionTrusted, let claimed {
            version = claimed
            return
        }
        let digest = Self.digest(of: tensors)
        version =
            claimed?.digest == digest ? claimed ?? .init(0, digest) : .init(0, digest)
    }

    /// Reads the file at `path`, whichever of the two formats its content is.
    ///
    /// - Throws: `missing`, `system`, or `damaged` with what is wrong.
    public init(reading path: String) throws(ModelFileError) {
        try self.init(reading: path, isVersionTrusted: false)
    }

    /// Reads the same; a version that is trusted costs no digest.
    init(reading path: String, isVersionTrusted: Bool) throws(ModelFileError) {
        let bytes = try ReadableFile(opening: path).contents(limit: Self.sizeLimit)
        try self.init(decoding: bytes, file: path, isVersionTrusted: isVersionTrusted)
    }

    /// Reads a safetensors file that is linked into the executable, whose version it need not
    /// check.
    ///
    /// - Parameter isAsked: whether the tensor of a name is wanted.
    /// - Throws: `damaged` with what is wrong.
    public init(
        linked bytes: [UInt8], file: String, isAsked: (_ name: String) -> Bool = { _ in true }
    ) throws(ModelFileError) {
        try self.init(
            safetensors: bytes, file: file, isVersionTrusted: true, isAsked: isAsked)
    }

    /// Reads the content of a file; `file` names it in errors.
    ///
    /// - Throws: `damaged` with what is wrong.
    public init(decoding bytes: [UInt8], file: String) throws(ModelFileError) {
        try self.init(decoding: bytes, file: file, isVersionTrusted: false)
    }

    private init(
        decoding bytes: [UInt8], file: String, isVersionTrusted: Bool
    ) throws(ModelFileError) {
        if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            try self.init(torch: bytes, file: file, isVersionTrusted: isVersionTrusted)
        } else if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
            try self.init(safetensors: bytes, file: file, isVersionTrusted: isVersionTrusted)
        } else if bytes.count > 1, bytes[0] == PickleOpcode.proto.rawValue, 2...5 ~= bytes[1] {
            try self.init(legacyTorch: bytes, file: file)
        } else {
            throw .damaged(file: file, reason: Self.kindOfOther(bytes))
        }
    }

    /// Why a file that is of no known format cannot be read.
    private static func kindOfOther(_ bytes: [UInt8]) -> String {
        let none = "neither a PyTorch nor a safetensors file"
        let text = bytes.prefix(512)
        if text.starts(with: "version https://git-lfs".utf8) {
            return "\(none) but a pointer of Git LFS; fetch the file itself with git lfs pull"
        }
        if text.count > 262, text[257..<262].elementsEqual("ustar".utf8) {
            return "\(none) but a tar file; load and save PyTorch's oldest format again"
        }
        return "\(none) (\(bytes.count) bytes)"
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
            throw .damaged(file: file, reason: "no tensor \(name)" + hint(for: name))
        }
        guard tensor.shape == shape else {
            throw .damaged(
                file: file, reason: "tensor \(name) has shape \(tensor.shape), needs \(shape)")
        }
        return tensor
    }

    /// Refuses tensors under other names than `names`, as PyTorch's `load_state_dict` does.
    ///
    /// - Throws: `damaged`, naming the file and a tensor that is too many.
    public func refuseTensors(otherThan names: Set<String>, file: String) throws(ModelFileError) {
        try refuse(Set(tensors.map(\.name)).subtracting(names), file: file)
    }

    /// Refuses the tensors `names`.
    ///
    /// - Throws: `damaged`, naming the file and the first of them.
    public func refuse(_ names: Set<String>, file: String) throws(ModelFileError) {
        guard let other = tensors.first(where: { names.contains($0.name) }) else { return }
        throw .damaged(
            file: file,
            reason: "tensor \(printable(other.name)) belongs to no layer of this network; "
                + "save the state dict without it")
    }

    /// What stands in the file in place of tensor `name`, and how that can be mended.
    private func hint(for name: String) -> String {
        if let other = tensors.first(where: { $0.name.hasSuffix("." + name) })?.name {
            let prefix = printable(other.dropLast(name.utf8.count))
            return " but \(printable(other)); save the state dict without \(prefix) in its names"
        }
        guard let other = tensors.first else { return "; the file holds no tensors" }
        return
            "; the file holds \(tensors.count) others, such as \(printable(other.name)) of shape "
            + "\(other.tensor.shape)"
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
