import Glibc
import System

/// One line on the terminal of standard error, drawn again as work proceeds; nothing elsewhere.
struct ProgressBar {
    /// Whether standard error is a terminal on which a line can be drawn again.
    static let isShown =
        isatty(2) != 0 && !["dumb", "unknown", nil].contains(environment("TERM"))

    private static let blocks = BarLine.Blocks(
        isUTF8: isUTF8Locale(["LC_ALL", "LC_CTYPE", "LANG"].map(environment)))

    private let label: String
    /// Whether nothing is drawn.
    let isHidden: Bool
    private let started = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?

    /// - Parameter isHidden: whether the terminal is needed for something else.
    init(_ label: String, isHidden: Bool = false) {
        self.label = label
        self.isHidden = isHidden || !Self.isShown
    }

    /// Shows that `done` of `total` is done, with `note` behind the bar; draws ten times a second.
    ///
    /// - Parameter total: nil if nobody knows it; there is no bar then, only what is done.
    mutating func show(_ done: Int, of total: Int?, note: String = "") {
        guard !isHidden, total != 0 else { return }
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < .milliseconds(100), done != total { return }
        lastDrawn = now
        let elapsed = (now - started) / .seconds(1)
        let left = total.flatMap { total in
            done > 0 ? elapsed * Double(total - done) / Double(done) : nil
        }
        let line = BarLine(
            label: label, done: done, total: total,
            secondsLeft: left.map { Int($0.rounded(.up)) }, note: note)
        // Measured each time: a window may change. In the last column some terminals begin a new
        // line.
        let text = line.text(columns: terminalColumns() - 1, Self.blocks)
        writeStandardError("\r\u{1B}[K\(text)")
    }

    /// Takes the line away.
    mutating func clear() {
        guard lastDrawn != nil else { return }
        lastDrawn = nil
        writeStandardError("\r\u{1B}[K")
    }
}

/// The text of a progress bar, made to fit.
struct BarLine {
    /// What a bar is drawn with.
    struct Blocks {
        let done: String
        let open: String

        init(isUTF8: Bool) { (done, open) = isUTF8 ? ("█", "░") : ("#", "-") }
    }

    let label: String
    let done: Int
    let total: Int?
    let secondsLeft: Int?
    let note: String

    /// The text in at most `columns` characters; what matters least is left out first.
    func text(columns: Int, _ blocks: Blocks) -> String {
        guard let total else {
            return ["\(label) \(done)", "\(done)"].first { $0.count <= columns } ?? ""
        }
        let count = "\(done)/\(total)"
        let time = secondsLeft.map { "\(count)  \($0) s left" } ?? count
        let all = note.isEmpty ? time : "\(time)  \(note)"
        for (start, end, least) in [
            ("\(label) ", all, 10), ("\(label) ", time, 10), ("\(label) ", count, 10),
            ("", count, 5),
        ] {
            let room = columns - start.count - 1 - end.count
            if room >= least {
                return start + bar(min(room, 30), of: total, blocks) + " " + end
            }
        }
        let percent = "\(Int(Double(done) / Double(total) * 100))%"
        return [count, percent].first { $0.count <= columns } ?? ""
    }

    private func bar(_ width: Int, of total: Int, _ blocks: Blocks) -> String {
        let filled = min(width, Int(Double(done) / Double(total) * Double(width)))
        return String(repeating: blocks.done, count: filled)
            + String(repeating: blocks.open, count: width - filled)
    }
}

/// Whether the locale's character set is UTF-8, by the values of LC_ALL, LC_CTYPE and LANG.
///
/// The values are read as text, since a static executable loads no locale.
func isUTF8Locale(_ values: [String?]) -> Bool {
    guard let locale = values.lazy.compactMap({ $0 }).first(where: { !$0.isEmpty }) else {
        return false
    }
    // language_COUNTRY.charset@variant
    let charset = locale.split(separator: ".", maxSplits: 1).dropFirst().first?.prefix { $0 != "@" }
    return ["utf-8", "utf8"].contains(charset?.lowercased())
}

/// Columns of standard error's terminal: the smaller of the window's and COLUMNS; 80 if unknown.
private func terminalColumns() -> Int {
    var size = winsize()
    let isKnown = unsafe ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let named = environment("COLUMNS").flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
    return [isKnown ? Int(size.ws_col) : nil, named].compactMap { $0 }.min() ?? 80
}

/// Writes `text` to standard error as it is.
func writeStandardError(_ text: String) {
    var bytes = Array(text.utf8)
    _ = unsafe write(2, &bytes, bytes.count)
}
