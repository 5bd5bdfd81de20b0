internal import Glibc

/// An address of IPv4 or IPv6, as Python's `ipaddress` reads it.
struct IPAddress: Hashable {
    /// Its four or sixteen bytes.
    let bytes: [UInt8]

    /// Of IPv6 only: the interface behind "%", "" for none.
    let scope: String

    /// - Returns: nil if `text` is no address in numbers.
    init?(_ text: String) {
        if let bytes = Self.bytes(of: text, AF_INET, count: 4) {
            (self.bytes, scope) = (bytes, "")
            return
        }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        let scope = parts.count == 2 ? String(parts[1]) : ""
        guard parts.count == 1 || !(scope.isEmpty || scope.contains("%")),
            let bytes = Self.bytes(of: String(parts[0]), AF_INET6, count: 16)
        else { return nil }
        (self.bytes, self.scope) = (bytes, scope)
    }

    private init(bytes: [UInt8]) { (self.bytes, scope) = (bytes, "") }

    /// The same address, as IPv4 if it is one in the clothes of IPv6 (`::ffff:192.0.2.1`).
    ///
    /// A web server that listens for both kinds on one socket tells IPv4 peers so.
    var unmapped: IPAddress {
        let prefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        return bytes.starts(with: prefix) && bytes.count == 16
            ? IPAddress(bytes: Array(bytes[12...])) : self
    }

    /// What `inet_pton` makes of the text; it takes no leading zeros, and needs no name service.
    private static func bytes(of text: String, _ family: Int32, count: Int) -> [UInt8]? {
        // A C string would end at a NUL.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        return unsafe inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}

/// Addresses that begin alike: "10.0.0.0/8", "fd00::/8", "10.0.0.0/255.0.0.0".
struct IPNetwork: Hashable {
    private let prefix: [UInt8]
    private let length: Int

    /// Why a text with a slash is no network.
    enum Fault: Error, Equatable {
        /// What stands before the slash is no address: the text means something else.
        case noAddress
        /// What stands behind it is no length and no mask.
        case noLength
        /// The address has bits beyond the length.
        case bitsBeyond
    }

    init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let address = IPAddress(parts[0]), address.scope.isEmpty else {
            throw .noAddress
        }
        guard let length = Self.length(parts[1], bits: address.bytes.count * 8) else {
            throw .noLength
        }
        (prefix, self.length) = (address.bytes, length)
        guard Self.bits(of: prefix).dropFirst(length).allSatisfy({ !$0 }) else {
            throw .bitsBeyond
        }
    }

    func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == prefix.count
            && Self.bits(of: address.bytes).prefix(length)
                .elementsEqual(Self.bits(of: prefix).prefix(length))
    }

    /// A prefix length in digits or, for IPv4, a mask of the network's bits or of all others.
    private static func length(_ text: String, bits: Int) -> Int? {
        if !text.isEmpty, text.utf8.allSatisfy({ 48...57 ~= $0 }) {
            return Int(text).flatMap { $0 <= bits ? $0 : nil }
        }
        guard bits == 32, let mask = IPAddress(text), mask.bytes.count == 4 else { return nil }
        let values = self.bits(of: mask.bytes)
        // No bit at all is a mask of the network's, of which there are none.
        guard values.contains(true) else { return 0 }
        let ofNetwork = values[0]
        let length = values.prefix { $0 == ofNetwork }.count
        guard values.dropFirst(length).allSatisfy({ $0 != ofNetwork }) else { return nil }
        return length
    }

    private static func bits(of bytes: [UInt8]) -> [Bool] {
        bytes.flatMap { byte in (0..<8).map { byte & 0x80 >> $0 != 0 } }
    }
}
