internal import Glibc

/// The value of an environment variable, nil if it is unset or empty.
package func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}

/// The bytes of an environment variable's value, which need not be UTF-8; nil if it is unset.
package func environmentBytes(_ name: String) -> [UInt8]? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe UnsafeBufferPointer(start: value, count: strlen(value)).map {
        UInt8(bitPattern: $0)
    }
}
