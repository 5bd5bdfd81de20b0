/// The zip file that `torch.save` writes: a pickle, and one entry for each storage.
struct TorchArchive {
    private let archive: ZipArchive

    /// The folder that all entries stand in; PyTorch names it after the file, or `archive`.
    private let root: String

    /// The bytes of `data.pkl`.
    let pickle: ArraySlice<UInt8>

    /// Whether numbers in storages stand highest byte first.
    let isBigEndian: Bool

    init(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        let archive = try ZipArchive(bytes, file: file)
        let suffix = "/data.pkl"
        let pickles = archive.entries.filter { $0.name.hasSuffix(suffix) }
        let root = pickles.first.map { String($0.name.dropLast(suffix.count)) }
        if let root, archive["\(root)/constants.pkl"] != nil {
            throw .damaged(
                file: file,
                reason: "a TorchScript archive of torch.jit.save; "
                    + "give the model's state_dict() to torch.save")
        }
        guard let root, pickles.count == 1, let pickle = archive["\(root)\(suffix)"] else {
            throw .damaged(
                file: file,
                reason: "a zip file with \(pickles.count) data.pkl, not PyTorch's; use torch.save")
        }
        self.root = root
        self.pickle = pickle
        switch archive["\(root)/byteorder"] {
        case nil: isBigEndian = false
        case let order? where order.elementsEqual("little".utf8): isBigEndian = false
        case let order? where order.elementsEqual("big".utf8): isBigEndian = true
        default: throw .damaged(file: file, reason: "a byte order that is neither little nor big")
        }
        self.archive = archive
    }

    /// The bytes of the storage under `key`.
    func content(of key: String) -> ArraySlice<UInt8>? { archive["\(root)/data/\(key)"] }
}
