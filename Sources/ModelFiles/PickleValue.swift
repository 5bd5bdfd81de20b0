/// What a pickle of a model is made of.
///
/// Containers are places in a `PicklePool`, so values never nest in memory: a pickle that holds itself
/// is harmless, and a deep one cannot overflow the stack when it is freed.
enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    case storage(TorchStorage)
    case tensor(Int)

    /// The text of a string; nil for anything else.
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The value of an integer; nil for anything else.
    var number: Int? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// What it is, in Python's words.
    var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a bool"
        case .integer: "an int"
        case .double: "a float"
        case .string: "a str"
        case .tuple: "a tuple"
        case .list: "a list"
        case .dictionary: "a dict"
        case .global: "a class or function"
        case .storage: "a storage"
        case .tensor: "a tensor"
        }
    }
}

/// The names that a pickle may refer to.
///
/// They are recognised, never looked up or called.
enum PickleGlobal: Equatable {
    case orderedDict
    case rebuildTensor
    /// A storage class, by its element type.
    case storage(TorchElement)

    /// Nil for every name that no model file needs.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDict
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch", _):
            guard let element = TorchElement(storage: name) else { return nil }
            self = .storage(element)
        default: return nil
        }
    }
}

/// Element types of PyTorch's storages.
enum TorchElement: String, CaseIterable {
    case float32, float64, float16, bfloat16, int64, int32, int16, int8, uint8, bool

    /// The type of the storage class of that name, such as `FloatStorage`.
    init?(storage name: String) {
        guard let element = Self.allCases.first(where: { $0.storageClass == name }) else {
            return nil
        }
        self = element
    }

    /// PyTorch's class for storages of this type.
    var storageClass: String {
        switch self {
        case .float32: "FloatStorage"
        case .float64: "DoubleStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        case .int64: "LongStorage"
        case .int32: "IntStorage"
        case .int16: "ShortStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .bool: "BoolStorage"
        }
    }
}

/// A reference to the bytes of tensors: the archive entry `data/key`.
struct TorchStorage {
    let element: TorchElement
    let key: String

    /// Elements, as the pickle claims.
    let count: Int
}

/// A tensor as the pickle describes it; nothing of it has been compared with the file.
struct TorchTensor {
    let storage: TorchStorage

    /// Elements from the start of the storage to the first one.
    let offset: Int
    let shape: [Int]

    /// Elements from one to the next in each dimension.
    let strides: [Int]
}

/// The containers of a pickle.
struct PicklePool {
    var tuples: [[PickleValue]] = []
    var lists: [[PickleValue]] = []
    var dictionaries: [PickleDictionary] = []
    var tensors: [TorchTensor] = []
}

/// Members in the order their keys first came; a repeated key keeps its place and takes the last value.
struct PickleDictionary {
    /// What may be a key.
    enum Key: Hashable {
        case string(String)
        case integer(Int)
    }

    private(set) var keys: [Key] = []
    private var members: [Key: PickleValue] = [:]

    subscript(key: Key) -> PickleValue? { members[key] }

    mutating func set(_ key: Key, to value: PickleValue) {
        if members.updateValue(value, forKey: key) == nil { keys.append(key) }
    }
}
