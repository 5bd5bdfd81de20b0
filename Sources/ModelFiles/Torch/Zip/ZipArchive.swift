/// The entries of a zip file, stored or compressed with DEFLATE: nothing encrypted, split or
/// hidden.
///
/// Every byte of an entry is checked against its CRC-32 when the archive is opened. Layout and
/// field offsets are those of PKWARE's APPNOTE 6.3.
struct ZipArchive {
    /// More entries than a model has tensors, few enough to check at once.
    static let entryLimit = 4096

    /// Entry names in the order of the central directory, with where their stored content lies.
    private(set) var entries: [(name: String, range: Range<Int>)] = []

    private var contents: [String: ArraySlice<UInt8>] = [:]
    private let file: String

    /// Opens and checks the whole archive; `file` names it in errors.
    init(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        self.file = file
        let directory = try ZipDirectory(locatedIn: bytes.span, file: file)
        guard directory.count <= Self.entryLimit else {
            throw damaged("\(directory.count) entries, more than the limit of \(Self.entryLimit)")
        }

        var at = directory.range.lowerBound
        var headers: [ZipEntryHeader] = []
        for _ in 0..<directory.count {
            let header = try ZipEntryHeader(
                in: bytes.span, at: &at, end: directory.range.upperBound, file: file)
            headers.append(header)
        }
        guard at == directory.range.upperBound else {
            throw damaged("the zip directory has another length than its entries")
        }

        guard headers.reduce(0, { $0 + ($1.isCompressed ? $1.size : 0) }) <= Checkpoint.sizeLimit
        else { throw damaged("unfolds into more than \(Checkpoint.sizeLimit) bytes") }
        var names: Set<String> = []
        for header in headers {
            let range = try header.content(
                in: bytes.span, before: directory.range.lowerBound, file: file)
            guard names.insert(header.name).inserted else {
                throw damaged("two entries named \(printable(header.name))")
            }
            entries.append((header.name, range))
        }
        // Before any content is looked at: many entries over the same bytes would take long to
        // check.
        try refuseOverlaps(headers)
        for (header, entry) in zip(headers, entries) {
            contents[header.name] = try content(of: header, from: bytes, in: entry.range)
        }
    }

    /// The content of entry `name`.
    subscript(name: String) -> ArraySlice<UInt8>? { contents[name] }

    /// The content that is stored in `range`, checked.
    private func content(
        of header: ZipEntryHeader, from bytes: [UInt8], in range: Range<Int>
    ) throws(ModelFileError) -> ArraySlice<UInt8> {
        var content = bytes[range]
        if header.isCompressed {
            do throws(Inflate.Failure) {
                content = try Inflate.decompress(bytes, in: range, size: header.size)[...]
            } catch {
                throw damaged("content of \(printable(header.name)) cannot be decompressed")
            }
        }
        guard crc32(of: content) == header.crc else {
            throw damaged("content of \(printable(header.name)) fails its checksum")
        }
        return content
    }

    /// Entries that share bytes would let a small file unfold into much.
    private func refuseOverlaps(_ headers: [ZipEntryHeader]) throws(ModelFileError) {
        let spans = zip(headers, entries)
            .map { (start: $0.headerOffset, end: $1.range.upperBound) }
            .sorted { $0.start < $1.start }
        for (before, after) in zip(spans, spans.dropFirst()) where after.start < before.end {
            throw damaged("entries of the zip file overlap")
        }
    }

    private func damaged(_ reason: String) -> ModelFileError {
        .damaged(file: file, reason: reason)
    }
}
