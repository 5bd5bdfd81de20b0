extension UploadField {
    /// Bytes asked of the connection at once.
    private static let pieceBytes = 64 * 1024

    /// Reads the value of the field `file` out of a request's form.
    ///
    /// A body of another type is no form and is left unread, as FastAPI leaves it.
    /// - Parameter limit: bytes a body may hold; the declared length decides before any is read.
    static func read(
        from body: inout some BodySource & ~Copyable, contentType: String, limit: Int
    ) throws(FormError) -> UploadField {
        if let declared = body.declaredLength, declared > limit {
            throw .bodyTooLarge(length: declared, limit: limit)
        }
        let type = FormOptionsHeader(parsing: bytes(ofHeader: contentType))
        switch type.value {
        case "multipart/form-data":
            return try readMultipart(from: &body, type: type, limit: limit)
        case "application/x-www-form-urlencoded":
            return try readURLEncoded(from: &body, limit: limit)
        default:
            return .missing
        }
    }

    /// The bytes of a header's value, of which every character is one.
    private static func bytes(ofHeader value: String) -> [UInt8] {
        value.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func readMultipart(
        from body: inout some BodySource & ~Copyable, type: FormOptionsHeader, limit: Int
    ) throws(FormError) -> UploadField {
        let charset = type.parameters["charset"].map { FormCharset(label: $0) } ?? .utf8
        guard let boundary = type.parameters["boundary"] else { throw .missingBoundary }
        var scanner = try MultipartScanner(boundary: boundary)
        var form = UploadForm(charset: charset)
        let declared = body.declaredLength
        var received = 0
        var piece: [UInt8] = []
        while try next(&piece, of: &body, received: &received, limit: limit) {
            form.remainingBytes = declared.map { max(0, $0 - received + piece.count) }
            try scanner.scan(piece.span, into: &form)
        }
        return form.field
    }

    private static func readURLEncoded(
        from body: inout some BodySource & ~Copyable, limit: Int
    ) throws(FormError) -> UploadField {
        var form = FormURLEncoded()
        var received = 0
        var piece: [UInt8] = []
        while try next(&piece, of: &body, received: &received, limit: limit) {
            try form.add(piece.span)
        }
        try form.finish()
        return form.field
    }

    /// Replaces `piece` by the next one; false at the body's end.
    private static func next(
        _ piece: inout [UInt8], of body: inout some BodySource & ~Copyable, received: inout Int,
        limit: Int
    ) throws(FormError) -> Bool {
        piece.removeAll(keepingCapacity: true)
        let count: Int
        do { count = try body.read(upTo: pieceBytes, into: &piece) } catch { throw .unreadable }
        received += count
        guard received <= limit else { throw .bodyTooLarge(length: received, limit: limit) }
        return count > 0
    }
}
