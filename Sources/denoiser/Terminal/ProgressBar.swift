import Glibc

/// One line on a terminal's standard error, drawn again as work proceeds; nothing elsewhere.
struct ProgressBar {
    /// Whether standard error is a terminal.
    static let isShown = isatty(2) != 0

    private let label: String
    private let started = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?

    init(_ label: String) { self.label = label }

    /// Shows that `done` of `total` is behind us, with `note` after the bar; draws ten times a second.
    mutating func show(_ done: Int, of total: Int, note: String = "") {
        guard Self.isShown, total > 0 else { return }
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < .milliseconds(100), done < total { return }
        lastDrawn = now
        let width = 30
        let filled = min(width, done * width / total)
        let bar =
            String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let elapsed = (now - started) / .seconds(1)
        let left = done > 0 ? elapsed * Double(total - done) / Double(done) : 0
        let remaining = done > 0 ? "  \(Int(left.rounded(.up))) s left" : ""
        writeStandardError("\r\u{1B}[K\(label) \(bar) \(done)/\(total)\(remaining)  \(note)")
    }

    /// Takes the line away.
    func clear() {
        if Self.isShown, lastDrawn != nil { writeStandardError("\r\u{1B}[K") }
    }
}

/// Writes `text` to standard error as it is.
func writeStandardError(_ text: String) {
    var bytes = Array(text.utf8)
    _ = unsafe write(2, &bytes, bytes.count)
}
