import Inference

/// The lines of several files, one after the other.
struct TrainingText {
    /// UTF-8; every file ends with a line's end.
    private(set) var bytes: [UInt8] = []

    /// The files' names, each with the number of lines before it.
    private var files: [(name: String, linesBefore: Int)] = []

    /// Reads the files at `paths`, "-" being standard input.
    init(reading paths: [String]) throws(CommandFailure) {
        for path in paths {
            files.append(
                (nameOfFile(at: path), TextLines.number(ofLineAt: bytes.count, in: bytes) - 1))
            bytes += try readText(path)
            if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        }
    }

    /// The name of the line of the byte at `offset` in messages.
    func place(ofByte offset: Int) -> String {
        place(ofLine: TextLines.number(ofLineAt: offset, in: bytes) - 1)
    }

    /// The name of line `index` of all, from 0, in messages.
    func place(ofLine index: Int) -> String {
        guard let file = files.last(where: { $0.linesBefore <= index }) else { return "" }
        return "\(file.name), line \(index - file.linesBefore + 1)"
    }
}
