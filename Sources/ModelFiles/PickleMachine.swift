/// Reads the pickle of a model without executing anything.
///
/// It knows the opcodes that a model's pickle needs, and five things that such a pickle may ask for: an
/// empty ordered dictionary, a tensor, a storage, and the state of a dictionary. All else is an error
/// that names the opcode or the global, and the byte it stands at.
struct PickleMachine {
    /// The longest pickle read; a model's takes some 130 bytes a tensor.
    static let sizeLimit = 1 << 20
    static let stackLimit = 1 << 14
    static let markLimit = 64
    static let memoLimit = 1 << 16

    var pool = PicklePool()

    private let bytes: ArraySlice<UInt8>
    private let file: String
    private var at: Int
    /// Where the opcode in hand stands.
    private var opcodeAt: Int
    var stack: [PickleValue] = []
    /// The stack's height at each open mark.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    /// A machine over the pickle `bytes`; `file` names it in errors.
    init(_ bytes: ArraySlice<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
        at = bytes.startIndex
        opcodeAt = bytes.startIndex
    }

    /// Runs to the end of the pickle and returns its value, whose containers are in `pool`.
    mutating func run() throws(ModelFileError) -> PickleValue {
        guard bytes.count <= Self.sizeLimit else {
            throw damaged("a pickle of \(bytes.count) bytes, limit \(Self.sizeLimit)")
        }
        while true {
            opcodeAt = at
            let code = try byte()
            guard let opcode = PickleOpcode(rawValue: code) else {
                throw damaged("opcode 0x\(hexByte(code)) is not one that a model needs")
            }
            if opcode == .stop {
                let value = try pop()
                guard stack.isEmpty, marks.isEmpty, at == bytes.endIndex else {
                    throw damaged("something is left after its end")
                }
                return value
            }
            try execute(opcode)
            guard stack.count <= Self.stackLimit, marks.count <= Self.markLimit else {
                throw damaged("nested too deeply")
            }
        }
    }

    private mutating func execute(_ opcode: PickleOpcode) throws(ModelFileError) {
        switch opcode {
        case .proto:
            let version = try byte()
            guard 2...5 ~= version else { throw damaged("protocol \(version)") }
        case .frame: _ = try take(8)
        case .stop: break
        case .mark: marks.append(stack.count)
        case .none: stack.append(.none)
        case .newTrue: stack.append(.bool(true))
        case .newFalse: stack.append(.bool(false))
        case .binInt, .binInt1, .binInt2, .long1: stack.append(.integer(try integer(opcode)))
        case .binFloat:
            // The one number that a pickle holds highest byte first.
            let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.double(Double(bitPattern: bits)))
        case .binUnicode: stack.append(.string(try text(length: unsigned(4))))
        case .shortBinUnicode: stack.append(.string(try text(length: unsigned(1))))
        case .emptyTuple: pushTuple([])
        case .tuple: pushTuple(try popToMark())
        case .tuple1: pushTuple(try pop(1))
        case .tuple2: pushTuple(try pop(2))
        case .tuple3: pushTuple(try pop(3))
        case .emptyList:
            stack.append(.list(pool.lists.count))
            pool.lists.append([])
        case .append: try append(pop(1))
        case .appends: try append(popToMark())
        case .emptyDict: pushDictionary()
        case .setItem: try setItems(pop(2))
        case .setItems: try setItems(popToMark())
        case .binGet: try get(unsigned(1))
        case .longBinGet: try get(unsigned(4))
        case .binPut: try put(unsigned(1))
        case .longBinPut: try put(unsigned(4))
        case .memoize: try put(memo.count)
        case .global: try pushGlobal(module: line(), name: line())
        case .stackGlobal:
            let names = try pop(2)
            guard let module = names[0].text, let name = names[1].text else {
                throw damaged("a global whose name is \(names[1].kind)")
            }
            try pushGlobal(module: module, name: name)
        case .reduce: try reduce()
        case .build: try build()
        case .binPersistentID: try pushStorage()
        }
    }
}

// MARK: - Operands

extension PickleMachine {
    private mutating func take(_ count: Int) throws(ModelFileError) -> ArraySlice<UInt8> {
        guard bytes.endIndex - at >= count else { throw damaged("cut short") }
        defer { at += count }
        return bytes[at..<at + count]
    }

    private mutating func byte() throws(ModelFileError) -> UInt8 {
        guard at < bytes.endIndex else { throw damaged("cut short") }
        defer { at += 1 }
        return bytes[at]
    }

    private mutating func unsigned(_ width: Int) throws(ModelFileError) -> Int {
        try take(width).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func integer(_ opcode: PickleOpcode) throws(ModelFileError) -> Int {
        switch opcode {
        case .binInt1: return try unsigned(1)
        case .binInt2: return try unsigned(2)
        case .binInt: return Int(Int32(truncatingIfNeeded: try unsigned(4)))
        default:
            let length = try unsigned(1)
            guard length <= 8 else { throw damaged("an integer of \(length) bytes") }
            let digits = try take(length)
            let isNegative = (digits.last ?? 0) >= 0x80
            return digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
        }
    }

    private mutating func text(length: Int) throws(ModelFileError) -> String {
        guard let text = String(validating: try take(length), as: UTF8.self) else {
            throw damaged("text that is not UTF-8")
        }
        return text
    }

    private mutating func line() throws(ModelFileError) -> String {
        guard let end = bytes[at...].prefix(256).firstIndex(of: UInt8(ascii: "\n")) else {
            throw damaged("a name without an end")
        }
        let name = try text(length: end - at)
        at += 1
        return name
    }
}

// MARK: - Stack and memo

extension PickleMachine {
    mutating func pop() throws(ModelFileError) -> PickleValue {
        guard stack.count > marks.last ?? 0 else { throw damaged("takes more than it put") }
        return stack.removeLast()
    }

    mutating func pop(_ count: Int) throws(ModelFileError) -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw damaged("takes more than it put")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(ModelFileError) -> [PickleValue] {
        guard let height = marks.popLast() else { throw damaged("a mark is missing") }
        defer { stack.removeLast(stack.count - height) }
        return Array(stack[height...])
    }

    func top() throws(ModelFileError) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw damaged("takes more than it put")
        }
        return value
    }

    private mutating func get(_ index: Int) throws(ModelFileError) {
        guard let value = memo[index] else { throw damaged("memo \(index) was never set") }
        stack.append(value)
    }

    private mutating func put(_ index: Int) throws(ModelFileError) {
        guard memo.count < Self.memoLimit else { throw damaged("the memo is too large") }
        memo[index] = try top()
    }

    func damaged(_ reason: String) -> ModelFileError {
        .damaged(
            file: file, reason: "pickle refused at byte \(opcodeAt - bytes.startIndex): \(reason)")
    }
}
