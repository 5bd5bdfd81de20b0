extension Request {
    /// The host and port that absolute links name.
    ///
    /// It is the Host header if Starlette would trust its spelling, otherwise the server's own
    /// address.
    var authority: String? {
        if let host = headers["host"], isAuthority(host) { return host }
        return isAuthority(server) ? server : nil
    }
}

/// Whether `text` is a host name, an address or a bracketed address, perhaps with a port.
private func isAuthority(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var end = 0
    if bytes.first == UInt8(ascii: "[") {
        guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")),
            isIPLiteral(bytes[1..<bracket])
        else { return false }
        end = bracket + 1
    } else {
        while end < bytes.count, isHostCharacter(bytes[end]) || bytes[end] == UInt8(ascii: "%") {
            end += 1
        }
        guard end > 0 else { return false }
    }
    guard end < bytes.count else { return true }
    let port = bytes[(end + 1)...]
    guard bytes[end] == UInt8(ascii: ":"), !port.isEmpty, port.allSatisfy(\.isDigit) else {
        return false
    }
    let significant = port.drop { $0 == UInt8(ascii: "0") }
    return significant.count <= 5
        && significant.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 65535
}

/// RFC 3986's unreserved characters and sub-delimiters.
private func isHostCharacter(_ byte: UInt8) -> Bool {
    byte.isAlphanumeric || "._~!$&'()*+,;=-".utf8.contains(byte)
}

/// Whether brackets may hold `literal`: an IPv6 address, or "v", a version, "." and an address.
private func isIPLiteral(_ literal: ArraySlice<UInt8>) -> Bool {
    guard literal.first == UInt8(ascii: "v") else { return isIPv6Address(literal) }
    let parts = literal.dropFirst().split(
        separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && parts[0].allSatisfy({ $0.hexValue != nil })
        && !parts[1].isEmpty
        && parts[1].allSatisfy { isHostCharacter($0) || $0 == UInt8(ascii: ":") }
}

/// Whether `literal` is eight groups of up to four hexadecimal digits.
///
/// "::" may stand for a run of zero groups. The last two groups may be an IPv4 address.
private func isIPv6Address(_ literal: ArraySlice<UInt8>) -> Bool {
    var groups = literal.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard groups.count >= 3 else { return false }
    if let last = groups.last, last.contains(UInt8(ascii: ".")) {
        guard isIPv4Address(last) else { return false }
        groups.removeLast()
        groups.append([48])
        groups.append([48])
    }
    let gaps = groups.indices.dropFirst().dropLast().filter { groups[$0].isEmpty }
    guard gaps.count <= 1,
        groups.allSatisfy({ $0.count <= 4 && $0.allSatisfy { $0.hexValue != nil } })
    else {
        return false
    }
    guard let gap = gaps.first else {
        return groups.count == 8 && groups.allSatisfy { !$0.isEmpty }
    }
    // The first or last group may be empty only beside the gap: "::1", "1::".
    let isOpenLeft = groups[0].isEmpty
    let isOpenRight = groups[groups.count - 1].isEmpty
    guard !isOpenLeft || gap == 1, !isOpenRight || gap == groups.count - 2 else { return false }
    return groups.count { !$0.isEmpty } <= 7
}

private func isIPv4Address(_ text: ArraySlice<UInt8>) -> Bool {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4
        && parts.allSatisfy { part in
            1...3 ~= part.count && part.allSatisfy(\.isDigit)
                && (part.count == 1 || part.first != 48)
                && part.reduce(0) { $0 * 10 + Int($1 - 48) } <= 255
        }
}
