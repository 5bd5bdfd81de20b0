internal import Tensors

extension Checkpoint {
    /// The bytes of a file that `torch.load` reads, with `weights_only=True` too.
    ///
    /// A dictionary of the state dict, `embedding_dim`, and the metadata as one JSON text.
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
        pickle.write(text: TorchKey.stateDict)
        pickle.write(module: "collections", name: "OrderedDict")
        pickle.write(.emptyTuple)
        pickle.write(.reduce)
        pickle.write(.mark)
        for (index, (name, tensor)) in tensors.enumerated() {
            pickle.write(text: name)
            pickle.write(tensor: tensor, storage: index)
        }
        pickle.write(.setItems)
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
