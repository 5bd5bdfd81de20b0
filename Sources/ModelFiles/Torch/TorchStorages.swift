internal import Tensors

/// The bytes of storages, whichever file they come from, and the tensors that lie in them.
struct TorchStorages {
    let file: String

    /// Whether numbers stand highest byte first.
    let isBigEndian: Bool

    /// The bytes of the storage of that key.
    let content: (String) -> ArraySlice<UInt8>?

    /// The most dimensions of a tensor that a network has, and that safetensors files are read
    /// with.
    private static let axisLimit = 8

    /// The number of elements of `tensor`, after checks of its type, storage, shape and strides.
    func elementCount(of tensor: TorchTensor, named name: String) throws(ModelFileError) -> Int {
        func damaged(_ reason: String) -> ModelFileError {
            .damaged(file: file, reason: "tensor \(printable(name)) \(reason)")
        }
        let storage = tensor.storage
        guard tensor.element.isConvertible else {
            throw damaged(
                "is of type \(tensor.element.rawValue), which does not convert to float32")
        }
        guard tensor.shape.count <= Self.axisLimit else {
            throw damaged("has \(tensor.shape.count) dimensions, limit \(Self.axisLimit)")
        }
        guard let content = content(storage.key) else {
            throw damaged("has no storage data/\(storage.key)")
        }
        let width = storage.element.width
        guard content.count.isMultiple(of: width), storage.count == content.count / width else {
            throw damaged(
                "claims \(storage.count) elements of \(width) bytes, "
                    + "data/\(storage.key) has \(content.count) bytes")
        }
        let available = storage.view.count * width / tensor.element.width
        guard let count = product(of: tensor.shape, times: 1) else {
            throw damaged("of shape \(tensor.shape) exceeds its storage of \(available) elements")
        }
        // The furthest element; an empty tensor has none.
        var last = tensor.offset
        for (extent, stride) in zip(tensor.shape, tensor.strides) where count > 0 {
            let (reach, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (next, overflow) = last.addingReportingOverflow(reach)
            guard !tooFar, !overflow else { throw damaged("reaches beyond its storage") }
            last = next
        }
        guard count == 0 || last < available else { throw damaged("reaches beyond its storage") }
        return count
    }

    /// A copy of `tensor` in row-major order as float32.
    ///
    /// Its `elementCount` must have been checked: strides of 0 let few bytes be many elements.
    func tensor(_ tensor: TorchTensor, named name: String) throws(ModelFileError) -> Tensor {
        let count = try elementCount(of: tensor, named: name)
        guard count > 0, let content = content(tensor.storage.key) else {
            return Tensor(shape: tensor.shape, bytes: [])
        }
        let width = tensor.element.width
        let first =
            content.startIndex + tensor.storage.view.lowerBound * tensor.storage.element.width
            + tensor.offset * width
        if tensor.isRowMajor, tensor.element == .float32, !isBigEndian, !tensor.isNegated {
            return Tensor(shape: tensor.shape, bytes: content[first..<first + 4 * count])
        }
        let floats = floats(
            tensor, count: count, in: content.span, from: first - content.startIndex)
        return Tensor(shape: tensor.shape, copying: floats.span)
    }

    /// The elements one by one, the last dimension fastest; the first stands at byte `first`.
    private func floats(
        _ tensor: TorchTensor, count: Int, in content: Span<UInt8>, from first: Int
    ) -> [Float] {
        let element = tensor.element
        // PyTorch swaps bytes by the type of the storage, so none in a storage of bytes.
        let isSwapped = isBigEndian && tensor.storage.element.numberWidth > 1
        var floats: [Float] = []
        floats.reserveCapacity(count)
        var position = [Int](repeating: 0, count: tensor.shape.count)
        var at = first
        for _ in 0..<count {
            var bits: UInt64 = 0
            for byte in 0..<element.numberWidth {
                let shift = 8 * (isSwapped ? element.numberWidth - 1 - byte : byte)
                bits |= UInt64(content[at + byte]) << UInt64(shift)
            }
            let value = element.float(bits: bits)
            floats.append(tensor.isNegated ? -value : value)
            for axis in position.indices.reversed() {
                // The stride of a dimension of 1 is any number, so it is never multiplied.
                if position[axis] + 1 < tensor.shape[axis] {
                    position[axis] += 1
                    at += tensor.strides[axis] * element.width
                    break
                }
                at -= position[axis] * tensor.strides[axis] * element.width
                position[axis] = 0
            }
        }
        return floats
    }
}

extension TorchTensor {
    /// Whether the elements lie end to end, the last dimension fastest; strides of single rows are
    /// free.
    fileprivate var isRowMajor: Bool {
        var dense = 1
        for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
            if stride != dense { return false }
            dense *= extent
        }
        return true
    }
}
