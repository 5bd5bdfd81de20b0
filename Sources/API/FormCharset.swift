internal import Glibc

/// The character set in which the names and texts of a multipart form stand.
///
/// Text that is not valid in its set is read as Latin-1, as is text in a set not known here: Python
/// knows more, of which a form has yet to be seen (EBCDIC, UTF-7, Mac and DOS code pages).
enum FormCharset: Equatable {
    case utf8
    /// UTF-8 whose leading byte order mark is dropped.
    case utf8WithMark
    case latin1
    /// A set that the C library converts, under the C library's name.
    case converted(String)

    /// The set that Python knows under `label`.
    init(label: [UInt8]) {
        let name = Self.normalised(label)
        self =
            if Self.utf8Names.contains(name) {
                .utf8
            } else if name == "utf_8_sig" {
                .utf8WithMark
            } else if let name = Self.convertedName(for: name) {
                .converted(name)
            } else {
                .latin1
            }
    }

    /// The text that `bytes` spell.
    func text(of bytes: some Collection<UInt8>) -> String {
        let decoded: String? =
            switch self {
            case .utf8: String(validating: bytes, as: UTF8.self)
            case .utf8WithMark:
                String(
                    validating: bytes.starts(with: [0xEF, 0xBB, 0xBF])
                        ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
            case .latin1: nil
            case .converted(let name): Self.converted(Array(bytes), from: name)
            }
        return decoded ?? Self.latin1Text(bytes)
    }

    /// The text of `bytes`, each a Unicode scalar of its own.
    static func latin1Text(_ bytes: some Collection<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
        return String(text)
    }

    /// Python's key for a label: lower case, one underscore for every run of other characters.
    private static func normalised(_ label: [UInt8]) -> String {
        var name = ""
        var pendingGap = false
        for byte in label {
            guard (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) else {
                pendingGap = !name.isEmpty
                continue
            }
            if pendingGap { name.append("_") }
            pendingGap = false
            name.unicodeScalars.append(Unicode.Scalar(byte > 0x39 ? byte | 0x20 : byte))
        }
        return name
    }

    private static let utf8Names: Set<String> = [
        "utf_8", "utf8", "u8", "utf", "utf8_ucs2", "utf8_ucs4", "cp65001",
    ]

    private static func convertedName(for name: String) -> String? {
        if let known = convertedNames[name] { return known }
        for prefix in ["windows_125", "cp125", "125"] where name.hasPrefix(prefix) {
            let page = name.dropFirst(prefix.count)
            if page.count == 1, ("0"..."8").contains(page) { return "CP125\(page)" }
        }
        for prefix in ["iso_8859_", "iso8859_"] where name.hasPrefix(prefix) {
            let part = name.dropFirst(prefix.count).prefix { $0 != "_" }
            if let number = Int(part), (2...16).contains(number), number != 12 {
                return "ISO-8859-\(number)"
            }
        }
        return nil
    }

    private static let convertedNames: [String: String] = [
        "utf_16": "UTF-16", "utf16": "UTF-16", "u16": "UTF-16",
        "utf_16le": "UTF-16LE", "utf_16_le": "UTF-16LE", "unicodelittleunmarked": "UTF-16LE",
        "utf_16be": "UTF-16BE", "utf_16_be": "UTF-16BE", "unicodebigunmarked": "UTF-16BE",
        "utf_32": "UTF-32", "utf32": "UTF-32", "u32": "UTF-32",
        "utf_32le": "UTF-32LE", "utf_32_le": "UTF-32LE",
        "utf_32be": "UTF-32BE", "utf_32_be": "UTF-32BE",
        "latin2": "ISO-8859-2", "l2": "ISO-8859-2", "latin5": "ISO-8859-9", "l5": "ISO-8859-9",
        "latin9": "ISO-8859-15", "l9": "ISO-8859-15",
        "cyrillic": "ISO-8859-5", "greek": "ISO-8859-7", "hebrew": "ISO-8859-8",
        "arabic": "ISO-8859-6", "koi8_r": "KOI8-R", "koi8_u": "KOI8-U",
        "gb2312": "EUC-CN", "chinese": "EUC-CN", "euc_cn": "EUC-CN", "euccn": "EUC-CN",
        "gbk": "GBK", "936": "GBK", "cp936": "GBK", "ms936": "GBK",
        "gb18030": "GB18030", "big5": "BIG5", "big5_tw": "BIG5", "csbig5": "BIG5",
        "shift_jis": "SHIFT_JIS", "shiftjis": "SHIFT_JIS", "sjis": "SHIFT_JIS",
        "s_jis": "SHIFT_JIS", "cp932": "CP932", "932": "CP932", "ms932": "CP932",
        "windows_31j": "CP932", "euc_jp": "EUC-JP", "eucjp": "EUC-JP", "ujis": "EUC-JP",
        "euc_kr": "EUC-KR", "euckr": "EUC-KR", "korean": "EUC-KR", "ks_c_5601_1987": "EUC-KR",
    ]

    private static let multibyteNames: Set = [
        "GBK", "BIG5", "SHIFT_JIS", "CP932", "EUC-JP", "EUC-KR",
    ]

    /// `text` as Python would have it, nil where Python would refuse its bytes.
    ///
    /// The C library takes single bytes from 0x80 on for control characters, in GBK for the euro
    /// sign, and reads a backslash and a tilde of Shift-JIS as yen sign and overline.
    private static func pythonText(_ text: String, from name: String) -> String? {
        let refused: (Unicode.Scalar) -> Bool = {
            (0x80...0x9F).contains($0.value) || (name == "GBK" && $0 == "€")
        }
        guard !text.unicodeScalars.contains(where: refused) else { return nil }
        guard name == "SHIFT_JIS" else { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0 == "¥" ? "\\" : $0 == "‾" ? "~" : $0 }))
    }

    /// The text of `bytes`, nil where they are not valid in the set or the C library lacks it.
    private static func converted(_ bytes: [UInt8], from name: String) -> String? {
        let descriptor = unsafe iconv_open("UTF-8", name)
        guard Int(bitPattern: descriptor) != -1 else { return nil }
        defer { unsafe iconv_close(descriptor) }
        var input = bytes.map { CChar(bitPattern: $0) }
        // No set spells a byte with a text of more than four bytes of UTF-8.
        var output = [CChar](repeating: 0, count: bytes.count * 4 + 4)
        var inputLeft = input.count
        var outputLeft = output.count
        let result = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                var source = input.baseAddress
                var target = output.baseAddress
                return unsafe iconv(descriptor, &source, &inputLeft, &target, &outputLeft)
            }
        }
        guard result != UInt.max, inputLeft == 0 else { return nil }
        let text = String(
            validating: output.dropLast(outputLeft).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return multibyteNames.contains(name) ? text.flatMap { pythonText($0, from: name) } : text
    }
}
