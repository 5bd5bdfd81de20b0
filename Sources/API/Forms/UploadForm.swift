/// The value of the form field `file`: the last one the form names.
enum UploadField: Sendable {
    /// There is none, or one that FastAPI takes for none.
    case missing
    /// A field without a file name.
    case text(String)
    case file(name: String, text: UploadText)
}

/// What the parts of a multipart form come to under Starlette's rules; only `file` is kept.
struct UploadForm: MultipartEvents {
    private enum Part {
        case ignored
        case otherField
        case field
        case file
    }

    /// The field's value, of the parts that came whole.
    ///
    /// A text is decoded here: only the last part of the name counts, and there may be many.
    var field: UploadField {
        guard let lastText else { return lastFile }
        let text = charset.text(of: lastText)
        // Browsers send an empty text or an unnamed empty file where nothing was chosen.
        return text.isEmpty ? .missing : .text(text)
    }

    /// Bytes of the body that can still come.
    var remainingBytes = 0

    private let charset: FormCharset
    private let limits: FormLimits
    private var files = 0
    private var fields = 0
    private var disposition: [UInt8] = []

    /// The kind of the part under way.
    ///
    /// Its contents stand beside it and grow in place: taken out of an enumeration's case and put
    /// back, a text would be copied with every piece.
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
        // A name holds token characters only, of which this bit tells upper from lower case.
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
