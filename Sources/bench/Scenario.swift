/// A named group of measurements.
struct Scenario: Sendable {
    /// What the command line calls it.
    let name: String
    /// One line for `bench list`.
    let abstract: String
    /// Measures.
    let run: @Sendable (Settings, Stopwatch) throws -> [Figure]

    /// Every scenario, in the order of `bench list`.
    static let all = [
        limit, products, elementwise, attention, encoder, batches, texts, json, training,
    ]
}
