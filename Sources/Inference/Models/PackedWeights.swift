internal import Encoder
internal import Kernels
internal import Tensors
internal import ModelFiles

/// The encoder's weights in the order in which products read them, in a file beside the published
/// one.
///
/// Mapped as that is, so all processes share it. It is an addition: without it, or if it does not
/// fit the published weights, the encoder reads those and is slower.
public enum PackedWeights {
    /// The file's name in the encoder's folder.
    public static let fileName = "model.packed.safetensors"

    static func path(in folder: String) -> String { "\(folder)/\(fileName)" }

    /// Writes the file for the encoder in `folder`, unless there is one that fits.
    ///
    /// - Returns: its path, and whether it was written.
    /// - Throws: if the encoder cannot be read or packed, or the file not be written.
    public static func write(
        folder: String
    ) throws(ModelFault) -> (path: String, isNew: Bool) {
        let path = path(in: folder)
        let configuration = try loadConfiguration(folder: folder)
        let plain = try mapPublished(folder)
        switch find(in: folder, for: plain, configuration) {
        case .fits: return (path, false)
        case .impossible:
            throw ModelFault(
                "\(folder): this encoder works, but cannot be packed: hidden_size and "
                    + "intermediate_size would have to be multiples of \(PackedWeight.rows)")
        case .unreadable(let reason): throw ModelFault(reason, isPassing: true)
        case .missing, .unfit: break
        }
        var packed: [(name: String, tensor: Tensor)] = []
        do throws(EncoderError) {
            // Made for the weights that it asks for.
            _ = try SentenceEncoder(configuration: configuration, layout: .packed) {
                name, shape throws(EncoderError) in
                guard let plainShape = PackedWeight.plainShape(of: shape) else {
                    return try plain.weight(name, shape)
                }
                let tensor = PackedWeight.pack(try plain.weight(name, plainShape))
                packed.append((name, tensor))
                return tensor
            }
        } catch {
            throw encoderFault("\(folder): \(error)")
        }
        let sum = checksum(packed.lazy.map(\.tensor))
        let checkpoint = Checkpoint(tensors: packed, metadata: [orderKey: order, sumKey: sum])
        do throws(ModelFileError) {
            try replaceFile(
                at: path, with: checkpoint.encoded(as: .safetensors), likeThatAt: plain.path)
        } catch {
            throw ModelFault("\(error)")
        }
        guard case .fits = find(in: folder, for: plain, configuration) else {
            throw ModelFault("\(path): what was written is not what is read back")
        }
        return (path, true)
    }

    /// What there is beside the published weights.
    enum Found {
        /// A file with which this encoder computes.
        case fits(SentenceEncoder, SafetensorsFile)
        case missing
        /// A file that cannot be used, for this reason.
        case unfit(String)
        /// A file that the system does not let us read, for this reason, and may a moment later.
        case unreadable(String)
        /// Such an encoder cannot be packed.
        case impossible
    }

    /// Looks for the file of an encoder whose published weights are `plain`.
    ///
    /// All of it is read: its checksum must be right, and of each weight the
    /// first six rows, the last and some in the middle those of `plain`. Soon every text needs it
    /// anyway.
    static func find(
        in folder: String, for plain: SafetensorsFile, _ configuration: EncoderConfiguration
    ) -> Found {
        guard configuration.allows(.packed) else { return .impossible }
        var problem: String?
        do {
            let file = try SafetensorsFile(mapping: path(in: folder))
            guard file.metadata[orderKey] == order else {
                return .unfit("it is of another version")
            }
            let tensors = try file.names.map {
                try file.tensor($0, shape: file.shape(of: $0) ?? [])
            }
            guard file.metadata[sumKey] == checksum(tensors) else {
                return .unfit("its checksum is wrong")
            }
            let encoder = try SentenceEncoder(configuration: configuration, layout: .packed) {
                name, shape throws(EncoderError) in
                guard let plainShape = PackedWeight.plainShape(of: shape) else {
                    return try plain.weight(name, shape)
                }
                let packed = try file.weight(name, shape)
                let weight = try plain.weight(name, plainShape)
                for six in [0, shape[0] / 2, shape[0] - 1] where !agree(weight, packed, six: six) {
                    problem = "it was made from other weights"
                    throw .weight(
                        name: name, reason: "rows from \(six * PackedWeight.rows) on differ")
                }
                return packed
            }
            // With large pages around each, the rows compared brought 30 MB in that nobody reads
            // again.
            plain.releasePages()
            return .fits(encoder, file)
        } catch ModelFileError.missing {
            return .missing
        } catch ModelFileError.damaged(_, let reason) {
            return .unfit(reason)
        } catch let error as ModelFileError where error.isOfSystem {
            return .unreadable("\(error)")
        } catch {
            return .unfit(problem ?? "\(error)")
        }
    }

    private static let orderKey = "order"
    private static let order = "sixes of rows"
    private static let sumKey = "checksum"

    /// Whether six rows of a weight are the same, packed.
    private static func agree(_ weight: Tensor, _ packed: Tensor, six: Int) -> Bool {
        let (columns, rows) = (weight.shape[1], PackedWeight.rows)
        let start = six * rows * columns
        let (weight, packed) = (weight.span, packed.span)
        for row in 0..<rows {
            for column in 0..<columns {
                let a = weight[start + row * columns + column]
                let b = packed[start + column * rows + row]
                guard a.bitPattern == b.bitPattern else { return false }
            }
        }
        return true
    }

    /// FNV-1a over 32 bits at a time instead of 8, eight interleaved, of one tensor after the
    /// other.
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
