import Tensors
import System
import Testing

@testable import ModelFiles

@Suite struct `Hostile pickles` {
    @Test func `differ from a harmless one only in what the tests change`() throws {
        let checkpoint = try Checkpoint(
            decoding: torchFile(Pickle.model(Pickle.tensor())), file: "model.pt")
        #expect(checkpoint.tensors.map(\.name) == ["a"])
        #expect(checkpoint.tensors[0].tensor.shape == [2, 2])
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "exec"),
        ("subprocess", "Popen"), ("torch", "load"), ("torch", "FloatStorage.__class__"),
        ("torch._utils", "_rebuild_tensors"), ("collections", "OrderedDict.__reduce__"),
        ("builtins", "getattr"), ("builtins", "set.__class__"), ("numpy", "load"),
        ("torch.storage", "_load_from_bytes"), ("torch", "FloatTensor"), ("pathlib", "os"),
        ("torch.storage", "_load_from_bytes"), ("", ""), ("a\u{1B}[2J", "b"),
    ])
    func `that name a global are refused, however they name it`(
        module: String, name: String
    ) throws {
        let valueStart = 31
        let names = Pickle.text(module) + Pickle.text(name)
        for (global, opcodeAt) in [
            (Pickle.global(module, name), valueStart),
            (names + [0x93], valueStart + names.count),
        ] {
            let call = global + Pickle.tuple([Pickle.text("echo")]) + [0x52]
            let line = try #require(refusal(of: torchFile(Pickle.model(call))))
            let reason =
                "\(printable(module)).\(printable(name)) is not a name that a model needs; "
                + "save the model's state_dict() without it"
            #expect(line == "model.pt: pickle refused at byte \(opcodeAt): \(reason)")
        }
    }

    /// Opcodes of all protocols that build what no model needs, with the start of an operand.
    @Test func `that use an opcode no model needs are refused by its number`() throws {
        for code in UInt8.min...255 where PickleOpcode(rawValue: code) == nil {
            let line = try #require(
                refusal(of: torchFile([0x80, 2, code] + Pickle.text("os") + [0x2E])))
            #expect(
                line == "model.pt: pickle refused at byte 2: "
                    + "opcode 0x\(hexByte(code)) is not one that a model needs")
        }
    }

    @Test(arguments: [
        ("a shape that overflows", Pickle.tensor(shape: [1 << 62, 4]), "exceeds its storage"),
        (
            "a shape that overflows behind a zero",
            Pickle.tensor(shape: [0, 1 << 62, 4], strides: [1, 1, 1]), "exceeds its storage"
        ),
        ("a negative extent", Pickle.tensor(shape: [-2, -2]), "a tensor of unknown form"),
        ("a negative stride", Pickle.tensor(strides: [-2, 1]), "a tensor of unknown form"),
        ("a negative offset", Pickle.tensor(offset: -1), "a tensor of unknown form"),
        ("too many elements", Pickle.tensor(shape: [2, 3], strides: [3, 1]), "reaches beyond"),
        (
            "a number repeated too often", Pickle.tensor(shape: [1 << 25], strides: [0]),
            "more than 16777216 elements"
        ),
        (
            "a number repeated to the largest size", Pickle.tensor(shape: [.max], strides: [0]),
            "more than 16777216 elements"
        ),
        ("a stride too far", Pickle.tensor(strides: [3, 1]), "reaches beyond its storage"),
        ("a stride that overflows", Pickle.tensor(strides: [.max, .max]), "reaches beyond"),
        ("an offset too far", Pickle.tensor(offset: 1), "reaches beyond its storage"),
        ("an offset that overflows", Pickle.tensor(offset: .max), "reaches beyond its storage"),
        ("more extents than strides", Pickle.tensor(strides: [1]), "a tensor of unknown form"),
        (
            "nine dimensions",
            Pickle.tensor(
                shape: [Int](repeating: 1, count: 9), strides: [Int](repeating: 1, count: 9)),
            "tensor a has 9 dimensions, limit 8"
        ),
        (
            "65 dimensions",
            Pickle.tensor(
                shape: [Int](repeating: 1, count: 65), strides: [Int](repeating: 1, count: 65)),
            "a tensor of unknown form"
        ),
        (
            "a storage that is missing", Pickle.tensor(storage: Pickle.storage(key: "1")),
            "has no storage data/1"
        ),
        (
            "a storage shorter than claimed", Pickle.tensor(storage: Pickle.storage(count: 5)),
            "claims 5 elements of 4 bytes, data/0 has 16 bytes"
        ),
        (
            "a storage longer than claimed", Pickle.tensor(storage: Pickle.storage(count: 3)),
            "claims 3 elements of 4 bytes"
        ),
        (
            "a storage of negative size", Pickle.tensor(storage: Pickle.storage(count: -4)),
            "a storage of unknown form"
        ),
        (
            "a key that is a path", Pickle.tensor(storage: Pickle.storage(key: "../data.pkl")),
            "a storage of unknown form"
        ),
        (
            "a wider type, of which there are fewer",
            Pickle.tensor(storage: Pickle.storage(count: 2, type: "DoubleStorage")),
            "reaches beyond its storage"
        ),
        (
            "a wider type and the count of the narrow one",
            Pickle.tensor(storage: Pickle.storage(type: "DoubleStorage")),
            "claims 4 elements of 8 bytes, data/0 has 16 bytes"
        ),
        (
            "a type without numbers",
            Pickle.tensor(storage: Pickle.storage(count: 16, type: "QUInt8Storage")),
            "tensor a is of type quint8, which does not convert to float32"
        ),
        (
            "a type of no name",
            Pickle.tensor(storage: Pickle.storage(type: "Float3Storage")),
            "torch.Float3Storage is not a name that a model needs"
        ),
        (
            "a type of its own that is wider than the storage",
            Pickle.typedTensor("float64", shape: [3]), "reaches beyond its storage"
        ),
        (
            "a type of its own behind the storage's end",
            Pickle.typedTensor("float64", offset: 1, shape: [2]), "reaches beyond its storage"
        ),
        (
            "a type of its own that is no type",
            Pickle.typedTensor("device", shape: [1]), "a tensor of unknown form"
        ),
        (
            "a type of its own without numbers",
            Pickle.typedTensor("qint8", shape: [1]), "which does not convert to float32"
        ),
        (
            "signs that are not bools", Pickle.tensor(signs: ["neg": Pickle.integer(1)]),
            "a tensor of unknown form"
        ),
        ("signs of no name", Pickle.tensor(signs: ["pos": [0x88]]), "a tensor of unknown form"),
        (
            "a parameter of a number",
            Pickle.call("torch._utils", "_rebuild_parameter", [Pickle.integer(1), [0x88], [0x7D]]),
            "a tensor of unknown form"
        ),
        (
            "a parameter of nothing", Pickle.call("torch._utils", "_rebuild_parameter", []),
            "a tensor of unknown form"
        ),
        (
            "the class of parameters, of nothing",
            Pickle.call("torch.nn.parameter", "Parameter", []), "a tensor of unknown form"
        ),
        (
            "wrappers without end", Pickle.wrapped(Pickle.tensorParts(), times: 5),
            "a tensor of unknown form"
        ),
        (
            "a wrapper of what is none",
            Pickle.call(
                "torch._tensor", "_rebuild_from_type_v2",
                [Pickle.text("a"), Pickle.text("b"), [0x29], [0x7D]]),
            "a tensor of unknown form"
        ),
        (
            "a copy of another type",
            Pickle.call(
                "torch._utils", "_rebuild_device_tensor_from_cpu_tensor",
                [Pickle.tensor(), Pickle.global("torch", "float16"), Pickle.text("xla"), [0x89]]),
            "a tensor of unknown form"
        ),
        (
            "a view beyond its storage",
            Pickle.tensor(storage: Pickle.storage(view: (key: "1", start: 2, count: 3))),
            "a storage of unknown form"
        ),
        (
            "a view of negative length",
            Pickle.tensor(storage: Pickle.storage(view: (key: "1", start: 2, count: -1))),
            "a storage of unknown form"
        ),
        (
            "a view that overflows",
            Pickle.tensor(storage: Pickle.storage(view: (key: "1", start: 1, count: .max))),
            "a storage of unknown form"
        ),
        (
            "a tensor longer than its view",
            Pickle.tensor(storage: Pickle.storage(view: (key: "1", start: 1, count: 3))),
            "reaches beyond its storage"
        ),
        (
            "an object for a tensor",
            Pickle.call("torch", "device", [Pickle.text("cpu")]), "a is a torch.device"
        ),
        (
            "a set for a tensor", [0x8F], "something other than named tensors: a is a set"
        ),
        ("bytes for a tensor", [0x43, 1, 0], "something other than named tensors: a is bytes"),
        ("items added to a list", [0x5D, 0x28, 0x4B, 1, 0x90], "adds items to no set"),
        ("a pop of nothing", [0x28, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30], "takes more than it put"),
        ("bytes longer than an Int", [0x8E] + [UInt8](repeating: 0xFF, count: 8), "cut short"),
        ("text longer than an Int", [0x8D] + [UInt8](repeating: 0xFF, count: 8), "cut short"),
        ("text of nearly an Int", [0x8D] + [0, 0, 0, 0, 0, 0, 0, 0x3F], "cut short"),
        ("an integer longer than the pickle", [0x8B, 0xFF, 0xFF, 0xFF, 0xFF], "cut short"),
        (
            "an ordered dictionary of triples",
            Pickle.call("collections", "OrderedDict", [[0x5D, 0x4E, 0x4E, 0x4E, 0x87, 0x61]]),
            "a dictionary of other than pairs"
        ),
        ("a storage for a tensor", Pickle.storage(), "something other than named tensors"),
        ("a number for a tensor", Pickle.integer(1), "something other than named tensors"),
        ("a tensor of no storage", Pickle.tensor(storage: Pickle.integer(0)), "unknown form"),
        ("a persistent id that is text", Pickle.text("0") + [0x51], "a storage of unknown form"),
        (
            "a persistent id of a module",
            Pickle.tuple([
                Pickle.text("module"), Pickle.global("torch", "FloatStorage"), Pickle.text("0"),
                Pickle.text("cpu"), Pickle.integer(4),
            ]) + [0x51], "a storage of unknown form"
        ),
        (
            "a call of a storage class",
            Pickle.global("torch", "FloatStorage") + [0x29, 0x52], "a call that no model needs"
        ),
        ("a call of text", Pickle.text("os.system") + [0x29, 0x52], "a call of a str"),
        (
            "an ordered dictionary with arguments",
            Pickle.global("collections", "OrderedDict")
                + Pickle.tuple([Pickle.integer(1)]) + [0x52],
            "a call that no model needs"
        ),
        ("state of a list", [0x5D, 0x7D, 0x62], "state of something other than a dictionary"),
        ("items of a list", [0x5D, 0x4B, 1, 0x4B, 2, 0x73], "sets items of no dictionary"),
        ("an append to a dictionary", [0x7D, 0x4B, 1, 0x61], "appends to no list"),
        ("a dictionary as a key", [0x7D, 0x7D, 0x4B, 1, 0x73], "a dict as a key"),
        ("an odd number of items", [0x7D, 0x28, 0x4B, 1, 0x75], "sets items of no dictionary"),
        ("a memo never set", [0x68, 9], "memo 9 was never set"),
        ("a memo of nothing", [0x28, 0x71, 0], "takes more than it put"),
        ("a pop through a mark", [0x28, 0x85], "takes more than it put"),
        ("a tuple without a mark", [0x74], "a mark is missing"),
        ("a text longer than the pickle", [0x58, 0xFF, 0xFF, 0xFF, 0xFF], "cut short"),
        ("text that is not UTF-8", [0x58, 1, 0, 0, 0, 0xFF], "text that is not UTF-8"),
        ("an integer of 255 bytes", [0x8A, 255], "cut short"),
        ("protocol 9", [0x80, 9], "protocol 9"),
        ("a name without an end", [0x63, 0x6F, 0x73], "a name without an end"),
        ("an early end", [0x2E], "something is left after its end"),
    ])
    func `are refused for`(what: String, value: [UInt8], reason: String) throws {
        let line = try #require(refusal(of: torchFile(Pickle.model(value))), "\(what)")
        #expect(line.contains(reason), "\(line)")
    }

    @Test func `that hold themselves or nest without end are refused`() throws {
        let itself =
            [0x80, 2, 0x7D, 0x71, 0] + Pickle.text("model_state_dict") + [0x68, 0, 0x73, 0x2E]
        #expect(try #require(refusal(of: torchFile(itself))).contains("other than named tensors"))

        let floods: [[UInt8]] = [[0x29, 0x85], [0x28], [0x5D], [0x7D, 0x71, 0]]
        for flood in floods {
            let pickle = [0x80, 2] + repeatElement(flood, count: 200_000).joined() + [0x2E]
            let line = try #require(refusal(of: torchFile(pickle)))
            #expect(line.contains("nested too deeply"), "\(line)")
        }
        // A tower of tuples 500,000 high: one value on the stack, freed without recursion.
        let tower = [0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: 500_000) + [0x2E]
        #expect(try #require(refusal(of: torchFile(tower))).contains("holds no dictionary"))
    }

    @Test func `with a memo or values beyond the limits are refused`() throws {
        var memo: [UInt8] = [0x80, 2, 0x4E]
        for index in 0..<(PickleMachine.memoLimit + 1) {
            memo.append(0x72)
            memo.append(littleEndian: UInt32(index))
        }
        #expect(try #require(refusal(of: torchFile(memo))).contains("the memo is too large"))

        // A tuple, a list and a dictionary of nothing, taken away again; and a list that grows.
        let many = "more than \(PickleMachine.valueLimit) values"
        let floods: [[UInt8]] = [[0x29, 0x30], [0x5D, 0x30], [0x7D, 0x30]]
        for flood in floods {
            let pickle =
                [0x80, 2] + repeatElement(flood, count: 1 << 20 | 1).joined() + [0x4E, 0x2E]
            #expect(try #require(refusal(of: torchFile(pickle))).contains(many))
        }
        let list: [UInt8] =
            [0x80, 2, 0x5D] + repeatElement([0x4E, 0x61], count: 1 << 20).joined() + [0x2E]
        #expect(try #require(refusal(of: torchFile(list))).contains(many))
    }

    /// Each call would copy all pairs of one list, for six bytes.
    @Test func `cannot unfold one list into many dictionaries`() throws {
        let pair: [UInt8] = [0x4B, 1, 0x4E, 0x86]
        let list = [0x5D, 0x28] + repeatElement(pair, count: 4096).joined() + [0x65]
        let arguments = list + [0x85, 0x71, 1, 0x30]
        let dictionary = Pickle.global("collections", "OrderedDict") + [0x71, 0, 0x30]
        let pickle =
            [0x80, 2] + dictionary + arguments
            + repeatElement([0x68, 0, 0x68, 1, 0x52, 0x30], count: 1000).joined() + [0x4E, 0x2E]
        let line = try #require(refusal(of: torchFile(pickle)))
        #expect(line.contains("more than \(PickleMachine.valueLimit) values"), "\(line)")
    }

    /// Each call would copy a shape and strides of 64 numbers, for six bytes.
    @Test func `cannot unfold one shape into many tensors`() throws {
        let ones = [Int](repeating: 1, count: 64)
        let function = Pickle.global("torch._utils", "_rebuild_tensor_v2") + [0x71, 0, 0x30]
        let arguments =
            Pickle.tuple(Pickle.tensorParts(shape: ones, strides: ones)) + [0x71, 1, 0x30]
        let pickle =
            [0x80, 2] + function + arguments
            + repeatElement([0x68, 0, 0x68, 1, 0x52, 0x30], count: 10_000).joined() + [0x4E, 0x2E]
        let line = try #require(refusal(of: torchFile(pickle)))
        #expect(line.contains("more than \(PickleMachine.valueLimit) values"), "\(line)")
    }

    @Test func `with a long key, or many of a few bytes less, are refused`() throws {
        func pickle(length: Int, times: Int) -> [UInt8] {
            let key = Pickle.text(String(repeating: "k", count: length)) + [0x71, 0, 0x30]
            let set: [UInt8] = [0x68, 0, 0x4E, 0x73]
            var bytes: [UInt8] = [0x80, 2] + key + [0x7D]
            bytes += Pickle.text("side") + [0x7D]
            bytes += repeatElement(set, count: times).joined()
            bytes += [0x73] + Pickle.text("model_state_dict") + [0x7D]
            bytes += Pickle.text("a") + Pickle.tensor()
            return bytes + [0x73, 0x73, 0x2E]
        }
        let limit = PickleMachine.keyLimit
        #expect(refusal(of: torchFile(pickle(length: limit, times: 100))) == nil)
        let long = try #require(refusal(of: torchFile(pickle(length: limit + 1, times: 1))))
        #expect(long.hasSuffix("a key of 4097 bytes, more than the limit of 4096"), "\(long)")
        let many = try #require(refusal(of: torchFile(pickle(length: limit, times: 20_000))))
        #expect(many.contains("more than \(PickleMachine.valueLimit) values"), "\(many)")
    }

    @Test func `that skip what they hold keep the tensors beside it`() throws {
        let sides: [[UInt8]] = [
            [0x28, 0x4B, 1, 0x91],  // a frozen set
            [0x8F, 0x28, 0x4B, 1, 0x4B, 2, 0x90],  // a set
            [0x8B, 9, 0, 0, 0] + [UInt8](repeating: 1, count: 9),  // an integer of nine bytes
            [0x58, 3, 0, 0, 0, 0xED, 0xA0, 0x80],  // a lone surrogate
            [0x55, 1, 0xFF],  // text of Python 2
            [0x96, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2],  // a byte array
            [0x4E, 0x32, 0x30],  // doubled and taken away
            [0x4E, 0x28, 0x4B, 1, 0x31],  // taken away to a mark
            Pickle.global("datetime", "date") + [0x43, 4, 7, 0xEA, 1, 2, 0x85, 0x52],
            Pickle.global("argparse", "Namespace") + [0x29, 0x81, 0x7D, 0x62],
            Pickle.global("decimal", "Decimal") + [0x29, 0x7D, 0x92],
        ]
        for side in sides {
            let pickle =
                [0x80, 4, 0x7D] + Pickle.text("side") + side + [0x73]
                + Pickle.text("model_state_dict") + [0x7D] + Pickle.text("a") + Pickle.tensor()
                + [0x73, 0x73, 0x2E]
            let checkpoint = try Checkpoint(decoding: torchFile(pickle), file: "model.pt")
            #expect(checkpoint.tensors.map(\.name) == ["a"], "\(side)")
        }
    }

    @Test func `cannot unfold one storage into much memory`() throws {
        let floats = 1 << 16
        let storage = [UInt8](repeating: 0, count: 4 * floats)
        var items: [UInt8] = []
        for index in 0..<300 {
            items += Pickle.text("t\(index)")
            items += Pickle.tensor(
                storage: Pickle.storage(count: floats), shape: [floats], strides: [1])
        }
        let pickle = [0x80, 2, 0x7D, 0x28] + items + [0x75, 0x2E]
        let line = try #require(refusal(of: torchFile(pickle, storage: storage)))
        #expect(line.contains("more than 16777216 elements"))
    }

    @Test func `with metadata under a name that is taken in the other format lose it`() throws {
        let pickle =
            [0x80, 2, 0x7D, 0x28] + Pickle.text("model_state_dict") + [0x7D]
            + Pickle.text("metadata") + Pickle.text(#"{"embedding_dim":"00","report":"x"}"#)
            + [0x75, 0x2E]
        let model = try Checkpoint(decoding: torchFile(pickle), file: "model.pt")
        #expect(model.metadata == ["report": "x"])
        #expect(model.embeddingDimension == nil)
    }

    @Test func `with a name that no other format can carry are refused`() throws {
        let pickle = [0x80, 2, 0x7D] + Pickle.text("a\0b") + Pickle.tensor() + [0x73, 0x2E]
        let line = try #require(refusal(of: torchFile(pickle)))
        #expect(line.contains("has a NUL in its name"))
    }

    @Test func `with metadata of another kind are refused`() throws {
        for text in ["[1]", "{", #"{"a":1}"#] {
            let pickle =
                [0x80, 2, 0x7D, 0x28] + Pickle.text("model_state_dict") + [0x7D]
                + Pickle.text("metadata") + Pickle.text(text) + [0x75, 0x2E]
            let line = try #require(refusal(of: torchFile(pickle)))
            #expect(line.contains("metadata is not a JSON object of strings"))
        }
    }
}
