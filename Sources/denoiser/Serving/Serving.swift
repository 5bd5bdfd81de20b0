import API
import FastCGI
import Glibc
import Inference
import Synchronization

/// The running service: one socket, the generation of now, and what signals and time do to them.
final class Serving: Sendable {
    private let arguments: [String]
    private let first: Serve
    private let server: Server
    private let notifier: SystemdNotifier
    private let runs: TrainingRuns
    private let generation: Mutex<Generation>
    private let traffic = Traffic()
    private let metrics = RequestMetrics()
    private let tidying = Tidying()
    private let isStopping = Atomic<Bool>(false)
    private let isToldToStop = Atomic<Bool>(false)
    /// The file that takes the log; nil where standard error is what it was.
    private let logPath: Mutex<String?>
    private let turnsSeen = Atomic<Int>(-1)

    /// Loads the models and finds the socket; nobody is served before `run`.
    ///
    /// - Parameter arguments: the command line that `options` were read from, to be read again.
    init(_ options: Serve, arguments: [String]) throws(CommandFailure) {
        self.arguments = arguments
        first = options
        notifier = .take()
        runs = TrainingRuns(most: max(options.limits.requestThreads / 2, 1))
        generation = Mutex(
            try Generation(options, after: nil, runs: runs, metrics: metrics, tidying: tidying))
        let peers = try options.socket.peers()
        server = try startUp { () throws(FastCGIError) in
            try Server(
                Listener.find(options.socket.choice()), limits: options.limits.serverLimits,
                peers: peers, busyAnswer: Answer(.overloaded(retryAfter: 1)),
                report: { log("\($0)") })
        }
        // Last: what keeps the service from starting is for whoever starts it to see.
        logPath = Mutex(options.life.log)
        if let path = options.life.log { try LogFile(opening: path).becomeStandardError() }
    }

    /// Serves until a signal, `--max-requests` or `--idle-exit` ends it.
    func run(_ signals: SignalWaiter) throws(CommandFailure) {
        log(status)
        if let note = first.socket.idleNote { log(note) }
        log(generation.withLock { $0.summary })
        let outcome = try startUp { () throws(FastCGIError) in
            try signals.start(patience: { self.patience }, { self.act(on: $0) })
            notifier.ready(status)
            return try server.run { exchange in self.answer(exchange) }
        }
        if case .abandoned(let count) = outcome {
            log("gave up \(count) requests that took longer than --stop-timeout")
            // Their threads still run; leaving through exit would wait for them.
            _exit(1)
        }
        log("stopped after \(traffic.count) requests")
    }

    private var status: String {
        let (live, options) = generation.withLock { ($0.live, $0.options.model) }
        let model = describe(live.current()?.version ?? "none", options)
        return "serving \(describe(server.origin)), model \(model)"
    }

    private func answer(_ exchange: consuming Exchange) {
        let generation = generation.withLock { $0 }
        if InternalPages.areAsked(by: exchange.parameters) {
            let page = internalPages(generation).page(exchange.parameters.path)
            exchange.respond(Answer(page))
            return
        }
        traffic.begin()
        generation.answering.answer(exchange)
        traffic.end()
        guard let limit = generation.maxRequests else { return }
        // A training run under way is let finish: its own answer comes by here again.
        if traffic.count >= limit, runs.underway == 0 {
            stop("--max-requests \(limit) are reached")
        }
    }

    private func internalPages(_ generation: Generation) -> InternalPages {
        InternalPages(
            metrics: metrics, statistics: server.statistics,
            encoder: generation.embedder.statistics, training: runs.statistics,
            budgets: generation.plan.budgets, memoryBound: generation.plan.total,
            modelVersion: generation.live.current()?.version,
            isStopping: isStopping.load(ordering: .relaxed))
    }

    // MARK: Signals

    private func act(on signal: Int32?) {
        switch signal {
        case nil: lookRound()
        case SIGHUP: reload()
        case SIGUSR1: reopenLog()
        case let number?:
            guard !isToldToStop.exchange(true, ordering: .relaxed) else {
                log("signal \(number) after another: ending at once")
                _exit(1)
            }
            stop("signal \(number)")
        }
    }

    /// Ends the service: requests in flight are answered, but training runs end unfinished.
    private func stop(_ reason: String) {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        log("stopping: \(reason), \(server.statistics.inFlight) requests in flight")
        notifier.stopping("stopping: \(reason)")
        runs.cancel()
        server.stop()
    }

    /// Reads configuration and model again; what cannot be used leaves all as it was.
    private func reload() {
        guard !isStopping.load(ordering: .relaxed) else { return }
        notifier.reloading()
        do throws(CommandFailure) {
            let options = try Serve.read(arguments)
            let next = try Generation(
                options, after: generation.withLock { $0 }, runs: runs, metrics: metrics,
                tidying: tidying)
            var late = next.needingRestart(since: first)
            if let path = options.life.log {
                try LogFile(opening: path).becomeStandardError()
                logPath.withLock { $0 = path }
            } else if logPath.withLock({ $0 != nil }) {
                late.append("log")
            }
            generation.withLock { $0 = next }
            for name in late {
                log("--\(name) has changed, which counts from the next start on")
            }
            log("reloaded: \(status)")
            log(next.summary)
        } catch {
            log("not reloaded, all stays as it was: \(error)")
        }
        notifier.ready(status)
    }

    private func reopenLog() {
        guard let path = logPath.withLock({ $0 }) else {
            log("nothing to open again: the log is standard error, without --log")
            return
        }
        do throws(CommandFailure) {
            try LogFile(opening: path).becomeStandardError()
        } catch {
            log("\(error); logging to the file opened before")
        }
    }

    // MARK: Time

    /// How long to wait for a signal before `lookRound` has something to do.
    private var patience: Duration? {
        [notifier.watchdog.map { $0 / 4 }, idleTimeLeft].compactMap { $0 }.min()
    }

    /// Until `--idle-exit`, if nothing comes; nil without that option.
    private var idleTimeLeft: Duration? {
        guard !isStopping.load(ordering: .relaxed),
            let limit = generation.withLock({ $0.options.life.idleExit })
        else { return nil }
        if server.statistics.inFlight > 0 { return .seconds(limit) }
        return max(.zero, .seconds(limit) - traffic.quiet)
    }

    private func lookRound() {
        if idleTimeLeft == .zero { stop("no request came for as long as --idle-exit says") }
        guard notifier.watchdog != nil else { return }
        // Alive is a polling loop that has turned since it was last nudged.
        let turns = server.turns
        if turnsSeen.exchange(turns, ordering: .relaxed) != turns { notifier.alive() }
        server.nudge()
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
