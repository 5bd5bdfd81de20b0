/// The calls that put tensors together; their arguments are those of PyTorch's functions.
extension PickleMachine {
    /// Wrappers in each other that keep attributes; PyTorch writes one.
    private static let wrapperLimit = 4

    /// What `rebuild` makes of `arguments`: a tensor, or an object that is none.
    mutating func rebuilt(
        _ rebuild: TorchRebuild, _ arguments: [PickleValue]
    ) throws(ModelFileError) -> PickleValue {
        var (rebuild, arguments) = (rebuild, arguments)
        var wrappers = 0
        while rebuild == .fromType {
            wrappers += 1
            guard wrappers <= Self.wrapperLimit, arguments.count == 4,
                case .global(let inner) = arguments[0], case .tuple(let index) = arguments[2]
            else { throw unknownTensor }
            switch inner {
            case .rebuild(let next): (rebuild, arguments) = (next, pool.tuples[index])
            case .skipped(let kind): return .object(kind: kind)
            default: throw unknownTensor
            }
        }
        switch rebuild {
        case .oldest, .plain, .typed:
            guard let tensor = tensor(rebuild, arguments) else { throw unknownTensor }
            try charge(1 + tensor.shape.count + tensor.strides.count)
            pool.tensors.append(tensor)
            return .tensor(pool.tensors.count - 1)
        case .parameter, .parameterWithState, .fromProcessorTensor, .fromType:
            return try unwrapped(rebuild, arguments)
        }
    }

    /// The tensor inside a parameter, or a copy of one from another processor.
    private func unwrapped(
        _ rebuild: TorchRebuild, _ arguments: [PickleValue]
    ) throws(ModelFileError) -> PickleValue {
        guard 3...4 ~= arguments.count else { throw unknownTensor }
        switch arguments[0] {
        case .tensor(let index):
            guard rebuild == .fromProcessorTensor else { return arguments[0] }
            guard case .global(.dtype(pool.tensors[index].element)) = arguments[1] else {
                throw unknownTensor
            }
            return arguments[0]
        case .object: return arguments[0]
        default: throw unknownTensor
        }
    }

    private var unknownTensor: ModelFileError { damaged("a tensor of unknown form") }

    /// Storage, offset, shape, strides, whether it has a gradient, hooks, the type, and signs.
    ///
    /// The oldest form ends with the strides, and only the newest holds the type.
    private func tensor(_ rebuild: TorchRebuild, _ arguments: [PickleValue]) -> TorchTensor? {
        let required = rebuild == .oldest ? 4 : rebuild == .plain ? 6 : 7
        let allowed = rebuild == .oldest ? 4 : required + 1
        guard required...allowed ~= arguments.count, case .storage(let index) = arguments[0],
            let offset = arguments[1].number, offset >= 0,
            let shape = extents(arguments[2]), let strides = extents(arguments[3]),
            shape.count == strides.count
        else { return nil }
        let storage = pool.storages[index]
        var element = storage.element
        if rebuild == .typed {
            guard case .global(.dtype(let type)) = arguments[6] else { return nil }
            element = type
        }
        var isNegated = false
        if arguments.count > required {
            guard let signs = signs(arguments[required]) else { return nil }
            isNegated = signs
        }
        return TorchTensor(
            storage: storage, element: element, offset: offset, shape: shape, strides: strides,
            isNegated: isNegated)
    }

    /// A tuple of integers from 0 up; nil for anything else.
    private func extents(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let index) = value, pool.tuples[index].count <= TorchTensor.axisLimit
        else { return nil }
        var extents: [Int] = []
        for element in pool.tuples[index] {
            guard let extent = element.number, extent >= 0 else { return nil }
            extents.append(extent)
        }
        return extents
    }

    /// Whether a tensor's metadata, `{"neg": …, "conj": …}`, says that its values have the other
    /// sign.
    ///
    /// The other member is about the part of complex numbers that is left out. Nil for other
    /// metadata.
    private func signs(_ value: PickleValue) -> Bool? {
        if case .none = value { return false }
        guard case .dictionary(let index) = value else { return nil }
        let members = pool.dictionaries[index]
        for key in members.keys {
            guard key == .string("neg") || key == .string("conj"), case .bool? = members[key]
            else { return nil }
        }
        if case .bool(true)? = members[.string("neg")] { return true }
        return false
    }
}
