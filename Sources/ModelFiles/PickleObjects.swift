/// What a pickle may make, and what it may ask of it.
extension PickleMachine {
    mutating func pushTuple(_ elements: [PickleValue]) {
        stack.append(.tuple(pool.tuples.count))
        pool.tuples.append(elements)
    }

    mutating func pushDictionary() {
        stack.append(.dictionary(pool.dictionaries.count))
        pool.dictionaries.append(PickleDictionary())
    }

    mutating func append(_ elements: [PickleValue]) throws(ModelFileError) {
        guard case .list(let index) = try top() else { throw damaged("appends to no list") }
        pool.lists[index].append(contentsOf: elements)
    }

    mutating func setItems(_ items: [PickleValue]) throws(ModelFileError) {
        guard case .dictionary(let index) = try top(), items.count.isMultiple(of: 2) else {
            throw damaged("sets items of no dictionary")
        }
        for item in stride(from: 0, to: items.count, by: 2) {
            let key: PickleDictionary.Key =
                switch items[item] {
                case .string(let text): .string(text)
                case .integer(let number): .integer(number)
                default: throw damaged("\(items[item].kind) as a key")
                }
            pool.dictionaries[index].set(key, to: items[item + 1])
        }
    }

    mutating func pushGlobal(module: String, name: String) throws(ModelFileError) {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw damaged(
                "\(printable(module)).\(printable(name)) is not a name that a model needs")
        }
        stack.append(.global(global))
    }

    /// `collections.OrderedDict()` or `torch._utils._rebuild_tensor_v2(…)`.
    mutating func reduce() throws(ModelFileError) {
        let call = try pop(2)
        guard case .global(let global) = call[0], case .tuple(let index) = call[1] else {
            throw damaged("a call of \(call[0].kind)")
        }
        let arguments = pool.tuples[index]
        switch global {
        case .orderedDict where arguments.isEmpty: pushDictionary()
        case .rebuildTensor:
            guard let tensor = TorchTensor(arguments, in: pool) else {
                throw damaged("a tensor of unknown form")
            }
            stack.append(.tensor(pool.tensors.count))
            pool.tensors.append(tensor)
        default: throw damaged("a call that no model needs")
        }
    }

    /// State of a dictionary, such as the `_metadata` of a state dict: read and left aside.
    mutating func build() throws(ModelFileError) {
        let state = try pop()
        guard case .dictionary = state, case .dictionary = try top() else {
            throw damaged("state of something other than a dictionary")
        }
    }

    /// `("storage", class, key, device, count)`: the only thing stored outside the pickle.
    mutating func pushStorage() throws(ModelFileError) {
        guard case .tuple(let index) = try pop(), let storage = TorchStorage(pool.tuples[index])
        else { throw damaged("a storage of unknown form") }
        stack.append(.storage(storage))
    }
}

extension TorchStorage {
    fileprivate init?(_ identifier: [PickleValue]) {
        guard identifier.count == 5, identifier[0].text == "storage",
            case .global(.storage(let element)) = identifier[1],
            let key = identifier[2].text, 1...16 ~= key.utf8.count,
            key.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            identifier[3].text != nil, let count = identifier[4].number, count >= 0
        else { return nil }
        self.init(element: element, key: key, count: count)
    }
}

extension TorchTensor {
    /// Storage, offset, shape, strides, whether it has a gradient, and hooks, of which there are none.
    fileprivate init?(_ arguments: [PickleValue], in pool: PicklePool) {
        guard arguments.count == 6, case .storage(let storage) = arguments[0],
            let offset = arguments[1].number, offset >= 0,
            let shape = pool.extents(arguments[2]), let strides = pool.extents(arguments[3]),
            shape.count == strides.count, shape.count <= 8, case .bool = arguments[4],
            case .dictionary(let hooks) = arguments[5], pool.dictionaries[hooks].keys.isEmpty
        else { return nil }
        self.init(storage: storage, offset: offset, shape: shape, strides: strides)
    }
}

extension PicklePool {
    /// A tuple of integers from 0 up; nil for anything else.
    fileprivate func extents(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let index) = value else { return nil }
        var extents: [Int] = []
        for element in tuples[index] {
            guard let extent = element.number, extent >= 0 else { return nil }
            extents.append(extent)
        }
        return extents
    }
}
