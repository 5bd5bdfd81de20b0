import Tensors
@testable import ModelFiles

/// Pieces of pickles, put together by hand so that they can say what Python never would.
enum Pickle {
    static func text(_ string: String) -> [UInt8] {
        var bytes: [UInt8] = [0x58]
        bytes.append(littleEndian: UInt32(string.utf8.count))
        return bytes + Array(string.utf8)
    }

    static func integer(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x8A, 8]
        bytes.append(littleEndian: number)
        return bytes
    }

    static func global(_ module: String, _ name: String) -> [UInt8] {
        Array("c\(module)\n\(name)\n".utf8)
    }

    static func tuple(_ elements: [[UInt8]]) -> [UInt8] { [0x28] + elements.joined() + [0x74] }

    /// `("storage", torch.FloatStorage, key, "cpu", count)`, looked up outside the pickle.
    ///
    /// The old format adds None, or the key, start and length of a view.
    static func storage(
        key: String = "0", count: Int = 4, type: String = "FloatStorage",
        view: (key: String, start: Int, count: Int)? = nil, isOld: Bool = false
    ) -> [UInt8] {
        var parts = [
            text("storage"), global("torch", type), text(key), text("cpu"), integer(count),
        ]
        if let view {
            parts.append(tuple([text(view.key), integer(view.start), integer(view.count)]))
        } else if isOld {
            parts.append([0x4E])
        }
        return tuple(parts) + [0x51]
    }

    /// A call of a global with these arguments.
    static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
        global(module, name) + tuple(arguments) + [0x52]
    }

    static func tensor(
        storage: [UInt8] = storage(), offset: Int = 0, shape: [Int] = [2, 2],
        strides: [Int] = [2, 1], signs: [String: [UInt8]]? = nil
    ) -> [UInt8] {
        var parts = tensorParts(storage: storage, offset: offset, shape: shape, strides: strides)
        if let signs {
            parts.append(
                [0x7D] + signs.map { text($0.key) + $0.value + [0x73] }.joined())
        }
        return call("torch._utils", "_rebuild_tensor_v2", parts)
    }

    static func tensorParts(
        storage: [UInt8] = storage(), offset: Int = 0, shape: [Int] = [2, 2],
        strides: [Int] = [2, 1]
    ) -> [[UInt8]] {
        [
            storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)),
            [0x89], global("collections", "OrderedDict") + [0x29, 0x52],
        ]
    }

    /// A tensor with a type of its own over a storage of 16 bytes.
    static func typedTensor(_ type: String, offset: Int = 0, shape: [Int]) -> [UInt8] {
        let storage = tuple([
            text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cpu"),
            integer(16),
        ])
        let parts = tensorParts(
            storage: storage + [0x51], offset: offset, shape: shape, strides: [1])
        return call("torch._utils", "_rebuild_tensor_v3", parts + [global("torch", type)])
    }

    /// A tensor inside so many calls that would give it attributes.
    static func wrapped(_ parts: [[UInt8]], times: Int) -> [UInt8] {
        var function = global("torch._utils", "_rebuild_tensor_v2")
        var arguments = tuple(parts)
        for _ in 0..<times {
            arguments = tuple([function, global("torch", "Tensor"), arguments, [0x7D]])
            function = global("torch._tensor", "_rebuild_from_type_v2")
        }
        return function + arguments + [0x52]
    }

    /// `{"model_state_dict": {"a": value}}`.
    static func model(_ value: [UInt8]) -> [UInt8] {
        [0x80, 2, 0x7D] + text("model_state_dict") + [0x7D] + text("a") + value
            + [0x73, 0x73, 0x2E]
    }
}

/// A file of PyTorch's form around a pickle, with one storage of four floats.
func torchFile(
    _ pickle: [UInt8], storage: [UInt8] = [UInt8](repeating: 1, count: 16),
    further: [(name: String, content: [UInt8])] = []
) -> [UInt8] {
    var zip = ZipWriting()
    zip.append(pickle, named: "archive/data.pkl")
    zip.append(storage, named: "archive/data/0")
    for entry in further { zip.append(entry.content, named: entry.name) }
    return zip.finish()
}

/// A file of the form from before PyTorch 1.6 around a pickle, with these storages.
func legacyFile(
    _ pickle: [UInt8], keys: [[UInt8]] = [Pickle.text("0")], protocolNumber: Int = 1001,
    storages: [(count: UInt64, content: [UInt8])] = [(4, [UInt8](repeating: 1, count: 16))]
) -> [UInt8] {
    var file: [UInt8] = [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50]
    file += [0x19, 0x2E, 0x80, 2] + Pickle.integer(protocolNumber) + [0x2E, 0x80, 2, 0x7D, 0x2E]
    file += pickle + [0x80, 2, 0x5D, 0x28] + keys.joined() + [0x65, 0x2E]
    for storage in storages {
        file.append(littleEndian: storage.count)
        file += storage.content
    }
    return file
}
