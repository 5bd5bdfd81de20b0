internal import JSON

/// Colons outside strings: the number of members that valid JSON text writes down.
func colons(in json: [UInt8]) -> Int {
    var count = 0
    var isInString = false
    var isEscaped = false
    for byte in json {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\"") {
            isInString.toggle()
        } else if isInString {
            isEscaped = byte == UInt8(ascii: "\\")
        } else if byte == UInt8(ascii: ":") {
            count += 1
        }
    }
    return count
}

extension JSONValue {
    /// Members of this object and of all below it.
    var memberCount: Int {
        switch self {
        case .object(let object):
            object.keys.reduce(object.keys.count) { $0 + (object[$1]?.memberCount ?? 0) }
        case .array(let elements): elements.reduce(0) { $0 + $1.memberCount }
        default: 0
        }
    }

    /// An array of integers from 0 up; nil for anything else.
    var sizes: [Int]? {
        guard case .array(let elements) = self else { return nil }
        var sizes: [Int] = []
        for element in elements {
            guard case .integer(let size) = element, size >= 0 else { return nil }
            sizes.append(size)
        }
        return sizes
    }

    /// An object of strings; nil for anything else.
    var strings: [String: String]? {
        guard case .object(let object) = self else { return nil }
        var strings: [String: String] = [:]
        for key in object.keys {
            guard case .string(let text)? = object[key] else { return nil }
            strings[key] = text
        }
        return strings
    }
}
