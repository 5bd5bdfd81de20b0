/// Records as a web server writes them, written without the code under test.
public enum Wire {
    public static func record(
        _ type: UInt8, id: UInt16 = 1, _ content: some Collection<UInt8> = [], padding: Int = 0,
        version: UInt8 = 1
    ) -> [UInt8] {
        [
            version, type, UInt8(id >> 8), UInt8(id & 255), UInt8(content.count >> 8),
            UInt8(content.count & 255), UInt8(padding), 0,
        ] + Array(content) + [UInt8](repeating: 0xAA, count: padding)
    }

    public static func begin(id: UInt16 = 1, role: UInt8 = 1, keep: Bool = false) -> [UInt8] {
        record(1, id: id, [0, role, keep ? 1 : 0, 0, 0, 0, 0, 0])
    }

    public static func pair(_ name: String, _ value: [UInt8]) -> [UInt8] {
        func length(_ count: Int) -> [UInt8] {
            if count < 128 { return [UInt8(count)] }
            return [
                UInt8(count >> 24) | 128, UInt8(count >> 16 & 255), UInt8(count >> 8 & 255),
                UInt8(count & 255),
            ]
        }
        return length(name.utf8.count) + length(value.count) + Array(name.utf8) + value
    }

    public static func pairs(_ parameters: [(String, String)]) -> [UInt8] {
        parameters.flatMap { pair($0.0, Array($0.1.utf8)) }
    }

    /// The parameters a web server sends with a request for `path`.
    public static func parameters(
        _ path: String, method: String = "POST", length: Int? = nil
    ) -> [(String, String)] {
        [
            ("REQUEST_METHOD", method), ("SCRIPT_NAME", path), ("DOCUMENT_URI", path),
            ("QUERY_STRING", ""), ("SERVER_NAME", "example.org"),
            ("CONTENT_LENGTH", length.map(String.init) ?? ""),
        ]
    }

    public static func body(_ bytes: some Collection<UInt8>, id: UInt16 = 1) -> [UInt8] {
        var records: [UInt8] = []
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            records += record(5, id: id, rest.prefix(30_000))
            rest = rest.dropFirst(30_000)
        }
        return records + record(5, id: id)
    }

    /// A whole request, with the length of its body declared unless `length` says otherwise.
    ///
    /// - Parameter more: variables besides those of every request.
    public static func request(
        _ path: String, method: String = "POST", body: [UInt8] = [], length: Int? = nil,
        keep: Bool = false, id: UInt16 = 1, more: [(String, String)] = []
    ) -> [UInt8] {
        let content = pairs(
            parameters(path, method: method, length: length ?? body.count) + more)
        return begin(id: id, keep: keep) + record(4, id: id, content) + record(4, id: id)
            + Self.body(body, id: id)
    }
}
