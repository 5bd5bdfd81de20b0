/// Reads an application/x-www-form-urlencoded body as its bytes come; keeps only the field `file`.
struct FormURLEncoded {
    /// The last value of `file` in the fields that are whole.
    ///
    /// It is decoded here, once: a form may hold many long values.
    var field: UploadField {
        let text = PythonText.unquotedPlus(lastValue)
        return text.isEmpty ? .missing : .text(text)
    }

    private let limits: FormLimits
    private var fields = 0
    private var name: [UInt8] = []
    private var value: [UInt8] = []
    private var lastValue: [UInt8] = []
    private var isInsideField = false
    private var isInsideValue = false

    init(limits: FormLimits = FormLimits()) { self.limits = limits }

    /// Takes the next bytes.
    ///
    /// - Throws: `FormError.fieldTooLarge` and `FormError.tooManyFields`.
    mutating func add(_ bytes: Span<UInt8>) throws(FormError) {
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == UInt8(ascii: "&") {
                try endField()
                continue
            }
            isInsideField = true
            if byte == UInt8(ascii: "="), !isInsideValue {
                isInsideValue = true
                continue
            }
            guard name.count + value.count < limits.fieldBytes else {
                throw .fieldTooLarge(limit: limits.fieldBytes)
            }
            if isInsideValue { value.append(byte) } else { name.append(byte) }
        }
    }

    /// Takes the end of the body.
    mutating func finish() throws(FormError) { try endField() }

    private mutating func endField() throws(FormError) {
        // There is no field between two ampersands, but "=" alone is one.
        guard isInsideField else { return }
        fields += 1
        guard fields <= limits.fields else { throw .tooManyFields(limit: limits.fields) }
        // Each letter of "file" takes three bytes at most.
        if name.count <= 12, PythonText.unquotedPlus(name) == "file" { swap(&lastValue, &value) }
        name.removeAll(keepingCapacity: true)
        value.removeAll(keepingCapacity: true)
        (isInsideField, isInsideValue) = (false, false)
    }
}
