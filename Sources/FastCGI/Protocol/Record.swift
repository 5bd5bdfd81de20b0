/// The kinds of FastCGI records, with their numbers on the wire.
enum RecordKind: UInt8 {
    case beginRequest = 1
    case abortRequest = 2
    case endRequest = 3
    case parameters = 4
    case standardInput = 5
    case standardOutput = 6
    case standardError = 7
    case data = 8
    case getValues = 9
    case getValuesResult = 10
    case unknownType = 11
}

/// How a request ended, as the end-request record says it.
enum ProtocolStatus: UInt8 {
    case complete = 0
    case noMultiplexing = 1
    case overloaded = 2
    case unknownRole = 3
}

/// The eight bytes before a record's content.
struct RecordHeader {
    static let size = 8
    static let version: UInt8 = 1

    var version: UInt8
    var kind: UInt8
    var requestID: UInt16
    var contentLength: Int
    var paddingLength: Int

    /// The header whose bytes, first one highest, are `bits`.
    init(bits: UInt64) {
        version = UInt8(truncatingIfNeeded: bits >> 56)
        kind = UInt8(truncatingIfNeeded: bits >> 48)
        requestID = UInt16(truncatingIfNeeded: bits >> 32)
        contentLength = Int(UInt16(truncatingIfNeeded: bits >> 16))
        paddingLength = Int(UInt8(truncatingIfNeeded: bits >> 8))
    }
}

/// Records written end to end.
extension [UInt8] {
    /// The most content of one record of ours: a multiple of eight, so that no padding is needed.
    static let recordContentLimit = 65_528

    /// Appends a record header that announces `length` bytes of content and no padding.
    mutating func appendHeader(_ kind: RecordKind, id: UInt16, length: Int) {
        precondition(length <= 0xFFFF, "a record of \(length) bytes")
        append(RecordHeader.version)
        append(kind.rawValue)
        append(UInt8(id >> 8))
        append(UInt8(id & 0xFF))
        append(UInt8(length >> 8))
        append(UInt8(length & 0xFF))
        append(0)
        append(0)
    }

    /// Appends a whole stream, cut into records, without its end.
    mutating func appendStream(_ kind: RecordKind, id: UInt16, _ content: ArraySlice<UInt8>) {
        var rest = content
        while !rest.isEmpty {
            let part = rest.prefix(Self.recordContentLimit)
            appendHeader(kind, id: id, length: part.count)
            append(contentsOf: part)
            rest = rest.dropFirst(part.count)
        }
    }

    /// Appends the record that ends a request.
    mutating func appendEndRequest(id: UInt16, _ status: ProtocolStatus) {
        appendHeader(.endRequest, id: id, length: 8)
        append(contentsOf: [0, 0, 0, 0, status.rawValue, 0, 0, 0])
    }
}
