/// A JSON object of strings, keys in byte order, so that equal maps have equal text.
func jsonText(of strings: [String: String]) -> String {
    let members = strings.sorted { $0.key < $1.key }.map {
        jsonText(of: $0.key) + ":" + jsonText(of: $0.value)
    }
    return "{" + members.joined(separator: ",") + "}"
}

/// A JSON string in ASCII, so that no reader depends on the encoding around it.
func jsonText(of string: String) -> String {
    var text = "\""
    for unit in string.utf16 {
        switch unit {
        case 0x22: text += "\\\""
        case 0x5C: text += "\\\\"
        case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
        default:
            let digits = String(unit, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return text + "\""
}
