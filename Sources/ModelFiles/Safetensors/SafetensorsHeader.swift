internal import JSON

/// The checked table of contents of a safetensors file: 8 bytes of length, JSON, then raw tensors.
struct SafetensorsHeader: Sendable {
    /// Where a tensor lies and how it is to be read.
    struct Entry: Sendable {
        let dtype: String
        let shape: [Int]
        /// Byte offsets from the start of the file.
        let range: Range<Int>
    }

    /// The longest header read: some 10,000 tensors, or a report of some thousand epochs.
    static let limit = 1 << 20

    /// Tensor names in the order of their bytes.
    let names: [String]

    /// The string map under `__metadata__`.
    let metadata: [String: String]

    private let entries: [String: Entry]

    /// The entry of tensor `name`, if there is one.
    subscript(name: String) -> Entry? { entries[name] }

    /// Length of the JSON as the file's first 8 bytes give it, checked against the file's size.
    static func jsonLength(
        prefix: [UInt8], fileSize: Int, file: String
    ) throws(ModelFileError) -> Int {
        guard prefix.count >= 8 else {
            throw .damaged(file: file, reason: "\(fileSize) bytes are too few for safetensors")
        }
        let length = littleEndian64(prefix.span, at: 0)
        guard length <= UInt64(limit), Int(length) <= fileSize - 8 else {
            throw .damaged(
                file: file, reason: "header of \(length) bytes in a file of \(fileSize) bytes")
        }
        return Int(length)
    }

    /// Checks `json`, the header of a file of `fileSize` bytes.
    init(json: [UInt8], fileSize: Int, file: String) throws(ModelFileError) {
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        guard json.first == UInt8(ascii: "{") else { throw damaged("header is not a JSON object") }
        guard String(validating: json, as: UTF8.self) != nil else {
            throw damaged("header is not UTF-8")
        }
        let root: JSONValue
        do { root = try JSONValue(parsing: json) } catch {
            throw damaged("header is not JSON: \(printable("\(error)"))")
        }
        guard case .object(let members) = root else {
            throw damaged("header is not a JSON object")
        }
        // A repeated key would let two readers see two different tensors under one name.
        guard colons(in: json) == root.memberCount else {
            throw damaged("header repeats a key")
        }

        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for name in members.keys {
            if name == "__metadata__" {
                guard let strings = members[name]?.strings else {
                    throw damaged("__metadata__ is not a map of strings")
                }
                metadata = strings
            } else {
                let entry = members[name].flatMap {
                    Entry($0, dataStart: 8 + json.count, fileSize: fileSize)
                }
                guard let entry else {
                    throw damaged("tensor \(printable(name)) has a wrong type, shape or offset")
                }
                entries[name] = entry
            }
        }

        let ordered = entries.sorted {
            ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
                < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
        }
        var end = 8 + json.count
        for (name, entry) in ordered {
            guard entry.range.lowerBound == end else {
                throw damaged("tensor \(printable(name)) overlaps another or leaves a hole")
            }
            end = entry.range.upperBound
        }
        guard end == fileSize else {
            throw damaged("\(fileSize - end) bytes belong to no tensor")
        }
        names = ordered.map(\.key)
        self.entries = entries
        self.metadata = metadata
    }
}

extension SafetensorsHeader.Entry {
    /// Bytes of an element by dtype name, as the safetensors format lists them.
    private static let widths = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1,
        "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
        "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
    ]

    /// Nil unless the offsets lie in the file and span exactly the shape's elements.
    fileprivate init?(_ value: JSONValue, dataStart: Int, fileSize: Int) {
        guard case .object(let members) = value, members.keys.count == 3,
            case .string(let dtype)? = members["dtype"], let width = Self.widths[dtype],
            let shape = members["shape"]?.sizes, shape.count <= 8,
            let offsets = members["data_offsets"]?.sizes, offsets.count == 2,
            let bytes = product(of: shape, times: width),
            offsets[0] <= offsets[1], offsets[1] <= fileSize - dataStart,
            offsets[1] - offsets[0] == bytes
        else { return nil }
        self.dtype = dtype
        self.shape = shape
        range = (dataStart + offsets[0])..<(dataStart + offsets[1])
    }
}

/// The product of the extents and `factor`; nil if it overflows, zeros left out.
func product(of extents: [Int], times factor: Int) -> Int? {
    var result = factor
    for extent in extents where extent != 0 {
        let (next, overflow) = result.multipliedReportingOverflow(by: extent)
        if overflow { return nil }
        result = next
    }
    return extents.contains(0) ? 0 : result
}
