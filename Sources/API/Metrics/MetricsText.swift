/// Figures in the text format that Prometheus reads (version 0.0.4).
public struct MetricsText: Sendable {
    /// What a figure is.
    public enum Kind: String, Sendable {
        /// A number that only grows.
        case counter
        /// A number of the moment.
        case gauge
        /// Counts in classes, with the sum and the number of all values.
        case histogram
    }

    /// The text so far.
    public private(set) var text = ""

    /// A text without figures.
    public init() {}

    /// Begins the figure `name`; its values follow.
    public mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One value of the figure begun last.
    public mutating func add(_ name: String, _ value: Double) { add(name, [], value) }

    /// One value of the figure begun last, under labels.
    public mutating func add(
        _ name: String, _ labels: [(name: String, value: String)], _ value: Double
    ) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        let isWhole = value.rounded() == value && value.magnitude < 1e15
        text += isWhole ? " \(Int(value))\n" : " \(value)\n"
    }

    /// A figure of one value.
    public mutating func one(
        _ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger
    ) {
        begin(name, kind, help)
        add(name, Double(value))
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}
