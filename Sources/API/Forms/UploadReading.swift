extension UploadField {
    /// Bytes asked of the connection at once.
    private static let pieceBytes = 64 * 1024

    /// Reads the value of the field `file` out of a request's form.
    ///
    /// A body of another type is no form and is left unread, as FastAPI leaves it.
    /// The declared length decides before any byte is read.
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

    /// The bytes of a header's value, of which every character is one.
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
        // The memory for as much was admitted.
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

    /// Replaces `piece` by the next one; false at the body's end.
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
