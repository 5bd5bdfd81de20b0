internal import Glibc

/// Takes what a multipart body holds, in order, as its bytes come.
protocol MultipartEvents: ~Copyable {
    /// A part begins.
    mutating func beginPart()

    /// A header line of the part is whole.
    mutating func header(name: [UInt8], value: [UInt8])

    /// The part's headers are done; its data follows.
    mutating func endHeaders() throws(FormError)

    /// The part has more data, which comes in any number of pieces.
    mutating func data(_ bytes: Span<UInt8>) throws(FormError)

    /// The part is whole.
    mutating func endPart()
}

extension Span<UInt8> {
    /// The index of the first `byte` from `start` on; memchr is much faster than a loop.
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        unsafe withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
