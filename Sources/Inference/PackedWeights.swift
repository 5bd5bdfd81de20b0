internal import Encoder
internal import Kernels
internal import ModelFiles

/// The encoder's weights in the order in which products read them, in a file beside the published one.
///
/// Mapped as that is, so all processes share it. It is an addition: without it, or where it does not fit the
/// published weights, the encoder reads those and is slower.
public enum PackedWeights {
    /// Writes the file for the encoder in `folder`, unless there is one that fits.
    ///
    /// - Returns: its path, and whether it was written.
    /// - Throws: where the encoder cannot be read or packed, or the file not be written.
    public static func write(
        folder: String
    ) throws(ModelFault) -> (path: String, isNew: Bool) {
        let path = path(in: folder)
        let plain = try mapPublished(folder)
        if case .fits = find(in: folder, for: plain) { return (path, false) }
        var packed: [(name: String, tensor: Tensor)] = []
        _ = try makeEncoder(folder, packed: true) { name, shape throws(ModelFileError) in
            guard shape.count == 3 else { return try plain.tensor(name, shape: shape) }
            let tensor = PackedWeight.pack(
                try plain.tensor(name, shape: [shape[0] * shape[2], shape[1]]))
            packed.append((name, tensor))
            return tensor
        }
        let sum = checksum(packed.lazy.map(\.tensor))
        let checkpoint = Checkpoint(tensors: packed, metadata: [orderKey: order, sumKey: sum])
        do throws(ModelFileError) {
            try replaceFile(at: path, with: checkpoint.encoded(as: .safetensors))
        } catch {
            throw ModelFault("\(error)")
        }
        guard case .fits = find(in: folder, for: plain) else {
            throw ModelFault("\(path): what was written is not what is read back")
        }
        return (path, true)
    }

    /// What there is beside the published weights.
    enum Found {
        case fits(SafetensorsFile)
        case missing
        /// There is a file that cannot be used, for this reason.
        case unfit(String)
    }

    /// Looks for the file, and reads all of it: soon every text needs it.
    ///
    /// Its checksum must be right, and the first rows of each weight those of `plain`.
    static func find(in folder: String, for plain: SafetensorsFile) -> Found {
        let file: SafetensorsFile
        do throws(ModelFileError) {
            file = try SafetensorsFile(mapping: path(in: folder))
            guard file.metadata[orderKey] == order else {
                return .unfit("it is of another version")
            }
            var tensors: [Tensor] = []
            for name in file.names {
                let shape = file.shape(of: name) ?? []
                guard shape.count == 3, shape[0] > 0, shape[2] == PackedWeight.rows else {
                    return .unfit("its \(name) has shape \(shape)")
                }
                let packed = try file.tensor(name, shape: shape)
                let weight = try plain.tensor(name, shape: [shape[0] * shape[2], shape[1]])
                guard beginsAs(weight, packed) else {
                    return .unfit("it was made from other weights")
                }
                tensors.append(packed)
            }
            guard file.metadata[sumKey] == checksum(tensors) else {
                return .unfit("its checksum is wrong")
            }
        } catch {
            if case .missing = error { return .missing }
            return .unfit("\(error)")
        }
        return .fits(file)
    }

    static func path(in folder: String) -> String { "\(folder)/\(fileName)" }

    /// The name in the encoder's folder.
    public static let fileName = "model.packed.safetensors"

    private static let orderKey = "order"
    private static let order = "sixes of rows"
    private static let sumKey = "checksum"

    /// Whether the first six rows are the same.
    private static func beginsAs(_ weight: Tensor, _ packed: Tensor) -> Bool {
        let (weight, columns, six) = (weight.span, packed.shape[1], PackedWeight.rows)
        let packed = packed.span
        for row in 0..<six {
            for column in 0..<columns {
                let (a, b) = (packed[column * six + row], weight[row * columns + column])
                guard a.bitPattern == b.bitPattern else { return false }
            }
        }
        return true
    }

    /// FNV-1a over 32 bits at a time instead of 8, eight interleaved, of one tensor after the other.
    private static func checksum(_ tensors: some Sequence<Tensor>) -> String {
        let prime: UInt64 = 0x100_0000_01B3
        var sums = InlineArray<8, UInt64>(repeating: 0xCBF2_9CE4_8422_2325)
        for tensor in tensors {
            let values = tensor.span
            for start in stride(from: 0, to: values.count & ~7, by: 8) {
                for lane in 0..<8 {
                    sums[lane] = (sums[lane] ^ UInt64(values[start + lane].bitPattern)) &* prime
                }
            }
            for rest in values.count & ~7..<values.count {
                sums[0] = (sums[0] ^ UInt64(values[rest].bitPattern)) &* prime
            }
        }
        var sum = sums[0]
        for lane in 1..<8 { sum = (sum ^ sums[lane]) &* prime }
        return String(sum, radix: 16)
    }
}
