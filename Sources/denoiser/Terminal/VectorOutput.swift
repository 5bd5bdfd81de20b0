import ArgumentParser
import JSON

/// What vectors are written as.
enum VectorFormat: String, ExpressibleByArgument, CaseIterable {
    /// A JSON array a line.
    case json
    /// The Base64 of little-endian float32 a line.
    case base64
    /// One NumPy array of all.
    case npy
}

/// The output of a command's vectors: lines on standard output or in a file, or a NumPy array.
struct VectorOutput: ParsableArguments {
    @Option(
        help: """
            What is written: json, an array of 384 numbers a line; base64, a line with the Base64 of 384 \
            little-endian float32; npy, one NumPy array [texts, 384] of float32 (default: json, or npy with \
            --output).
            """)
    var format: VectorFormat?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            Write to this file, pipe or device; - is standard output. A file is replaced when the new one is \
            whole. A NumPy array goes to a file that ends in .npy; lines go to any, with --format json or \
            base64. An array in a pipe begins with its length, so its texts are read to their end first.
            """, valueName: "file"))
    var output: String?

    private var chosen: VectorFormat { format ?? (output == nil ? .json : .npy) }

    func validate() throws {
        guard let output, output != "-", !isStream(output) else { return }
        guard chosen == .npy else {
            if output.isEmpty { throw ValidationError("--output names no file.") }
            return
        }
        guard output.hasSuffix(".npy"), output != ".npy", !output.hasSuffix("/.npy") else {
            throw ValidationError(
                "--output is \"\(output)\"; a NumPy array is written to a file that ends in .npy, to a pipe or "
                    + "device, or to - for standard output; --format json or base64 writes lines to any file."
            )
        }
    }

    /// Opens the destination for rows of `columns`.
    func open(columns: Int) throws(CommandFailure) -> VectorWriter {
        try VectorWriter(path: output, chosen, columns: columns)
    }
}

/// Writes rows of one matrix, one after the other.
struct VectorWriter: ~Copyable {
    private var file: OutputFile
    private let format: VectorFormat
    private let columns: Int
    private var rows = 0
    /// Rows that the head of an array told already.
    private var promised: Int?

    fileprivate init(
        path: String?, _ format: VectorFormat, columns: Int
    ) throws(CommandFailure) {
        let opened = try OutputFile(path: path)
        guard format != .npy || !opened.isTerminal else {
            throw .usage(
                "a NumPy array is no text for a terminal; name a file with --output, or choose "
                    + "--format json")
        }
        file = opened
        self.format = format
        self.columns = columns
    }

    /// Whether a user sees the vectors at once.
    var isTerminal: Bool { file.isTerminal }

    /// Whether `begin` must be told how many rows come.
    var needsCount: Bool { format == .npy && !file.canReturn }

    /// Writes what stands before the first row.
    ///
    /// - Parameter rows: how many come; nil if that shows at the end.
    mutating func begin(rows: Int?) throws(CommandFailure) {
        guard format == .npy else { return }
        promised = rows
        // Zeros are no head: nobody takes what is left unfinished for an array.
        let head = rows.map { numPyHead(rows: $0, columns: columns) }
        try file.append { $0 += head ?? Array(repeating: 0, count: numPyHeadBytes) }
    }

    /// Appends `values`, row-major, any number of whole rows.
    mutating func write(_ values: [Float]) throws(CommandFailure) {
        let (columns, format) = (columns, format)
        rows += values.count / columns
        if let promised, rows > promised { throw changed(from: promised) }
        for start in stride(from: 0, to: values.count, by: columns) {
            try file.append { bytes in
                let row = values.span.extracting(start..<start + columns)
                switch format {
                case .json: appendJSON(row, to: &bytes)
                case .base64: appendBase64(row, to: &bytes)
                case .npy: return appendLittleEndian(row, to: &bytes)
                }
                bytes.append(UInt8(ascii: "\n"))
            }
        }
    }

    /// Writes what a reader may be waiting for.
    mutating func flush() throws(CommandFailure) { try file.flush() }

    /// Writes the rest, and puts a file in its place.
    mutating func finish() throws(CommandFailure) {
        if let promised, rows != promised { throw changed(from: promised) }
        try file.finish(beginning: headAtEnd)
    }

    /// Writes the rest to what is no file, because no more rows come.
    mutating func giveUp() throws(CommandFailure) {
        if !file.isReplacement { try file.finish(beginning: headAtEnd) }
    }

    private var headAtEnd: [UInt8] {
        format == .npy && promised == nil ? numPyHead(rows: rows, columns: columns) : []
    }

    private func changed(from count: Int) -> CommandFailure {
        .data("the texts were \(count) when they were counted, and others when they were read")
    }
}

/// The head of a .npy file, version 1.0 (numpy.lib.format).
///
/// It consists of magic, length, a Python dictionary and padding.
private func numPyHead(rows: Int, columns: Int) -> [UInt8] {
    let fields = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    // Magic, version and length take 10 bytes. The whole is a multiple of 64 and ends in a newline.
    let padding = numPyHeadBytes - 11 - fields.utf8.count
    precondition(padding >= 0, "\(rows) rows of \(columns)")
    let text = fields + String(repeating: " ", count: padding) + "\n"
    let length = UInt16(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
        + Array(text.utf8)
}

/// Bytes of that head, however many rows there are.
private let numPyHeadBytes = 128

private func appendLittleEndian(_ row: Span<Float>, to bytes: inout [UInt8]) {
    for i in row.indices {
        unsafe withUnsafeBytes(of: row[i].bitPattern.littleEndian) { unsafe bytes += $0 }
    }
}
