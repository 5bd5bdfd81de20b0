import API
import FastCGI
import Glibc
import Inference
import Synchronization
import System

/// The running service: one socket, the generation of now, and what signals and time do to them.
final class Serving: Sendable {
    private let arguments: [String]
    private let first: Serve
    private let server: Server
    private let notifier: SystemdNotifier
    private let runs: TrainingRuns
    private let generation: Mutex<Generation>
    private let door: Door
    private let traffic = Traffic()
    private let metrics: RequestMetrics
    private let tidying = Tidying()
    private let isStopping = Atomic<Bool>(false)
    private let isToldToStop = Atomic<Bool>(false)
    /// The file that takes the log; nil where standard error is what it was.
    private let logPath: Mutex<String?>
    private let turnsSeen = Atomic<Int>(-1)
    private let isHangTold = Atomic<Bool>(false)
    private let upkeep = Upkeep()
    private let watch = Mutex(EncoderWatch())
    /// When a reload is tried again that failed for a passing reason; nil where none did.
    private let retry = Mutex<Retry?>(nil)
    /// The same of opening the log again.
    private let logRetry = Mutex<Retry?>(nil)
    /// Held while the service is told to stop, so that its last lines come in order.
    private let farewell = Mutex(())

    /// Loads the models and finds the socket; nobody is served before `run`.
    ///
    /// - Parameter arguments: the command line that `options` were read from, to be read again.
    init(_ options: Serve, arguments: [String]) throws(CommandFailure) {
        self.arguments = arguments
        first = options
        notifier = .take()
        runs = TrainingRuns(most: options.limits.serverLimits.formThreads)
        let metrics = RequestMetrics()
        self.metrics = metrics
        let first = try Generation(
            options, after: nil, runs: runs, metrics: metrics, tidying: tidying)
        generation = Mutex(first)
        let door = Door(first, metrics: metrics)
        self.door = door
        let peers = try options.socket.peers()
        server = try startUp { () throws(FastCGIError) in
            try Server(
                Listener.find(options.socket.choice()), limits: options.limits.serverLimits,
                peers: peers, busyAnswer: Answer(Response(.overloaded(retryAfter: 1))),
                triage: door.triage,
                report: { log("\($0)") })
        }
        LogQueue.shared.letOut()
        // Last: what keeps the service from starting is for whoever starts it to see.
        logPath = Mutex(options.life.log)
        if let path = options.life.log { try LogFile(opening: path).becomeStandardError() }
    }

    /// Serves until a signal, `--max-requests` or `--idle-exit` ends it.
    func run(_ signals: SignalWaiter) throws(CommandFailure) {
        let outcome = try startUp { () throws(FastCGIError) in
            // Without signals nobody could end the service but by force.
            try signals.start(
                patience: { self.patience },
                failed: { self.stop("signals cannot be received any more: \($0)") },
                { self.act(on: $0) })
            do throws(ThreadRefusal) {
                try upkeep.start(patience: { EncoderWatch.interval }, { self.work(on: $0) })
            } catch {
                throw .system(call: "pthread_create", subject: "upkeep", code: error.code)
            }
            return try server.run(started: { self.announce() }) { exchange in
                self.answer(exchange)
            }
        }
        farewell.withLock { _ in }
        if case .abandoned(let count) = outcome {
            log("gave up \(count) requests that took longer than --stop-timeout")
            LogQueue.shared.finish(within: .seconds(1))
            // Their threads still run; leaving through exit would wait for them.
            _exit(1)
        }
        log("stopped after \(traffic.count) requests")
        LogQueue.shared.finish(within: .seconds(1))
        // A compute thread may be in the middle of a batch that nobody waits for; exit would take away what it uses.
        _exit(0)
    }

    /// Says that requests are answered from now on, and under which limits.
    private func announce() {
        log(status)
        if let note = first.socket.idleNote { log(note) }
        if let warning = first.access.warning { log(warning) }
        log(generation.withLock { $0.summary })
        notifier.ready(status)
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
        let longest = generation.longestTime(isForm: exchange.lane == .form)
        let number = traffic.begin(endingBy: .now + longest)
        generation.answering.answer(exchange)
        traffic.end(number)
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
            modelFault: generation.live.fault?.description,
            isEncoderSpoilt: generation.embedder.files?.areSpoilt == true,
            isStopping: isStopping.load(ordering: .relaxed))
    }

    // MARK: Signals

    private func act(on signal: Int32?) {
        switch signal {
        case nil: lookRound()
        // Files may take for ever; a signal to stop must not wait for them.
        case SIGHUP: upkeep.ask(.reload)
        case SIGUSR1: upkeep.ask(.reopenLog)
        case let number?:
            guard !isToldToStop.exchange(true, ordering: .relaxed) else {
                log("signal \(number) after another: ending at once")
                LogQueue.shared.finish(within: .milliseconds(200))
                _exit(1)
            }
            stop("signal \(number)")
        }
    }

    /// Ends the service: requests in flight are answered, but training runs end unfinished.
    private func stop(_ reason: String) {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        farewell.withLock { _ in
            let count = server.statistics.inFlight
            notifier.stopping("stopping: \(reason)")
            runs.cancel()
            server.stop()
            log("stopping: \(reason), \(count) requests in flight")
        }
    }

    // MARK: Upkeep

    /// Does what was asked of the thread for files.
    private func work(on task: Upkeep.Task?) {
        switch task {
        case .reload: reload()
        case .reopenLog: reopenLog()
        case nil:
            if let due = retry.withLock({ $0 })?.due, due <= .now { reload() }
            if let due = logRetry.withLock({ $0 })?.due, due <= .now { reopenLog() }
            lookAfterEncoder()
        }
    }

    /// Reads the encoder anew where its files have changed and are whole.
    private func lookAfterEncoder() {
        guard !isStopping.load(ordering: .relaxed) else { return }
        let before = generation.withLock { $0 }
        guard let files = before.embedder.files else { return }
        let look = files.look()
        let (lines, isDue) = watch.withLock { $0.step(files, look) }
        for line in lines { log(line) }
        guard isDue else { return }
        do throws(CommandFailure) {
            try EncoderWatch.check(files, look)
            let next = try Generation(
                before.options, after: before, runs: runs, metrics: metrics, tidying: tidying,
                onlyEncoder: true)
            generation.withLock { $0 = next }
            door.follow(next)
            if next.embedder.files?.isProvisional == true {
                watch.withLock { $0.tryAgain() }
            } else {
                log("reloaded the encoder in \(files.folder), whose files had changed")
            }
        } catch {
            if let line = watch.withLock({ $0.fail(error) }) { log(line) }
        }
    }

    /// Reads configuration and model again; what cannot be used leaves all as it was.
    private func reload() {
        guard !isStopping.load(ordering: .relaxed) else { return }
        notifier.reloading()
        do throws(CommandFailure) {
            guard first.life.config != "-" else {
                throw .configuration(
                    "--config - is standard input, which is read at the start only; a file of "
                        + "options is read again")
            }
            let options = try Serve.read(arguments)
            let before = generation.withLock { $0 }
            // Before the model is read again, which cannot be taken back.
            var file: LogFile?
            if let path = options.life.log { file = try LogFile(opening: path) }
            let next = try Generation(
                options, after: before, runs: runs, metrics: metrics, tidying: tidying)
            var late = next.needingRestart(since: first)
            file?.becomeStandardError()
            if let path = options.life.log {
                logPath.withLock { $0 = path }
            } else if logPath.withLock({ $0 != nil }) {
                late.append("log")
            }
            generation.withLock { $0 = next }
            retry.withLock { $0 = nil }
            door.follow(next)
            for name in late {
                log("--\(name) has changed, which counts from the next start on")
            }
            if let warning = options.access.warning, before.options.access.warning == nil {
                log(warning)
            }
            log("reloaded: \(status)")
            log(next.summary)
        } catch {
            let pause = retry.withLock { retry in
                retry = error.isPassing ? Retry(after: retry) : nil
                return retry?.pause
            }
            log(
                "not reloaded, all stays as it was: \(error)"
                    + (pause.map { "; tried again in \($0 / .seconds(1)) s" } ?? ""))
        }
        if !isStopping.load(ordering: .relaxed) { notifier.ready(status) }
    }

    private func reopenLog() {
        guard let path = logPath.withLock({ $0 }) else {
            log("nothing to open again: the log is standard error, without --log")
            return
        }
        do throws(CommandFailure) {
            try LogFile(opening: path).becomeStandardError()
            logRetry.withLock { $0 = nil }
        } catch {
            logRetry.withLock { $0 = error.isPassing ? Retry(after: $0) : nil }
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
        // Alive is a polling loop that has turned since it was last nudged, while no request hangs.
        let turns = server.turns
        let hangs = traffic.isStuck
        if turnsSeen.exchange(turns, ordering: .relaxed) != turns, !hangs { notifier.alive() }
        if hangs != isHangTold.exchange(hangs, ordering: .relaxed) {
            log(
                hangs
                    ? "a request takes far longer than its deadline; the watchdog is not told that all is well"
                    : "the request that took so long has ended")
        }
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
