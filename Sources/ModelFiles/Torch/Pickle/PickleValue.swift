/// What a pickle of a model is made of.
///
/// Containers are places in a `PicklePool`, so values never nest in memory: a pickle that holds
/// itself is harmless, and a deep one cannot overflow the stack when it is freed.
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
    case storage(Int)
    case tensor(Int)
    /// Anything of which only its kind is kept, such as bytes, a set or a date.
    case object(kind: String)

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
        case .object(let kind): kind
        }
    }
}

/// A reference to the bytes of tensors, which stand outside the pickle under `key`.
struct TorchStorage {
    let element: TorchElement
    let key: String

    /// Elements under that key, as the pickle claims.
    let count: Int

    /// The elements that tensors may use; all but in views of files from before PyTorch 0.4.
    let view: Range<Int>
}

/// A tensor as the pickle describes it; nothing of it has been compared with the file.
struct TorchTensor {
    let storage: TorchStorage

    /// The type of the elements, which differs from the storage's if that is a storage of bytes.
    let element: TorchElement

    /// Elements from the start of the storage to the first one.
    let offset: Int
    let shape: [Int]

    /// Elements from one to the next in each dimension.
    let strides: [Int]

    /// Whether the values are those of the storage with the other sign.
    let isNegated: Bool

    /// The most dimensions, as in PyTorch.
    static let axisLimit = 64
}

/// The containers of a pickle.
struct PicklePool {
    var tuples: [[PickleValue]] = []
    var lists: [[PickleValue]] = []
    var dictionaries: [PickleDictionary] = []
    var tensors: [TorchTensor] = []
    var storages: [TorchStorage] = []
}

/// Members in the order their keys first came; a repeated key keeps its place and takes the last
/// value.
struct PickleDictionary {
    /// What may be a key.
    enum Key: Hashable {
        case string(String)
        case integer(Int)
        /// Anything else, by the number of keys before it: such keys are never looked up.
        case other(Int)

        /// The key in words.
        var shown: String {
            switch self {
            case .string(let text): printable(text)
            case .integer(let number): "\(number)"
            case .other: "a key that is no text"
            }
        }
    }

    private(set) var keys: [Key] = []
    private var members: [Key: PickleValue] = [:]

    subscript(key: Key) -> PickleValue? { members[key] }

    mutating func set(_ key: Key, to value: PickleValue) {
        if members.updateValue(value, forKey: key) == nil { keys.append(key) }
    }
}
