import ArgumentParser

/// Named measurements, printed as JSON.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Runs a named measurement.")
}
