internal import Tensors

extension Checkpoint {
    /// The bytes of a file that `torch.load` reads, with `weights_only=True` too.
    ///
    /// A dictionary of the state dict, the adaptive denoiser's if there is one, `embedding_dim`,
    /// and the metadata as one JSON text.
    func torch() -> [UInt8] {
        var zip = ZipWriting()
        zip.append(pickle(), named: "archive/data.pkl")
        zip.append(Array("little".utf8), named: "archive/byteorder")
        for (index, (_, tensor)) in tensors.enumerated() {
            var content: [UInt8] = []
            content.append(floats: tensor.span)
            zip.append(content, named: "archive/data/\(index)")
        }
        zip.append(Array("3\n".utf8), named: "archive/version")
        return zip.finish()
    }

    private func pickle() -> [UInt8] {
        var pickle = PickleWriting()
        pickle.write(.emptyDict)
        pickle.write(.mark)
        let named = tensors.enumerated().map { ($0, $1.name, $1.tensor) }
        let isAdaptive = { (name: String) in name.hasPrefix(Self.adaptivePrefix) }
        pickle.write(text: TorchKey.stateDict)
        pickle.write(stateDict: named.filter { !isAdaptive($0.1) })
        let adaptive = named.filter { isAdaptive($0.1) }
        if !adaptive.isEmpty {
            pickle.write(text: TorchKey.adaptiveDict)
            pickle.write(
                stateDict: adaptive.map {
                    ($0.0, String($0.1.dropFirst(Self.adaptivePrefix.count)), $0.2)
                })
        }
        if let embeddingDimension {
            pickle.write(text: TorchKey.dimension)
            pickle.write(integer: embeddingDimension)
        }
        if !metadata.isEmpty {
            pickle.write(text: TorchKey.metadata)
            pickle.write(text: jsonText(of: metadata))
        }
        pickle.write(.setItems)
        return pickle.finish()
    }
}

/// A pickle of protocol 2, without a memo: nothing in it is large enough to be worth sharing.
private struct PickleWriting {
    private var bytes: [UInt8] = [PickleOpcode.proto.rawValue, 2]

    mutating func write(_ opcode: PickleOpcode) { bytes.append(opcode.rawValue) }

    mutating func write(text: String) {
        write(.binUnicode)
        bytes.append(littleEndian: UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(integer: Int) {
        if let small = UInt16(exactly: integer) {
            write(.binInt2)
            bytes.append(littleEndian: small)
        } else {
            write(.long1)
            bytes.append(8)
            bytes.append(littleEndian: integer)
        }
    }

    mutating func write(module: String, name: String) {
        write(.global)
        bytes.append(contentsOf: "\(module)\n\(name)\n".utf8)
    }

    /// An `OrderedDict` of tensors, each with the number of its storage.
    mutating func write(stateDict tensors: [(storage: Int, name: String, tensor: Tensor)]) {
        write(module: "collections", name: "OrderedDict")
        write(.emptyTuple)
        write(.reduce)
        write(.mark)
        for (storage, name, tensor) in tensors {
            write(text: name)
            write(tensor: tensor, storage: storage)
        }
        write(.setItems)
    }

    /// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
    mutating func write(tensor: Tensor, storage: Int) {
        write(module: "torch._utils", name: "_rebuild_tensor_v2")
        write(.mark)
        write(.mark)
        write(text: "storage")
        write(module: "torch", name: "FloatStorage")
        write(text: String(storage))
        write(text: "cpu")
        write(integer: tensor.count)
        write(.tuple)
        write(.binPersistentID)
        write(integer: 0)
        var strides = tensor.shape
        var dense = 1
        for axis in strides.indices.reversed() {
            strides[axis] = dense
            dense *= tensor.shape[axis]
        }
        for extents in [tensor.shape, strides] {
            write(.mark)
            for extent in extents { write(integer: extent) }
            write(.tuple)
        }
        write(.newFalse)
        write(module: "collections", name: "OrderedDict")
        write(.emptyTuple)
        write(.reduce)
        write(.tuple)
        write(.reduce)
    }

    consuming func finish() -> [UInt8] {
        write(.stop)
        return bytes
    }
}
