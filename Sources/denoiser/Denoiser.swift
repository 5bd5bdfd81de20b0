import API
import ArgumentParser
import Glibc
import System

/// The command line's root.
@main
struct Denoiser: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "denoiser",
        abstract: "Embeds sentences with all-MiniLM-L6-v2 and removes noise from the embeddings.",
        discussion: """
            `denoiser serve` answers HTTP requests behind nginx or another FastCGI server; the other \
            commands do the same work from the command line. `denoiser help COMMAND` tells more.
            """,
        version: productVersion,
        subcommands: [
            Serve.self, Train.self, Evaluate.self, Denoise.self, Embed.self, Similarity.self,
            Tokenize.self, Models.self, Pack.self,
        ])

    static func main() {
        guard occupyStandardDescriptors() else { exit(withStatus: 71) }
        // Otherwise a write beyond the limit of file sizes ends the process; now it is an error.
        signal(SIGXFSZ, SIG_IGN)
        do {
            try requireRoom(leastMemory)
            try checkArguments()
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            writeStandardError("denoiser: \(failure)\n")
            exit(withStatus: failure.status)
        } catch {
            let arguments = Array(CommandLine.arguments.dropFirst())
            let misread = exitCode(for: error) == .success ? UsageFault.misread(arguments) : nil
            guard misread != nil || exitCode(for: error) == .validationFailure else {
                exit(withError: error)
            }
            let fault = misread ?? UsageFault(message(for: error), arguments: arguments)
            guard arguments.contains("--check") else {
                writeStandardError("denoiser: \(fault.text)\n")
                exit(withStatus: 64)
            }
            // A check tells every fault in one line and with one status.
            print("problem  command line: \(fault.text)")
            exit(withStatus: 78)
        }
    }

    /// What the smallest command takes.
    private static let leastMemory = 16 << 20

    private static func exit(withStatus status: Int32) -> Never { Glibc.exit(status) }
}
