import API
import ArgumentParser
import FastCGI
import Glibc
import Inference

/// Answers requests on a FastCGI socket.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer HTTP requests that a web server passes on over FastCGI.",
        discussion: """
            The socket is the one named by --socket or --listen, else systemd's (LISTEN_FDS), else \
            descriptor 0 where that is a listening socket (spawn-fcgi, mod_fcgid, lighttpd). \
            SIGTERM, SIGINT and SIGQUIT end the service when the requests in flight are answered.

              denoiser serve --socket run/denoiser.sock
            """)

    @OptionGroup(title: "Socket") var socket: SocketOptions
    @OptionGroup(title: "Models") var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Training") var training: TrainingSettings

    func run() throws {
        // First of all: threads started later inherit which signals are blocked.
        let signals = try startUp { () throws(FastCGIError) in try SignalWaiter() }
        let live = try loadLiveModel(model)
        let embedder = try loadEmbedder(folder: encoder.path, threads: limits.threads)
        let engine = DenoisingEngine(
            embedder: embedder, model: live, training: training.run(lineLimit: limits.lines),
            report: log)
        let application = Application(service: engine, limits: limits.requestLimits)
        let peers = try socket.peers()
        let server = try startUp { () throws(FastCGIError) in
            try Server(
                Listener.find(socket.choice()), limits: limits.serverLimits, peers: peers,
                report: { log("\($0)") })
        }
        try startUp { () throws(FastCGIError) in
            try signals.start { _ in
                engine.cancelTraining()
                server.stop()
            }
        }
        log("serving \(describe(server.origin)), model \(live.current()?.version ?? "none")")
        let outcome = try startUp { () throws(FastCGIError) in
            try server.run { exchange in answer(exchange, with: application) }
        }
        if case .abandoned(let count) = outcome {
            log("gave up \(count) requests that took longer than the stop time")
            // Their threads still run; leaving through exit would wait for them.
            _exit(1)
        }
    }
}

/// The one place where FastCGI and the routes meet: a request in, a response out.
private func answer(_ exchange: consuming Exchange, with application: Application) {
    let parameters = exchange.parameters
    let request = Request(
        method: parameters.method, path: parameters.path, query: parameters.query,
        rootPath: parameters.rootPath, headers: parameters.headers, scheme: parameters.scheme,
        server: parameters.server)
    var body = ExchangeBody(exchange)
    let response = application.respond(to: request, body: &body)
    body.finish(response)
}

/// A request's body as the routes read it.
private struct ExchangeBody: ~Copyable, BodySource {
    private var exchange: Exchange

    init(_ exchange: consuming Exchange) { self.exchange = exchange }

    var declaredLength: Int? { exchange.declaredLength }

    mutating func read(
        upTo limit: Int, into buffer: inout [UInt8]
    ) throws(BodyError) -> Int {
        do throws(FastCGIError) {
            return try exchange.readBody(upTo: limit, into: &buffer)
        } catch {
            if case .wrongLength = error { throw .wrongLength }
            throw .broken
        }
    }

    consuming func finish(_ response: Response) {
        exchange.respond(
            status: response.status, headers: response.headers, body: response.body)
    }
}

private func describe(_ origin: Listener.Origin) -> String {
    switch origin {
    case .path(let path): "on \(path)"
    case .address(let address): "on \(address)"
    case .systemd: "on the socket of LISTEN_FDS"
    case .descriptor(let number): "on descriptor \(number)"
    }
}

/// Runs a step of the start; its failure ends the process with one line.
private func startUp<Value: ~Copyable>(
    _ step: () throws(FastCGIError) -> Value
) throws(CommandFailure) -> Value {
    do throws(FastCGIError) {
        return try step()
    } catch {
        throw .socket("\(error)")
    }
}

/// One line on standard error.
@Sendable func log(_ line: String) { writeStandardError("denoiser: \(line)\n") }
