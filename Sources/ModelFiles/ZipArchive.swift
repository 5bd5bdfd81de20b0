/// The entries of a zip file that only stores: nothing compressed, encrypted, split or hidden.
///
/// Every byte of an entry is checked against its CRC-32 when the archive is opened. Layout and
/// field offsets are those of PKWARE's APPNOTE 6.3.
struct ZipArchive {
    /// More entries than a model has tensors, few enough to check at once.
    static let entryLimit = 4096

    /// The file's bytes; entries are ranges of these.
    let bytes: [UInt8]

    /// Entry names in the order of the central directory, with where their content lies.
    private(set) var entries: [(name: String, range: Range<Int>)] = []

    private var ranges: [String: Range<Int>] = [:]
    private let file: String

    /// Opens and checks the whole archive; `file` names it in errors.
    init(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        self.bytes = bytes
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

        for header in headers {
            let range = try header.content(
                in: bytes.span, before: directory.range.lowerBound, file: file)
            guard crc32(of: bytes, in: range) == header.crc else {
                throw damaged("content of \(printable(header.name)) fails its checksum")
            }
            guard ranges.updateValue(range, forKey: header.name) == nil else {
                throw damaged("two entries named \(printable(header.name))")
            }
            entries.append((header.name, range))
        }
        try refuseOverlaps(headers)
    }

    /// Where the content of entry `name` lies in `bytes`.
    subscript(name: String) -> Range<Int>? { ranges[name] }

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
