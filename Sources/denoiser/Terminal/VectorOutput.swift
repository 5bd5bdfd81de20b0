import ArgumentParser
import JSON

/// The output of a command's vectors: JSON lines on standard output, or a NumPy file.
struct VectorOutput: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            Write a NumPy array [texts, 384] of float32 instead of JSON lines, to this file, pipe or \
            device; - is standard output. A file is replaced when the new one is whole.
            """, valueName: "file.npy"))
    var output: String?

    func validate() throws {
        guard let output, output != "-", !isStream(output) else { return }
        guard output.hasSuffix(".npy"), output != ".npy", !output.hasSuffix("/.npy") else {
            throw ValidationError(
                "--output is \"\(output)\"; a NumPy array is written to a file that ends in .npy, to a pipe or "
                    + "device, or to - for standard output.")
        }
    }

    /// Opens the destination for `rows` rows of `columns`.
    func open(rows: Int, columns: Int) throws(CommandFailure) -> VectorWriter {
        try VectorWriter(path: output, rows: rows, columns: columns)
    }
}

/// Writes rows of one matrix, one after the other.
struct VectorWriter: ~Copyable {
    private var file: OutputFile
    private let isNumPy: Bool
    private let columns: Int

    fileprivate init(path: String?, rows: Int, columns: Int) throws(CommandFailure) {
        let head = path == nil ? [] : numPyHeader(rows: rows, columns: columns)
        let opened = try OutputFile(path: path, beginning: head)
        guard path == nil || !opened.isTerminal else {
            throw .usage(
                "--output: a NumPy array is no text for a terminal; name a file or leave --output out"
            )
        }
        file = opened
        isNumPy = path != nil
        self.columns = columns
    }

    /// Whether a user sees the vectors at once.
    var isTerminal: Bool { file.isTerminal }

    /// Appends `values`, row-major, any number of whole rows.
    mutating func write(_ values: [Float]) throws(CommandFailure) {
        var start = 0
        while start < values.count {
            let row = values[start..<start + columns]
            let isNumPy = isNumPy
            try file.append { bytes in
                if isNumPy {
                    for value in row {
                        unsafe withUnsafeBytes(of: value.bitPattern.littleEndian) {
                            unsafe bytes += $0
                        }
                    }
                } else {
                    appendJSON(row: row, to: &bytes)
                    bytes.append(UInt8(ascii: "\n"))
                }
            }
            start += columns
        }
    }

    /// Writes the rest of the buffer, and puts a file in its place.
    mutating func finish() throws(CommandFailure) { try file.finish() }
}

/// The head of a .npy file, version 1.0 (numpy.lib.format).
///
/// It consists of magic, length, a Python dictionary and padding.
private func numPyHeader(rows: Int, columns: Int) -> [UInt8] {
    let fields = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    // Magic, version and length take 10 bytes. The whole is a multiple of 64 and ends in a newline.
    let padding = 63 - (10 + fields.utf8.count) % 64
    let text = fields + String(repeating: " ", count: padding) + "\n"
    let length = UInt16(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
        + Array(text.utf8)
}

private func appendJSON(row: ArraySlice<Float>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "["))
    for (i, value) in row.enumerated() {
        if i > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += value.description.utf8
    }
    bytes.append(UInt8(ascii: "]"))
}
