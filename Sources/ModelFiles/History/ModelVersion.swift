internal import System
internal import Tensors

/// The name of one set of weights, such as `12-3fa9c1d2`.
public struct ModelVersion: Sendable, Hashable, CustomStringConvertible {
    /// Counts up with every publication at one path; 0 for files from elsewhere.
    public let number: Int

    /// The first 8 hexadecimal digits of the SHA-256 over names, shapes and values.
    public let digest: String

    init(_ number: Int, _ digest: String) {
        self.number = number
        self.digest = digest
    }

    /// The version that `text` names; nil if it has another form.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        // Eighteen digits leave room to count on.
        guard parts.count == 2, 1...18 ~= parts[0].utf8.count, parts[1].utf8.count == 8,
            parts[0].utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            parts[1].utf8.allSatisfy({
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            }),
            let number = Int(parts[0]), String(number) == parts[0]
        else { return nil }
        self.init(number, String(parts[1]))
    }

    /// Whether publications could have come that far: a number near the last that a name may have
    /// is nobody's count.
    var isCounted: Bool { number < 1_000_000_000_000 }

    public var description: String { "\(number)-\(digest)" }
}

extension Checkpoint {
    /// A digest of names, shapes and values in order, the same in both file formats.
    static func digest(of tensors: [(name: String, tensor: Tensor)]) -> String {
        var hash = SHA256()
        for (name, tensor) in tensors {
            var head: [UInt8] = []
            head.append(littleEndian: UInt64(name.utf8.count))
            head.append(contentsOf: name.utf8)
            head.append(littleEndian: UInt64(tensor.shape.count))
            for extent in tensor.shape { head.append(littleEndian: UInt64(extent)) }
            hash.update(head.span)
            unsafe tensor.span.withUnsafeBytes { bytes in
                hash.update(unsafe bytes.assumingMemoryBound(to: UInt8.self).span)
            }
        }
        return hash.finish().prefix(4).map(hexByte).joined()
    }
}
