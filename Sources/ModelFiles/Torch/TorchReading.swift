internal import JSON
internal import Tensors

extension Checkpoint {
    /// Names in the dictionary that `torch.save` is given; `metadata` holds one JSON object of
    /// strings.
    enum TorchKey {
        static let stateDict = "model_state_dict"
        /// The tensors of a denoiser that stands beside the original's network.
        static let adaptiveDict = "adaptive_state_dict"
        static let dimension = "embedding_dim"
        static let metadata = "metadata"
    }

    /// More elements than any model here has; keeps tensors that share a storage from unfolding.
    private static let elementLimit = sizeLimit / 4

    /// Reads a file of `torch.save({"model_state_dict": …, "embedding_dim": …})`, or of a bare
    /// state dict.
    init(
        torch bytes: [UInt8], file: String, isVersionTrusted: Bool = false
    ) throws(ModelFileError) {
        let archive = try TorchArchive(bytes, file: file)
        var machine = PickleMachine(archive.pickle, file: file)
        let value = try machine.run()
        guard machine.at == archive.pickle.endIndex else {
            throw machine.damaged("something is left after its end")
        }
        let storages = TorchStorages(
            file: file, isBigEndian: archive.isBigEndian, content: archive.content)
        try self.init(
            saved: value, in: machine.pool, storages, isVersionTrusted: isVersionTrusted)
    }

    /// Reads the same from a file of PyTorch before 1.6, or of
    /// `_use_new_zipfile_serialization=False`.
    init(legacyTorch bytes: [UInt8], file: String) throws(ModelFileError) {
        let legacy = try TorchLegacyFile(bytes, file: file)
        // These files are little-endian wherever they were written.
        let storages = TorchStorages(
            file: file, isBigEndian: false, content: { legacy.contents[$0] })
        try self.init(saved: legacy.value, in: legacy.pool, storages, isVersionTrusted: false)
    }

    /// Takes the tensors out of the value that was given to `torch.save`.
    private init(
        saved value: PickleValue, in pool: PicklePool, _ storages: TorchStorages,
        isVersionTrusted: Bool
    ) throws(ModelFileError) {
        let file = storages.file
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        guard case .dictionary(let index) = value else {
            throw damaged("holds no dictionary but \(value.kind); \(Self.wayOut)")
        }
        let saved = pool.dictionaries[index]
        var tensors = try Self.tensors(
            of: Self.stateDict(in: saved, pool, file: file), pool, storages, elements: 0)
        if let value = saved[.string(TorchKey.adaptiveDict)] {
            guard case .dictionary(let inner) = value else {
                throw damaged("\(TorchKey.adaptiveDict) is \(value.kind), not a dict")
            }
            tensors += try Self.tensors(
                of: pool.dictionaries[inner], pool, storages,
                elements: tensors.reduce(0) { $0 + $1.tensor.count }
            ).map { (Self.adaptivePrefix + $0.name, $0.tensor) }
            guard Set(tensors.map(\.name)).count == tensors.count else {
                throw damaged("a tensor of \(TorchKey.adaptiveDict) stands in the state dict, too")
            }
        }

        var metadata: [String: String] = [:]
        if let text = saved[.string(TorchKey.metadata)]?.text {
            guard let strings = try? JSONValue(parsing: Array(text.utf8)).strings else {
                throw damaged("metadata is not a JSON object of strings")
            }
            metadata = strings
            // The place of `embeddingDimension` in the other format.
            metadata[Self.dimensionKey] = nil
        }
        self.init(
            tensors: tensors, metadata: metadata,
            embeddingDimension: saved[.string(TorchKey.dimension)]?.number,
            isVersionTrusted: isVersionTrusted)
    }

    /// The tensors of one state dict by name; `elements` are in the file's others.
    private static func tensors(
        of stateDict: PickleDictionary, _ pool: PicklePool, _ storages: TorchStorages,
        elements: Int
    ) throws(ModelFileError) -> [(name: String, tensor: Tensor)] {
        let file = storages.file
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        var tensors: [(name: String, tensor: Tensor)] = []
        var elements = elements
        for key in stateDict.keys {
            guard case .string(let name) = key, case .tensor(let tensor)? = stateDict[key] else {
                throw damaged(
                    "the state dict holds something other than named tensors: \(key.shown) is "
                        + (stateDict[key] ?? .none).kind
                        + "; leave it out, or save it as a dense tensor of floats")
            }
            // No safetensors header could carry it, nor C read it whole.
            guard !name.utf8.contains(0) else {
                throw damaged("tensor \(printable(name)) has a NUL in its name")
            }
            let description = pool.tensors[tensor]
            let count = try storages.elementCount(of: description, named: name)
            guard count <= Self.elementLimit - elements else {
                throw damaged("more than \(Self.elementLimit) elements")
            }
            elements += count
            tensors.append((name, try storages.tensor(description, named: name)))
        }
        return tensors
    }

    /// What `torch.save` should have been given.
    private static let wayOut =
        "save {\"\(TorchKey.stateDict)\": model.state_dict(), \"\(TorchKey.dimension)\": 384}"

    /// The state dict: under its key, or `saved` itself if that holds tensors.
    private static func stateDict(
        in saved: PickleDictionary, _ pool: PicklePool, file: String
    ) throws(ModelFileError) -> PickleDictionary {
        if let value = saved[.string(TorchKey.stateDict)] {
            guard case .dictionary(let inner) = value else {
                throw .damaged(
                    file: file, reason: "\(TorchKey.stateDict) is \(value.kind), not a dict")
            }
            return pool.dictionaries[inner]
        }
        for key in saved.keys {
            if case .dictionary(let index)? = saved[key],
                pool.dictionaries[index].holdsTensors
            {
                throw .damaged(
                    file: file,
                    reason: "the tensors stand under \"\(key.shown)\"; "
                        + "save them under \"\(TorchKey.stateDict)\" instead")
            }
        }
        return saved
    }
}

extension PickleDictionary {
    /// Whether a member is a tensor with a name.
    fileprivate var holdsTensors: Bool {
        keys.contains { key in
            if case .string = key, case .tensor? = self[key] { true } else { false }
        }
    }
}
