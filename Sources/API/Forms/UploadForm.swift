internal import Glibc
internal import Inference

/// The value of the form field `file`: the last one the form names.
enum UploadField: Sendable {
    /// There is none, or one that FastAPI treats as none.
    case missing
    /// A field without a file name.
    case text(String)
    case file(name: String, text: UploadText)
}

/// Collects the parts of a multipart form by Starlette's rules; keeps only `file`.
struct UploadForm: MultipartEvents {
    private enum Part {
        case ignored
        case otherField
        case field
        case file
    }

    /// The field's value in the parts that came whole.
    ///
    /// A text is decoded here, once: only the last part of the name counts, and there may be many.
    var field: UploadField {
        guard let lastText else { return lastFile }
        let text = charset.text(of: lastText)
        // Browsers send an empty text or an unnamed empty file if the user chose nothing.
        return text.isEmpty ? .missing : .text(text)
    }

    /// Bytes of the body that can still come.
    var remainingBytes = 0

    private let charset: FormCharset
    private let limits: FormLimits
    private var files = 0
    private var fields = 0
    private var disposition: [UInt8] = []

    /// The kind of the current part.
    ///
    /// The part's contents are separate variables that grow in place. In an associated value a text
    /// would be copied with every piece.
    private var part = Part.ignored
    private var fieldBytes = 0
    private var fieldValue: [UInt8] = []
    private var fileName = ""
    /// The last part, if it had a file name.
    private var lastFile = UploadField.missing
    /// The bytes of the last part, if it had none.
    private var lastText: [UInt8]?
    private var fileText = UploadText()

    init(charset: FormCharset, limits: FormLimits = FormLimits()) {
        self.charset = charset
        self.limits = limits
    }

    mutating func beginPart() { disposition = [] }

    mutating func header(name: [UInt8], value: [UInt8]) {
        // A name holds token characters only, whose letters this bit makes lower case.
        if name.map({ $0 | 0x20 }).elementsEqual("content-disposition".utf8) {
            disposition = value
        }
    }

    mutating func endHeaders() throws(FormError) {
        let parameters = FormOptionsHeader(parsing: disposition).parameters
        guard let name = parameters["name"] else { throw .missingName }
        let isWanted = charset.text(of: name) == "file"
        if let encodedName = parameters["filename"] {
            files += 1
            guard files <= limits.files else { throw .tooManyFiles(limit: limits.files) }
            part = isWanted ? .file : .ignored
            if isWanted {
                fileName = charset.text(of: encodedName)
                fileText = UploadText(expecting: remainingBytes)
            }
        } else {
            fields += 1
            guard fields <= limits.fields else { throw .tooManyFields(limit: limits.fields) }
            part = isWanted ? .field : .otherField
            fieldBytes = 0
            fieldValue = []
        }
    }

    mutating func data(_ bytes: Span<UInt8>) throws(FormError) {
        switch part {
        case .ignored: break
        case .otherField, .field:
            fieldBytes += bytes.count
            guard fieldBytes <= limits.fieldBytes else {
                throw .partTooLarge(limit: limits.fieldBytes)
            }
            if part == .field {
                unsafe bytes.withUnsafeBufferPointer { unsafe fieldValue.append(contentsOf: $0) }
            }
        case .file:
            do { try fileText.append(bytes) } catch { throw .body(error) }
        }
    }

    mutating func endPart() {
        switch part {
        case .ignored, .otherField: break
        case .field:
            (lastText, lastFile) = (fieldValue, .missing)
            fieldValue = []
        case .file:
            fileText.finish()
            let nothingChosen = fileName.isEmpty && fileText.isEmpty
            lastText = nil
            lastFile = nothingChosen ? .missing : .file(name: fileName, text: fileText)
            fileText = UploadText()
        }
        part = .ignored
    }
}

extension UploadField {
    /// Bytes asked of the connection at a time.
    private static let pieceBytes = 64 * 1024

    /// Reads the value of the field `file` in a request's form.
    ///
    /// A body of another type is no form and is left unread, as in FastAPI. The declared length
    /// decides before any byte is read.
    static func read(
        from body: inout some BodySource & ~Copyable, of request: Request, limits: Limits
    ) throws(FormError) -> UploadField {
        if let declared = body.declaredLength, declared > limits.uploadBytes {
            throw .bodyTooLarge(length: declared, limit: limits.uploadBytes)
        }
        do {
            try request.memory?.admitUpload(
                body.declaredLength ?? limits.uploadBytes, for: request.caller)
        } catch {
            throw .body(error)
        }
        let type = FormOptionsHeader(
            parsing: bytes(ofHeader: request.headers["content-type"] ?? ""))
        switch type.value {
        case "multipart/form-data":
            return try readMultipart(from: &body, type: type, limits: limits)
        case "application/x-www-form-urlencoded":
            return try readURLEncoded(from: &body, limits: limits)
        default:
            return .missing
        }
    }

    /// The bytes of a header's value: every character is one byte.
    private static func bytes(ofHeader value: String) -> [UInt8] {
        value.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func readMultipart(
        from body: inout some BodySource & ~Copyable, type: FormOptionsHeader, limits: Limits
    ) throws(FormError) -> UploadField {
        let charset = type.parameters["charset"].map { FormCharset(label: $0) } ?? .utf8
        guard let boundary = type.parameters["boundary"] else { throw .missingBoundary }
        var scanner = try MultipartScanner(boundary: boundary, limits: limits.form)
        var form = UploadForm(charset: charset, limits: limits.form)
        // Memory for so many bytes is reserved.
        let expected = body.declaredLength ?? limits.uploadBytes
        var received = 0
        var piece: [UInt8] = []
        while try next(&piece, of: &body, received: &received, limits.uploadBytes) {
            form.remainingBytes = max(0, expected - received + piece.count)
            try scanner.scan(piece.span, into: &form)
        }
        return form.field
    }

    private static func readURLEncoded(
        from body: inout some BodySource & ~Copyable, limits: Limits
    ) throws(FormError) -> UploadField {
        var form = FormURLEncoded(limits: limits.form)
        var received = 0
        var piece: [UInt8] = []
        while try next(&piece, of: &body, received: &received, limits.uploadBytes) {
            try form.add(piece.span)
        }
        try form.finish()
        return form.field
    }

    /// Replaces `piece` with the next one; false at the body's end.
    private static func next(
        _ piece: inout [UInt8], of body: inout some BodySource & ~Copyable, received: inout Int,
        _ limit: Int
    ) throws(FormError) -> Bool {
        piece.removeAll(keepingCapacity: true)
        let count: Int
        do { count = try body.read(upTo: pieceBytes, into: &piece) } catch { throw .body(error) }
        received += count
        guard received <= limit else { throw .bodyTooLarge(length: received, limit: limit) }
        return count > 0
    }
}

/// The text of an uploaded file as it comes in: its bytes, held once, and what is known of them.
struct UploadText: Sendable {
    /// The bytes so far; empty as soon as they are known not to be UTF-8.
    private(set) var bytes: [UInt8] = []

    private var counter = PythonTextWords()
    private var size = 0

    /// Reserves memory for a text of at most `expected` bytes.
    ///
    /// A full array that grows holds the text twice while it moves. Reserved memory that no byte
    /// reaches costs nothing. An array that gets no memory ends the process, so the system is asked
    /// first.
    init(expecting expected: Int = 0) {
        if isThereMemory(for: expected) { bytes.reserveCapacity(expected) }
    }

    /// Whether the file has no byte at all.
    var isEmpty: Bool { size == 0 }

    /// The offset of the first byte that is not UTF-8; nil if all are.
    var invalidOffset: Int? { counter.invalidOffset }

    /// The line, from 1, of the first byte that is not UTF-8; nil if all are.
    private(set) var invalidLine: Int?

    /// Words: runs of non-space characters, as Python's `len(text.split())`.
    var wordCount: Int { counter.count }

    /// Takes the next bytes.
    ///
    /// - Throws: `noRoom` if the system has no memory for them.
    mutating func append(_ more: Span<UInt8>) throws(BodyError) {
        size += more.count
        guard counter.invalidOffset == nil else { return }
        counter.add(more)
        let needed = bytes.count + more.count
        guard needed <= bytes.capacity || isThereMemory(for: 2 * needed) else { throw .noRoom }
        unsafe more.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        dropIfInvalid()
    }

    /// Takes the end of the file.
    mutating func finish() {
        counter.finish()
        dropIfInvalid()
    }

    /// Drops a text that is not UTF-8: the answer tells only where it is wrong.
    private mutating func dropIfInvalid() {
        guard let offset = counter.invalidOffset, invalidLine == nil else { return }
        invalidLine = TextLines.number(ofLineAt: offset, in: bytes)
        bytes = []
    }
}

/// Whether the system would give so many bytes now; only large requests are tried.
private func isThereMemory(for bytes: Int) -> Bool {
    guard bytes > 1 << 20 else { return true }
    let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    guard let room = unsafe mmap(nil, bytes, access, kind, -1, 0), unsafe room != MAP_FAILED else {
        return false
    }
    unsafe munmap(room, bytes)
    return true
}
