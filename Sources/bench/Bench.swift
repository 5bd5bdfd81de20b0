import ArgumentParser
import Encoder
import Glibc
import Inference
import JSON
import Kernels

/// Named measurements, printed as JSON.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the parts of the denoiser and print the figures as JSON.",
        discussion: """
              bench list
              bench run limit encoder --rounds 5
            """,
        subcommands: [List.self, Run.self])
}

/// Prints the names of the scenarios.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the name of each scenario and what it measures.")

    func run() {
        let width = Scenario.all.map(\.name.count).max() ?? 0
        for scenario in Scenario.all {
            let gap = String(repeating: " ", count: width - scenario.name.count)
            print("\(scenario.name)\(gap)  \(scenario.abstract)")
        }
    }
}

/// Runs scenarios.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run scenarios and print their figures as one JSON object.",
        discussion: "Each figure has the median of its rounds, their extremes and all of them.")

    @Argument(help: "Names from `bench list`; all if none is given.")
    var names: [String] = []

    @Option(help: "How often each measurement is repeated.")
    var rounds = 5

    @OptionGroup var settings: Settings

    func validate() throws {
        guard 1...1000 ~= rounds else {
            throw ValidationError("--rounds is \(rounds); it must be from 1 to 1000.")
        }
        for name in names where !Scenario.all.contains(where: { $0.name == name }) {
            let known = Scenario.all.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no scenario \"\(name)\"; there are \(known).")
        }
    }

    func run() throws {
        let chosen =
            names.isEmpty
            ? Scenario.all : Scenario.all.filter { names.contains($0.name) }
        var scenarios = JSONObject()
        for scenario in chosen {
            var figures = JSONObject()
            for figure in try scenario.run(settings, Stopwatch(rounds: rounds)) {
                figures[figure.name] = figure.json
            }
            scenarios[scenario.name] = .object(figures)
        }
        var result = JSONObject()
        result["instruction_set"] = .string("\(InstructionSet.current)")
        result["rounds"] = .integer(rounds)
        result["scenarios"] = .object(scenarios)
        print(JSONValue.object(result).text)
    }
}

/// The files that scenarios read.
struct Settings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder with the encoder's model.safetensors, vocab.txt and config.json.",
            valueName: "folder"))
    var encoder = "models/all-MiniLM-L6-v2"

    @Option(
        help: ArgumentHelp("Texts to embed, one a line (scenario texts).", valueName: "file"))
    var texts = "Tests/Benchmarks/mixed4k.txt"
}

extension Settings {
    /// The encoder.
    ///
    /// Standard error says if its weights are not packed, which counts in every figure.
    func loadedEncoder() throws -> SentenceEncoder {
        try loadEncoder(folder: encoder) { note in
            let line = Array("bench: \(note)\n".utf8)
            _ = unsafe write(STDERR_FILENO, line, line.count)
        }
    }
}
