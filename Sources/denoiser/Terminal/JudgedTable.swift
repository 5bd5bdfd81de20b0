import Denoisers

/// What a judgement found, as a table and as a drawing.
struct JudgedTable {
    /// Noisy rows, the Wiener filter and the model at each noise level, which rises.
    let levels: [JudgedLevel]

    /// Levels that make a curve of the drawing smooth enough.
    static let plotLevels: [Float] = [0.01, 0.03, 0.07, 0.15, 0.3]

    /// The table as text: a line for each level, three columns for each measure.
    var text: String {
        let measures = ["cosine", "neighbours, all noisy", "neighbours, noisy query", "recall@1"]
        let ways = ["noisy"] + (levels.first?.judged.map { Self.title($0.name) } ?? [])
        let cell = 8
        let group = cell * ways.count
        var lines = [
            padded("", cell) + measures.map { padded($0, group + 2) }.joined(),
            padded("noise", cell)
                + measures.map { _ in ways.map { padded($0, cell) }.joined() + "  " }.joined(),
        ]
        for level in levels {
            let columns = [level.nothing] + level.judged.map(\.measures)
            lines.append(
                padded("\(level.noise)", cell)
                    + measures.indices.map { index in
                        columns.map { padded(Self.short($0.all[index]), cell) }.joined() + "  "
                    }.joined())
        }
        return lines.map(trimmed).joined(separator: "\n")
    }

    /// Cosine and neighbours kept over the noise level, in SVG.
    var drawing: String {
        let panels = [(0, "cosine to clean"), (1, "ten nearest neighbours kept")]
        let body = panels.enumerated().map { place, panel in
            Panel(left: 60 + Double(place) * 400, levels: levels).svg(panel.0, panel.1)
        }.joined()
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 380" \
            font-family="sans-serif" font-size="13">
            <rect width="840" height="380" fill="white"/>
            \(body)</svg>

            """
    }

    /// What a treatment is called on a page.
    fileprivate static func title(_ name: String) -> String { name == "wiener" ? "Wiener" : name }

    fileprivate static func short(_ value: Double) -> String {
        let thousandths = Int((abs(value) * 1000).rounded())
        let digits = String(thousandths % 1000 + 1000).dropFirst()
        return (value < 0 && thousandths > 0 ? "-" : "") + "\(thousandths / 1000).\(digits)"
    }
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

private func trimmed(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
}

/// One measure over the noise level.
private struct Panel {
    let left: Double
    let levels: [JudgedLevel]
    private let top = 50.0
    private let width = 340.0
    private let height = 260.0
    private static let colours = ["#777777", "#1f77b4", "#d6502b"]

    private var most: Double { max(Double(levels.last?.noise ?? 1), 1e-9) }

    /// The panel of measure `index`, from 0 at the bottom to 1 at the top.
    func svg(_ index: Int, _ title: String) -> String {
        var lines = [
            text(left + width / 2, 30, title, "middle"),
            text(left + width / 2, top + height + 38, "noise level", "middle"),
        ]
        for part in [0.0, 0.25, 0.5, 0.75, 1] {
            let y = top + height * (1 - part)
            lines.append(line([(left, y), (left + width, y)], "#dddddd", 1))
            lines.append(text(left - 8, y + 4, "\(part)", "end"))
            let x = left + width * part
            lines.append(text(x, top + height + 18, number(most * part), "middle"))
        }
        let names = ["noisy"] + (levels.first?.judged.map { JudgedTable.title($0.name) } ?? [])
        for (way, name) in names.enumerated() {
            let colour = Self.colours[way % Self.colours.count]
            let points = levels.map { level in
                let measures = way == 0 ? level.nothing : level.judged[way - 1].measures
                let value = min(max(measures.all[index], 0), 1)
                return (
                    left + width * Double(level.noise) / most, top + height * (1 - value)
                )
            }
            lines.append(line(points, colour, 2))
            let y = top + 16 + 18 * Double(way)
            lines.append(line([(left + width - 90, y - 4), (left + width - 66, y - 4)], colour, 2))
            lines.append(text(left + width - 60, y, name, "start"))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func line(_ points: [(Double, Double)], _ colour: String, _ width: Int) -> String {
        let places = points.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
        return
            "<polyline points=\"\(places)\" fill=\"none\" stroke=\"\(colour)\" "
            + "stroke-width=\"\(width)\"/>"
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(text)</text>"
    }

    private func number(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
