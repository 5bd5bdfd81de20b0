internal import Kernels

/// The zip file that `torch.save` writes: a pickle, and one entry for each storage.
struct TorchArchive {
    private let archive: ZipArchive
    private let file: String

    /// The folder that all entries stand in; PyTorch names it after the file, or `archive`.
    private let root: String

    /// The bytes of `data.pkl`.
    let pickle: ArraySlice<UInt8>

    init(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        let archive = try ZipArchive(bytes, file: file)
        let suffix = "/data.pkl"
        let pickles = archive.entries.filter { $0.name.hasSuffix(suffix) }
        guard pickles.count == 1 else {
            throw .damaged(
                file: file, reason: "a zip file with \(pickles.count) data.pkl, not PyTorch's")
        }
        root = String(pickles[0].name.dropLast(suffix.count))
        pickle = bytes[pickles[0].range]
        if let range = archive["\(root)/byteorder"], !bytes[range].elementsEqual("little".utf8) {
            throw .damaged(file: file, reason: "written on a machine of another byte order")
        }
        self.archive = archive
        self.file = file
    }

    /// The number of elements of `tensor`, after checks of its type, storage, shape and strides.
    func elementCount(of tensor: TorchTensor, named name: String) throws(ModelFileError) -> Int {
        func damaged(_ reason: String) -> ModelFileError {
            .damaged(file: file, reason: "tensor \(printable(name)) \(reason)")
        }
        let storage = tensor.storage
        guard storage.element == .float32 else {
            throw damaged("is of type \(storage.element.rawValue), needs float32")
        }
        guard let range = archive["\(root)/data/\(storage.key)"] else {
            throw damaged("has no storage data/\(storage.key)")
        }
        guard range.count.isMultiple(of: 4), storage.count == range.count / 4 else {
            throw damaged(
                "claims \(storage.count) floats, data/\(storage.key) has \(range.count) bytes")
        }
        guard let count = product(of: tensor.shape, times: 1), count <= storage.count else {
            throw damaged("of shape \(tensor.shape) exceeds its storage of \(storage.count) floats")
        }
        // The furthest element; an empty tensor has none.
        var last = tensor.offset
        for (extent, stride) in zip(tensor.shape, tensor.strides) where count > 0 {
            let (reach, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (next, overflow) = last.addingReportingOverflow(reach)
            guard !tooFar, !overflow else { throw damaged("reaches beyond its storage") }
            last = next
        }
        guard count == 0 || last < storage.count else {
            throw damaged("reaches beyond its storage")
        }
        return count
    }

    /// A copy of `tensor` in row-major order; its `elementCount` must have been checked.
    func tensor(_ tensor: TorchTensor, named name: String) throws(ModelFileError) -> Tensor {
        let count = try elementCount(of: tensor, named: name)
        guard count > 0, let range = archive["\(root)/data/\(tensor.storage.key)"] else {
            return Tensor(shape: tensor.shape, bytes: [])
        }
        let content = archive.bytes[range]
        let first = content.startIndex + 4 * tensor.offset
        if tensor.isRowMajor {
            return Tensor(shape: tensor.shape, bytes: content[first..<first + 4 * count])
        }
        var gathered: [UInt8] = []
        gathered.reserveCapacity(4 * count)
        var position = [Int](repeating: 0, count: tensor.shape.count)
        for _ in 0..<count {
            let element = zip(position, tensor.strides).reduce(0) { $0 + $1.0 * $1.1 }
            gathered.append(contentsOf: content[first + 4 * element..<first + 4 * element + 4])
            for axis in position.indices.reversed() {
                position[axis] += 1
                if position[axis] < tensor.shape[axis] { break }
                position[axis] = 0
            }
        }
        return Tensor(shape: tensor.shape, bytes: gathered[...])
    }
}

extension TorchTensor {
    /// Whether the elements lie end to end, the last dimension fastest; strides of single rows are free.
    fileprivate var isRowMajor: Bool {
        var dense = 1
        for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
            if stride != dense { return false }
            dense *= extent
        }
        return true
    }
}
