import ArgumentParser

/// The command line's root.
@main
struct Denoiser: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Denoises sentence embeddings.")
}
