internal import Tensors

extension Checkpoint {
    /// The name under which a safetensors file keeps `embeddingDimension`.
    static let dimensionKey = "embedding_dim"

    /// The tensors whose names `isAsked` takes, and the metadata, of a safetensors file held in
    /// memory.
    init(
        safetensors bytes: [UInt8], file: String, isVersionTrusted: Bool = false,
        isAsked: (_ name: String) -> Bool = { _ in true }
    ) throws(ModelFileError) {
        let length = try SafetensorsHeader.jsonLength(
            prefix: Array(bytes.prefix(8)), fileSize: bytes.count, file: file)
        let header = try SafetensorsHeader(
            json: Array(bytes[8..<8 + length]), fileSize: bytes.count, file: file)
        var tensors: [(name: String, tensor: Tensor)] = []
        for name in header.names where isAsked(name) {
            switch header[name] {
            case let entry? where entry.dtype == "F16":
                tensors.append((name, Tensor(shape: entry.shape, halves: bytes[entry.range])))
            case let entry? where entry.dtype == "I8":
                tensors.append((name, Tensor(shape: entry.shape, integers: bytes[entry.range])))
            default:
                let entry = try header.entry(name, file: file)
                tensors.append((name, Tensor(shape: entry.shape, bytes: bytes[entry.range])))
            }
        }
        var metadata = header.metadata
        let dimension = metadata.removeValue(forKey: Self.dimensionKey)
        self.init(
            tensors: tensors, metadata: metadata, embeddingDimension: dimension.flatMap { Int($0) },
            isVersionTrusted: isVersionTrusted)
    }

    /// The bytes of a safetensors file, all in single precision: header padded with spaces so that
    /// the tensors are aligned.
    func safetensors() -> [UInt8] {
        var strings = metadata
        strings[Self.dimensionKey] = embeddingDimension.map(String.init)
        var members: [String] = []
        if !strings.isEmpty { members.append("\"__metadata__\":" + jsonText(of: strings)) }
        var end = 0
        for (name, tensor) in tensors {
            let start = end
            end += 4 * tensor.count
            members.append(
                "\(jsonText(of: name)):{\"dtype\":\"F32\",\"shape\":"
                    + "[\(tensor.shape.map(String.init).joined(separator: ","))],"
                    + "\"data_offsets\":[\(start),\(end)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }

        var file: [UInt8] = []
        file.reserveCapacity(8 + header.count + end)
        file.append(littleEndian: UInt64(header.count))
        file.append(contentsOf: header)
        for (_, tensor) in tensors { file.append(floats: tensor.span) }
        return file
    }
}
