internal import JSON
internal import Kernels

extension Checkpoint {
    /// Names in the dictionary that `torch.save` is given; `metadata` holds one JSON object of strings.
    enum TorchKey {
        static let stateDict = "model_state_dict"
        static let dimension = "embedding_dim"
        static let metadata = "metadata"
    }

    /// More elements than any model here has; keeps tensors that share a storage from unfolding.
    private static let elementLimit = sizeLimit / 4

    /// Reads a file of `torch.save({"model_state_dict": …, "embedding_dim": …})`, or of a bare state dict.
    init(torch bytes: [UInt8], file: String) throws(ModelFileError) {
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        let archive = try TorchArchive(bytes, file: file)
        var machine = PickleMachine(archive.pickle, file: file)
        guard case .dictionary(let index) = try machine.run() else {
            throw damaged("holds no dictionary")
        }
        let pool = machine.pool
        let saved = pool.dictionaries[index]

        var stateDict = saved
        if let value = saved[.string(TorchKey.stateDict)] {
            guard case .dictionary(let inner) = value else {
                throw damaged("\(TorchKey.stateDict) is \(value.kind), not a dict")
            }
            stateDict = pool.dictionaries[inner]
        }
        var tensors: [(name: String, tensor: Tensor)] = []
        var elements = 0
        for key in stateDict.keys {
            guard case .string(let name) = key, case .tensor(let tensor)? = stateDict[key] else {
                throw damaged("the state dict holds something other than named tensors")
            }
            // No safetensors header could carry it, nor C read it whole.
            guard !name.utf8.contains(0) else {
                throw damaged("tensor \(printable(name)) has a NUL in its name")
            }
            let description = pool.tensors[tensor]
            elements += try archive.elementCount(of: description, named: name)
            guard elements <= Self.elementLimit else {
                throw damaged("more than \(Self.elementLimit) elements")
            }
            tensors.append((name, try archive.tensor(description, named: name)))
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
            embeddingDimension: saved[.string(TorchKey.dimension)]?.number)
    }
}
