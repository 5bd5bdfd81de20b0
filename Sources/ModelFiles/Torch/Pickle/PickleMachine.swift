internal import System

/// Reads the pickle of a model without executing anything.
///
/// Dictionaries, lists, tuples, numbers, texts and tensors are kept. Of all other plain data only
/// its kind is kept. A name of anything else is an error that says which, and the byte it stands
/// at.
struct PickleMachine {
    static let stackLimit = 1 << 16
    static let markLimit = 64
    static let memoLimit = 1 << 18
    /// Containers and their elements, all together.
    static let valueLimit = 1 << 20
    /// The most bytes of a key, such as a tensor's name.
    static let keyLimit = 1 << 12

    var pool = PicklePool()

    private let bytes: ArraySlice<UInt8>
    private let file: String
    /// Where the next opcode stands; behind the pickle once it is read.
    private(set) var at: Int
    /// Where the opcode in hand stands.
    private var opcodeAt: Int
    var stack: [PickleValue] = []
    /// The stack's height at each open mark.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var valueCount = 0

    /// A machine over the pickle that `bytes` begins with; `file` names it in errors.
    init(_ bytes: ArraySlice<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
        at = bytes.startIndex
        opcodeAt = bytes.startIndex
    }

    /// Runs to the end of the pickle and returns its value, whose containers are in `pool`.
    mutating func run() throws(ModelFileError) -> PickleValue {
        while true {
            opcodeAt = at
            let code = try byte()
            guard let opcode = PickleOpcode(rawValue: code) else {
                throw damaged("opcode 0x\(hexByte(code)) is not one that a model needs")
            }
            if opcode == .stop {
                let value = try pop()
                guard stack.isEmpty, marks.isEmpty else {
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
        case .pop: try drop()
        case .popMark: _ = try popToMark()
        case .dup: stack.append(try top())
        case .none: stack.append(.none)
        case .newTrue: stack.append(.bool(true))
        case .newFalse: stack.append(.bool(false))
        case .binInt, .binInt1, .binInt2, .long1, .long4: stack.append(try integer(opcode))
        case .binFloat:
            // The one number that a pickle holds highest byte first.
            let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.double(Double(bitPattern: bits)))
        case .binUnicode, .binString: stack.append(try text(lengthWidth: 4))
        case .shortBinUnicode, .shortBinString: stack.append(try text(lengthWidth: 1))
        case .binUnicode8: stack.append(try text(lengthWidth: 8))
        case .binBytes: try skipBytes(lengthWidth: 4)
        case .shortBinBytes: try skipBytes(lengthWidth: 1)
        case .binBytes8, .byteArray8: try skipBytes(lengthWidth: 8)
        case .emptyTuple: try pushTuple([])
        case .tuple: try pushTuple(popToMark())
        case .tuple1: try pushTuple(pop(1))
        case .tuple2: try pushTuple(pop(2))
        case .tuple3: try pushTuple(pop(3))
        case .emptyList: try pushList()
        case .append: try append(pop(1))
        case .appends: try append(popToMark())
        case .emptyDict: try pushDictionary()
        case .setItem: try setItems(pop(2))
        case .setItems: try setItems(popToMark())
        case .emptySet: stack.append(.object(kind: "a set"))
        case .addItems: try addItems(popToMark())
        case .frozenSet:
            _ = try popToMark()
            stack.append(.object(kind: "a frozenset"))
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
        case .reduce, .newObject: try call(pop(2))
        case .newObjectEx: try call(Array(pop(3).dropLast()))
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

    /// A length, which no file could fill if it had more than 62 bits.
    private mutating func length(_ width: Int) throws(ModelFileError) -> Int {
        let bytes = try take(width)
        guard width < 8 || bytes.last ?? 0 < 0x40 else { throw damaged("cut short") }
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func integer(_ opcode: PickleOpcode) throws(ModelFileError) -> PickleValue {
        switch opcode {
        case .binInt1: return .integer(try unsigned(1))
        case .binInt2: return .integer(try unsigned(2))
        case .binInt: return .integer(Int(Int32(truncatingIfNeeded: try unsigned(4))))
        default:
            let digits = try take(length(opcode == .long1 ? 1 : 4))
            guard digits.count <= 8 else { return .object(kind: "an int beyond 64 bits") }
            let isNegative = (digits.last ?? 0) >= 0x80
            return .integer(digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
        }
    }

    private mutating func text(lengthWidth: Int) throws(ModelFileError) -> PickleValue {
        let bytes = try take(length(lengthWidth))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .object(kind: "text that is not UTF-8")
        }
        return .string(text)
    }

    private mutating func skipBytes(lengthWidth: Int) throws(ModelFileError) {
        _ = try take(length(lengthWidth))
        stack.append(.object(kind: "bytes"))
    }

    private mutating func line() throws(ModelFileError) -> String {
        guard let end = bytes[at...].prefix(256).firstIndex(of: UInt8(ascii: "\n")) else {
            throw damaged("a name without an end")
        }
        guard let name = String(validating: bytes[at..<end], as: UTF8.self) else {
            throw damaged("a name that is not UTF-8")
        }
        at = end + 1
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

    /// Takes away the last value, or the last mark if nothing stands on it.
    private mutating func drop() throws(ModelFileError) {
        if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
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

    /// Counts values that are about to be kept.
    mutating func charge(_ count: Int) throws(ModelFileError) {
        valueCount += count
        guard valueCount <= Self.valueLimit else {
            throw damaged("more than \(Self.valueLimit) values")
        }
    }

    func damaged(_ reason: String) -> ModelFileError {
        .damaged(
            file: file, reason: "pickle refused at byte \(opcodeAt - bytes.startIndex): \(reason)")
    }
}
