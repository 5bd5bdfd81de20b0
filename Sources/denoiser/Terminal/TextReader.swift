import Glibc
import Inference
import JSON
import System

/// Some texts of a command, in order.
struct TextBlock {
    fileprivate(set) var texts: [String] = []

    /// Where each text stands.
    fileprivate(set) var places: [TextPlace] = []

    /// Why there are no more behind them; nil if there may be.
    fileprivate(set) var fault: CommandFailure?
}

/// Where a text stands.
struct TextPlace {
    /// The name of its file; nil for arguments.
    fileprivate let file: String?

    /// Its number there, from 1.
    fileprivate let number: Int
}

extension TextPlace: CustomStringConvertible {
    /// Its name in messages.
    var description: String { file.map { "\($0), line \(number)" } ?? "text \(number)" }
}

/// The texts of a command in blocks, which hold what is there when they are asked for.
///
/// Never more than a block is held, however many texts there are.
struct TextReader {
    /// The most texts of a block, and the bytes from which on it holds no more.
    static let mostTexts = 1024
    static let mostBytes = 4 << 20

    private let source: Source
    private var given = 0
    private var reader: LineReader?

    private enum Source {
        case arguments([String])
        case lines([TextFile], isJSON: Bool)
    }

    /// Texts as they are.
    init(_ texts: [String]) { source = .arguments(texts) }

    /// The lines of files, each a text, or a JSON string if `isJSON`.
    init(linesOf files: [TextFile], isJSON: Bool) { source = .lines(files, isJSON: isJSON) }

    /// The next texts; nil if there are none.
    ///
    /// - Parameter isFull: whether a block waits for as many as it takes; else it waits for one.
    mutating func next(full isFull: Bool = false) -> TextBlock? {
        var block = TextBlock()
        var bytes = 0
        do throws(CommandFailure) {
            while block.texts.count < Self.mostTexts, bytes < Self.mostBytes,
                let (text, place) = try nextText(waiting: isFull || block.texts.isEmpty)
            {
                block.texts.append(text)
                block.places.append(place)
                bytes += text.utf8.count
            }
        } catch {
            block.fault = error
        }
        return block.texts.isEmpty && block.fault == nil ? nil : block
    }

    /// The next text; nil if there is none, or none without waiting if that is not wanted.
    private mutating func nextText(
        waiting isPatient: Bool
    ) throws(CommandFailure) -> (String, TextPlace)? {
        switch source {
        case .arguments(let texts):
            guard given < texts.count else { return nil }
            given += 1
            return (texts[given - 1], TextPlace(file: nil, number: given))
        case .lines(let files, let isJSON):
            while true {
                guard let reader = try reader(of: files, waiting: isPatient) else { return nil }
                switch try reader.next(waiting: isPatient) {
                case .nothingYet: return nil
                case .end: self.reader = nil
                case .line(let line):
                    if isJSON, reader.bytes[line].allSatisfy(isJSONSpace) { continue }
                    let text = try reader.text(of: line, isJSON: isJSON)
                    return (text, TextPlace(file: reader.name, number: reader.number))
                }
            }
        }
    }

    /// The reader of the file whose turn it is; nil if there is none, or none without waiting.
    private mutating func reader(
        of files: [TextFile], waiting isPatient: Bool
    ) throws(CommandFailure) -> LineReader? {
        if let reader { return reader }
        // Opening a named pipe waits for its writer.
        guard given < files.count, isPatient || files[given].isRegular else { return nil }
        given += 1
        reader = try files[given - 1].reader()
        return reader
    }
}

extension TextReader {
    /// Whether a user types the texts.
    var isTerminal: Bool {
        if case .lines(let files, _) = source { files.contains(where: \.isTerminal) } else { false }
    }

    /// The number of texts that are arguments; nil if they are lines.
    var countOfArguments: Int? {
        if case .arguments(let texts) = source { texts.count } else { nil }
    }

    /// The number of all texts if that costs no more than reading files twice; nil otherwise.
    ///
    /// A fault ends the count; it shows again when the texts are taken.
    func count() -> Int? {
        switch source {
        case .arguments: countOfArguments
        case .lines(let files, let isJSON):
            files.allSatisfy(\.isRegular) ? Self.count(files, isJSON: isJSON).count : nil
        }
    }

    /// The number of all texts, before any is taken.
    ///
    /// What can be read only once is first copied to a file that nobody else sees.
    ///
    /// - Throws: what is wrong with a text.
    mutating func certainCount() throws(CommandFailure) -> Int {
        guard case .lines(var files, let isJSON) = source else { return countOfArguments ?? 0 }
        for index in files.indices where !files[index].isRegular {
            files[index] = try files[index].copied()
        }
        self = TextReader(linesOf: files, isJSON: isJSON)
        let (count, fault) = Self.count(files, isJSON: isJSON)
        if let fault { throw fault }
        return count
    }

    private static func count(
        _ files: [TextFile], isJSON: Bool
    ) -> (count: Int, fault: CommandFailure?) {
        let positions = files.map(\.position)
        defer { for (file, position) in zip(files, positions) { file.seek(to: position) } }
        var reader = TextReader(linesOf: files, isJSON: isJSON)
        var count = 0
        while let block = reader.next(full: true) {
            count += block.texts.count
            if let fault = block.fault { return (count, fault) }
        }
        return (count, nil)
    }
}

extension LineReader {
    /// The text of a line.
    ///
    /// - Throws: what is wrong with it, and where.
    fileprivate func text(of line: Range<Int>, isJSON: Bool) throws(CommandFailure) -> String {
        guard let text = String(validating: bytes[line], as: UTF8.self) else {
            throw faultOfBytes(line)
        }
        guard isJSON else { return text }
        let place = TextPlace(file: name, number: number)
        do throws(JSONError) {
            if case .string(let text) = try JSONValue(parsing: Array(bytes[line])) { return text }
        } catch {
            throw .data("\(place): not JSON: \(error)")
        }
        throw .data("\(place): with --jsonl a line is a JSON string, such as \"a text\"")
    }

    private func faultOfBytes(_ line: Range<Int>) -> CommandFailure {
        if beginning == gzipMagic { return gzipFault(name) }
        let fault = UTF8Fault(inLine: Array(bytes[line]), number: number, of: beginning)
        return .data(fault.map { "\(name), \($0)" } ?? "\(name), line \(number): not UTF-8")
    }
}

private func isJSONSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
