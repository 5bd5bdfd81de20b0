/// A file of PyTorch before 1.6: five pickles, then the storages, each behind its length.
///
/// The pickles are a magic number, the protocol's number, facts about the machine, the value, and
/// the keys of the storages in their order. Nothing in such a file is a checksum.
struct TorchLegacyFile {
    /// What was given to `torch.save`.
    let value: PickleValue

    /// The containers of `value`.
    let pool: PicklePool

    /// The bytes of each storage by its key.
    private(set) var contents: [String: ArraySlice<UInt8>] = [:]

    /// The end of the first pickle: the integer 0x1950A86A20F9469CFC6C of ten bytes.
    private static let magic: [UInt8] = [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]
    private static let protocolNumber = 1001

    init(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        // Behind PROTO and, from protocol 4 on, FRAME.
        guard let magicAt = [2, 11].first(where: { bytes.dropFirst($0).starts(with: Self.magic) })
        else {
            throw damaged(
                "neither a PyTorch nor a safetensors file but another pickle; use torch.save")
        }
        var rest = bytes[(magicAt + Self.magic.count)...]
        func next() throws(ModelFileError) -> (PickleValue, PicklePool) {
            var machine = PickleMachine(rest, file: file)
            let value = try machine.run()
            rest = bytes[machine.at...]
            return (value, machine.pool)
        }
        guard try next().0.number == Self.protocolNumber else {
            throw damaged("PyTorch's old format, but not its protocol \(Self.protocolNumber)")
        }
        _ = try next()
        (value, pool) = try next()
        let (keys, keyPool) = try next()
        guard case .list(let index) = keys else { throw damaged("lists no storages") }

        // The first reference to a storage tells its type, as in PyTorch.
        var elements: [String: TorchElement] = [:]
        for storage in pool.storages where elements[storage.key] == nil {
            elements[storage.key] = storage.element
        }
        for key in keyPool.lists[index] {
            guard let key = key.text, let element = elements[key], contents[key] == nil else {
                throw damaged("lists a storage that nothing refers to, or one twice")
            }
            guard rest.count >= 8 else { throw damaged("cut short") }
            let count = littleEndian64(rest.span, at: 0)
            guard count <= UInt64((rest.count - 8) / element.width) else {
                throw damaged("storage \(key) of \(count) elements is cut short")
            }
            let content = rest.dropFirst(8).prefix(Int(count) * element.width)
            contents[key] = content
            rest = bytes[content.endIndex...]
        }
        guard rest.isEmpty else { throw damaged("\(rest.count) bytes are left after its end") }
    }
}
