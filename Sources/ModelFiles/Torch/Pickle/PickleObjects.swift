/// What a pickle may make, and what it may ask of it.
extension PickleMachine {
    mutating func pushTuple(_ elements: [PickleValue]) throws(ModelFileError) {
        try charge(1 + elements.count)
        stack.append(.tuple(pool.tuples.count))
        pool.tuples.append(elements)
    }

    mutating func pushList() throws(ModelFileError) {
        try charge(1)
        stack.append(.list(pool.lists.count))
        pool.lists.append([])
    }

    mutating func pushDictionary() throws(ModelFileError) {
        try charge(1)
        stack.append(.dictionary(pool.dictionaries.count))
        pool.dictionaries.append(PickleDictionary())
    }

    mutating func append(_ elements: [PickleValue]) throws(ModelFileError) {
        switch try top() {
        case .list(let index):
            try charge(elements.count)
            pool.lists[index].append(contentsOf: elements)
        case .object: break
        default: throw damaged("appends to no list")
        }
    }

    mutating func addItems(_: [PickleValue]) throws(ModelFileError) {
        guard case .object = try top() else { throw damaged("adds items to no set") }
    }

    mutating func setItems(_ items: [PickleValue]) throws(ModelFileError) {
        guard items.count.isMultiple(of: 2) else { throw damaged("sets items of no dictionary") }
        switch try top() {
        case .dictionary(let index): try setItems(items, of: index)
        case .object: break
        default: throw damaged("sets items of no dictionary")
        }
    }

    private mutating func setItems(
        _ items: [PickleValue], of dictionary: Int
    ) throws(ModelFileError) {
        try charge(items.count)
        for item in stride(from: 0, to: items.count, by: 2) {
            let key: PickleDictionary.Key
            switch items[item] {
            case .string(let text):
                try chargeKey(of: text.utf8.count)
                key = .string(text)
            case .integer(let number): key = .integer(number)
            case .list, .dictionary: throw damaged("\(items[item].kind) as a key")
            default: key = .other(pool.dictionaries[dictionary].keys.count)
            }
            pool.dictionaries[dictionary].set(key, to: items[item + 1])
        }
    }

    /// Counts a key by its length: it is hashed whole each time, while a pickle repeats it in two
    /// bytes.
    private mutating func chargeKey(of length: Int) throws(ModelFileError) {
        guard length <= Self.keyLimit else {
            throw damaged("a key of \(length) bytes, more than the limit of \(Self.keyLimit)")
        }
        try charge(length / 64)
    }

    mutating func pushGlobal(module: String, name: String) throws(ModelFileError) {
        guard let global = PickleGlobal(module: module, name: name) else {
            let full = "\(printable(module)).\(printable(name))"
            let isNetwork = module == "__main__" || module.hasPrefix("torch.nn")
            throw damaged(
                "\(full) is not a name that a model needs; "
                    + (isNetwork
                        ? "save the model's state_dict(), not the model"
                        : "save the model's state_dict() without it"))
        }
        stack.append(.global(global))
    }

    /// The call of a class or function with a tuple of arguments.
    mutating func call(_ call: [PickleValue]) throws(ModelFileError) {
        guard case .global(let global) = call[0], case .tuple(let index) = call[1] else {
            throw damaged("a call of \(call[0].kind)")
        }
        let arguments = pool.tuples[index]
        switch global {
        case .orderedDict: try pushOrderedDictionary(arguments)
        case .defaultDict: try pushDictionary()
        case .rebuild(let rebuild): stack.append(try rebuilt(rebuild, arguments))
        case .parameter:
            guard case .tensor? = arguments.first else { throw damaged("a tensor of unknown form") }
            stack.append(arguments[0])
        case .skipped(let kind): stack.append(.object(kind: kind))
        case .storage, .dtype: throw damaged("a call that no model needs")
        }
    }

    /// An empty dictionary, or one of a list of pairs, as Python 2 wrote it.
    private mutating func pushOrderedDictionary(
        _ arguments: [PickleValue]
    ) throws(ModelFileError) {
        try pushDictionary()
        guard !arguments.isEmpty else { return }
        guard arguments.count == 1, case .list(let index) = arguments[0] else {
            throw damaged("a call that no model needs")
        }
        var items: [PickleValue] = []
        for pair in pool.lists[index] {
            let pair =
                switch pair {
                case .list(let index): pool.lists[index]
                case .tuple(let index): pool.tuples[index]
                default: [PickleValue]()
                }
            guard pair.count == 2 else { throw damaged("a dictionary of other than pairs") }
            items += pair
        }
        try setItems(items)
    }

    /// State of a dictionary or an object, such as the `_metadata` of a state dict: read and left
    /// aside.
    mutating func build() throws(ModelFileError) {
        _ = try pop()
        switch try top() {
        case .dictionary, .object, .tensor: break
        default: throw damaged("state of something other than a dictionary")
        }
    }

    /// `("storage", class, key, device, count)`: the only thing stored outside the pickle.
    ///
    /// Before PyTorch 1.6 a sixth element followed: None, or the key, start and length of a view.
    mutating func pushStorage() throws(ModelFileError) {
        guard case .tuple(let index) = try pop(), let storage = storage(pool.tuples[index])
        else { throw damaged("a storage of unknown form") }
        try charge(1)
        stack.append(.storage(pool.storages.count))
        pool.storages.append(storage)
    }

    private func storage(_ identifier: [PickleValue]) -> TorchStorage? {
        guard 5...6 ~= identifier.count, identifier[0].text == "storage",
            case .global(.storage(let element)) = identifier[1],
            let key = identifier[2].text, 1...20 ~= key.utf8.count,
            key.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            identifier[3].text != nil, let count = identifier[4].number, count >= 0
        else { return nil }
        var view = 0..<count
        switch identifier.dropFirst(5).first {
        case nil, .some(.none): break
        case .tuple(let index):
            let part = pool.tuples[index]
            guard part.count == 3, let start = part[1].number, let length = part[2].number,
                0...count ~= start, 0...count - start ~= length
            else { return nil }
            view = start..<start + length
        default: return nil
        }
        return TorchStorage(element: element, key: key, count: count, view: view)
    }
}
