import ArgumentParser
import FastCGI
import Glibc
import Inference
import System

/// Answers requests on a FastCGI socket.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer HTTP requests that a web server passes on over FastCGI.",
        discussion: """
            The socket is the one named by --socket or --listen, else systemd's (LISTEN_FDS), else \
            descriptor 0 where that is a listening socket (spawn-fcgi, mod_fcgid, lighttpd). \
            SIGTERM, SIGINT and SIGQUIT end the service when the requests in flight are answered, \
            a second one at once. SIGHUP reads configuration and model again without dropping a \
            request; SIGUSR1 opens the log file again.

              denoiser serve --socket run/denoiser.sock
              denoiser serve --config denoiser.conf --check
            """)

    @OptionGroup(title: "Running") var life: LifeOptions
    @OptionGroup(title: "Socket") var socket: SocketOptions
    @OptionGroup(title: "Socket") var access: AccessOptions
    @OptionGroup(title: "Socket") var site: SiteOptions
    @OptionGroup(title: "Socket") var alias: AliasOptions
    @OptionGroup(title: "Models") var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Denoising") var denoising: StrengthSettings
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Training") var training: TrainingSettings

    func run() throws {
        let arguments = Array(CommandLine.arguments.dropFirst().drop { $0 != "serve" }.dropFirst())
        let configuration = try Serve.configuration(reading: arguments)
        if life.check {
            try Check(of: configuration).run()
            return
        }
        _ = try configuration.encoder.encoderFolder()
        limitThreadHeaps(to: configuration.limits.threads)
        // Before any thread starts: threads inherit the set of blocked signals.
        let signals = try startUp { () throws(FastCGIError) in try SignalWaiter() }
        try startUp { () throws(FastCGIError) in
            do throws(ThreadRefusal) { try LogQueue.shared.start() } catch {
                throw .system(call: "pthread_create", subject: "the log", code: error.code)
            }
        }
        do throws(CommandFailure) {
            try Service(configuration, arguments: arguments).run(signals)
        } catch {
            // The queue keeps the order of lines and does not wait for a reader for ever.
            LogQueue.shared.forget()
            guard LogQueue.shared.add("denoiser: \(error)\n") else { throw error }
            LogQueue.shared.finish(within: .seconds(1))
            throw ExitCode(error.status)
        }
    }

    /// The configuration that `arguments` and the configuration file they name make.
    static func configuration(
        reading arguments: [String]
    ) throws(CommandFailure) -> ServiceConfiguration {
        let given = try parsed(arguments)
        guard let path = given.life.config else { return try given.configuration() }
        let file = try ConfigurationFile(reading: path, of: Serve.self)
        return try parsed(file.arguments(before: arguments)).configuration()
    }

    /// The options as a value.
    func configuration() throws(CommandFailure) -> ServiceConfiguration {
        ServiceConfiguration(
            file: life.config, logFile: life.log, maxRequests: life.maxRequests,
            idleExit: life.idleExit, socket: socket.choice, keyFile: access.keys,
            proxies: try access.proxies(), sites: site.sites, models: alias.models,
            encoder: encoder.place,
            model: model.choice, strength: denoising.strength, limits: limits.limits,
            training: training.choice)
    }

    private static func parsed(_ arguments: [String]) throws(CommandFailure) -> Serve {
        do {
            return try parse(arguments)
        } catch {
            throw .configuration(oneLine(message(for: error)))
        }
    }
}

/// Runs a step of the start; its failure ends the process with one line.
func startUp<Value: ~Copyable>(
    _ step: () throws(FastCGIError) -> Value
) throws(CommandFailure) -> Value {
    do throws(FastCGIError) {
        return try step()
    } catch {
        throw .socket("\(error)")
    }
}
