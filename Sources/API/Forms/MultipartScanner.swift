/// Takes a multipart/form-data body apart as its bytes come, in linear time.
///
/// It accepts what python-multipart 0.0.34 accepts of a body in one piece. The cuts between pieces
/// make no difference. It holds one header line and no data: bytes that may still become a
/// delimiter are a prefix of the delimiter.
struct MultipartScanner {
    private enum State: Equatable {
        case start
        /// A line end came first; everything up to the first hyphen is skipped.
        case leadingLines
        case firstDelimiter
        case firstLineFeed
        case firstHyphen
        case lineStart
        case headerName
        case headerSpace
        case headerValue
        case headerLineFeed
        case blankLineFeed
        case data
        case padding
        case paddingLineFeed
        case end
    }

    /// CR LF "--" and the boundary.
    ///
    /// A boundary holds no CR, since no header value does. So no match begins inside another, and a
    /// byte is looked at twice at most.
    private let delimiter: [UInt8]

    private var state = State.start
    /// Bytes of the delimiter that the last bytes matched.
    private var matched = 2
    /// The byte behind a whole delimiter in data, if it was a CR or a hyphen.
    private var suffix: UInt8?

    private let limits: FormLimits
    private var headerCount = 0
    private var headerBytes = 0
    private var name: [UInt8] = []
    private var value: [UInt8] = []

    /// - Throws: `FormError.malformed` if the boundary is longer than allowed.
    init(boundary: [UInt8], limits: FormLimits = FormLimits()) throws(FormError) {
        guard boundary.count <= limits.boundaryBytes else { throw .malformed }
        self.limits = limits
        delimiter = [carriageReturn, lineFeed, hyphen, hyphen] + boundary
    }

    /// Takes the next bytes and tells `events` what they mean.
    ///
    /// - Throws: `FormError.malformed`, and what `events` throws; no more bytes may follow.
    mutating func scan(
        _ bytes: Span<UInt8>, into events: inout some MultipartEvents & ~Copyable
    ) throws(FormError) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .data:
                index = try scanData(bytes, from: index, into: &events)
            case .end:
                // Bytes behind the last delimiter mean nothing.
                return
            default:
                try step(bytes[index], into: &events)
                index += 1
            }
        }
    }

    /// Takes a byte outside data.
    private mutating func step(
        _ byte: UInt8, into events: inout some MultipartEvents & ~Copyable
    ) throws(FormError) {
        switch state {
        case .start where byte == carriageReturn || byte == lineFeed:
            state = .leadingLines
        case .leadingLines where byte != hyphen:
            break
        case .start, .leadingLines:
            state = .firstDelimiter
            try step(byte, into: &events)
        case .firstDelimiter where matched < delimiter.count:
            try expect(delimiter[matched], byte)
            matched += 1
        case .firstDelimiter where byte == hyphen:
            state = .firstHyphen
        case .firstDelimiter:
            try expect(carriageReturn, byte)
            state = .firstLineFeed
        case .firstHyphen:
            try expect(hyphen, byte)
            state = .end
        case .firstLineFeed:
            try expect(lineFeed, byte)
            beginPart(&events)
        case .lineStart, .headerName, .headerSpace, .headerValue, .headerLineFeed:
            try stepInHeader(byte, into: &events)
        case .blankLineFeed:
            try expect(lineFeed, byte)
            try events.endHeaders()
            (state, matched, suffix) = (.data, 0, nil)
        case .padding where byte == space || byte == tab:
            break
        case .padding:
            try expect(carriageReturn, byte)
            state = .paddingLineFeed
        case .paddingLineFeed:
            try expect(lineFeed, byte)
            events.endPart()
            beginPart(&events)
        case .data, .end:
            preconditionFailure("a byte of \(state) taken as one of a header")
        }
    }

    private mutating func stepInHeader(
        _ byte: UInt8, into events: inout some MultipartEvents & ~Copyable
    ) throws(FormError) {
        switch state {
        case .lineStart where byte == carriageReturn:
            state = .blankLineFeed
            return
        case .lineStart:
            headerCount += 1
            guard headerCount <= limits.headers else { throw .malformed }
            headerBytes = 0
            name.removeAll(keepingCapacity: true)
            value.removeAll(keepingCapacity: true)
            state = .headerName
            try stepInHeader(byte, into: &events)
            return
        case .headerName where byte == colon:
            guard !name.isEmpty else { throw .malformed }
            state = .headerSpace
        case .headerName:
            guard isTokenCharacter(byte) else { throw .malformed }
            name.append(byte)
        case .headerSpace where byte == space:
            break
        case .headerSpace where byte != carriageReturn, .headerValue where byte != carriageReturn:
            state = .headerValue
            value.append(byte)
        case .headerLineFeed:
            try expect(lineFeed, byte)
            state = .lineStart
            return
        default:
            events.header(name: name, value: value)
            state = .headerLineFeed
            return
        }
        headerBytes += 1
        guard headerBytes <= limits.headerBytes else { throw .malformed }
    }

    private mutating func beginPart(_ events: inout some MultipartEvents & ~Copyable) {
        headerCount = 0
        state = .lineStart
        events.beginPart()
    }

    private func expect(_ expected: UInt8, _ byte: UInt8) throws(FormError) {
        guard byte == expected else { throw .malformed }
    }
}

extension MultipartScanner {
    /// Takes bytes of data up to the next delimiter; returns the index at which the next state
    /// begins.
    private mutating func scanData(
        _ bytes: Span<UInt8>, from start: Int, into events: inout some MultipartEvents & ~Copyable
    ) throws(FormError) -> Int {
        var untold = start
        /// Bytes at the end of earlier pieces that may belong to a delimiter.
        var carried = pending
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if matched == 0 {
                guard let next = bytes.firstIndex(of: carriageReturn, from: index) else {
                    index = bytes.count
                    break
                }
                matched = 1
                index = next + 1
            } else if matched < delimiter.count, byte == delimiter[matched] {
                matched += 1
                index += 1
            } else if matched == delimiter.count, let suffix,
                byte == (suffix == hyphen ? hyphen : lineFeed)
            {
                try tell(bytes, untold..<(carried > 0 ? untold : index - pending), to: &events)
                events.endPart()
                if suffix == hyphen { state = .end } else { beginPart(&events) }
                return index + 1
            } else if matched == delimiter.count, suffix == nil, byte == space || byte == tab {
                try tell(bytes, untold..<(carried > 0 ? untold : index - pending), to: &events)
                state = .padding
                return index + 1
            } else if matched == delimiter.count, suffix == nil,
                byte == carriageReturn || byte == hyphen
            {
                suffix = byte
                index += 1
            } else {
                // The match was no delimiter. The byte may begin another, so the loop looks at it
                // again.
                if carried > 0 {
                    let held = Array((delimiter + (suffix.map { [$0] } ?? []))[..<carried])
                    try events.data(held.span)
                    carried = 0
                    untold = start
                }
                matched = 0
                suffix = nil
            }
        }
        try tell(bytes, untold..<(carried > 0 ? untold : index - pending), to: &events)
        return index
    }

    /// Bytes of the current match.
    private var pending: Int { matched + (suffix == nil ? 0 : 1) }

    private func tell(
        _ bytes: Span<UInt8>, _ range: Range<Int>,
        to events: inout some MultipartEvents & ~Copyable
    ) throws(FormError) {
        if !range.isEmpty { try events.data(bytes.extracting(range)) }
    }
}

/// Whether the byte may stand in a header's name (RFC 7230, 3.2.6).
private func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x7C, 0x7E, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D,
        0x2E:
        true
    default: false
    }
}

private let carriageReturn: UInt8 = 0x0D
private let lineFeed: UInt8 = 0x0A
private let hyphen: UInt8 = 0x2D
private let colon: UInt8 = 0x3A
private let space: UInt8 = 0x20
private let tab: UInt8 = 0x09
