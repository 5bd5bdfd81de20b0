internal import Glibc

/// An address of IPv4 or IPv6, as Python's `ipaddress` reads it.
struct IPAddress: Hashable {
    /// Its four or sixteen bytes.
    let bytes: [UInt8]

    /// The interface that an IPv6 address names behind "%"; "" for none.
    let scope: String

    /// Reads an address in numbers; nil if `text` is none.
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

    /// The address, as IPv4 if it is an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`).
    ///
    /// A web server whose socket takes both kinds writes IPv4 peers so.
    var unmapped: IPAddress {
        let prefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        return bytes.starts(with: prefix) && bytes.count == 16
            ? IPAddress(bytes: Array(bytes[12...])) : self
    }

    /// The bytes that `inet_pton` reads; it takes no leading zeros and asks no name service.
    private static func bytes(of text: String, _ family: Int32, count: Int) -> [UInt8]? {
        // A C string would end at a NUL.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        return unsafe inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}

/// Addresses with the same first bits: "10.0.0.0/8", "fd00::/8", "10.0.0.0/255.0.0.0".
struct IPNetwork: Hashable {
    private let prefix: [UInt8]
    private let length: Int

    /// Why a text with a slash is no network.
    enum Fault: Error, Equatable {
        /// The text before the slash is no address, so the whole means something else.
        case noAddress
        /// The text behind the slash is neither a length nor a mask.
        case noLength
        /// The address has bits set beyond the length.
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

    /// The length that `text` tells: digits or, for IPv4, a mask of the network's bits or of all
    /// others.
    private static func length(_ text: String, bits: Int) -> Int? {
        if !text.isEmpty, text.utf8.allSatisfy(\.isDigit) {
            return Int(text).flatMap { $0 <= bits ? $0 : nil }
        }
        guard bits == 32, let mask = IPAddress(text), mask.bytes.count == 4 else { return nil }
        let values = self.bits(of: mask.bytes)
        // A mask without bits is that of a network whose length is 0.
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
