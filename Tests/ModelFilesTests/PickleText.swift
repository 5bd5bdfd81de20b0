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
    static func storage(
        key: String = "0", count: Int = 4, type: String = "FloatStorage"
    ) -> [UInt8] {
        tuple([
            text("storage"), global("torch", type), text(key), text("cpu"), integer(count),
        ]) + [0x51]
    }

    static func tensor(
        storage: [UInt8] = storage(), offset: Int = 0, shape: [Int] = [2, 2],
        strides: [Int] = [2, 1]
    ) -> [UInt8] {
        global("torch._utils", "_rebuild_tensor_v2")
            + tuple([
                storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)),
                [0x89], global("collections", "OrderedDict") + [0x29, 0x52],
            ]) + [0x52]
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
