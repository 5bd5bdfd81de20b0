extension UInt8 {
    /// Whether the byte is an ASCII digit.
    var isDigit: Bool { 0x30...0x39 ~= self }

    /// Whether the byte is an ASCII letter or digit.
    var isAlphanumeric: Bool { isDigit || UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 }

    /// The value of the hexadecimal digit that the byte is; nil if it is none.
    var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// The byte, in lower case if it is an ASCII capital.
    var lowercased: UInt8 { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self }
}

/// `text` in which every byte is percent-encoded that `isKept` refuses.
func percentEncoded(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
    text.utf8.reduce(into: "") { encoded, byte in
        if isKept(byte) {
            encoded.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }
}
