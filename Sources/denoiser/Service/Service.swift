import API
import Denoisers
import FastCGI
import Glibc
import Inference
import Synchronization
import System

/// The running service: one socket, the snapshot of now, and what signals and timers do to them.
final class Service: Sendable {
    let arguments: [String]
    /// The configuration at the start, which decides what needs a restart.
    let first: ServiceConfiguration
    let notifier: SystemdNotifier
    let state: ServiceState
    let current: Replaceable<ServiceSnapshot>
    /// The file that takes the log; nil if standard error is as given.
    let logPath: Mutex<String?>
    let encoderWatch = Mutex(EncoderWatch())
    /// When a reload is tried again that failed for a passing reason; nil if none did.
    let reloadRetry = Mutex<Retry?>(nil)
    /// When the log is opened again after that failed for a passing reason; nil if it did not.
    let logRetry = Mutex<Retry?>(nil)
    private let server: Server
    private let activity = RequestActivity()
    private let signs: LifeSigns
    private let maintenance = MaintenanceThread()
    private let hasBegunToStop = Atomic<Bool>(false)
    /// Whether a signal asked for the stop: the next one ends the process at once.
    private let hasStopSignal = Atomic<Bool>(false)
    /// Held while the service begins to stop, so that its last lines come in order.
    private let stopLines = Mutex(())

    /// Loads the models and finds the socket; requests are answered from `run` on.
    ///
    /// - Parameter arguments: the command line that `configuration` was read from, for a reload.
    init(
        _ configuration: ServiceConfiguration, arguments: [String]
    ) throws(CommandFailure) {
        self.arguments = arguments
        first = configuration
        notifier = .take()
        signs = LifeSigns(notifier, activity) { log($0) }
        let limits = configuration.limits.serverLimits
        let state = ServiceState(runs: TrainingRuns(most: limits.formThreads))
        self.state = state
        let snapshot = try ServiceSnapshot(configuration, after: nil, state)
        let current = Replaceable(snapshot)
        self.current = current
        let peers = try configuration.socket.peers()
        let triage = AdmissionControl(current: current, metrics: state.metrics).triage
        // Threads, and what is allocated until the first request comes.
        try requireRoom((limits.threadCount + 3) * limits.stackBytes + 8 << 20)
        server = try startUp { () throws(FastCGIError) in
            try Server(
                Listener.find(configuration.socket.listener), limits: limits, peers: peers,
                triage: triage, report: { log("\($0)") })
        }
        LogQueue.shared.letOut()
        // Last: errors of the start go to standard error as given, where a starter sees them.
        logPath = Mutex(configuration.logFile)
        if let path = configuration.logFile {
            try LogFile(opening: path).becomeStandardError()
        }
    }

    /// Serves until a signal, `--max-requests` or `--idle-exit` ends it.
    func run(_ signals: SignalWaiter) throws(CommandFailure) {
        let outcome = try startUp { () throws(FastCGIError) in
            // Without signals only force could end the service.
            try signals.start(
                patience: { self.tickInterval },
                failed: { self.stop("signals cannot be received any more: \($0)") },
                { self.act(on: $0) })
            do throws(ThreadRefusal) {
                try maintenance.start(interval: EncoderWatch.interval) { self.work(on: $0) }
            } catch {
                throw .system(call: "pthread_create", subject: "maintenance", code: error.code)
            }
            return try server.run(started: { self.announce() }) { exchange in
                self.answer(exchange)
            }
        }
        stopLines.withLock { _ in }
        if case .abandoned(let count) = outcome {
            log("gave up \(count) requests that took longer than --stop-timeout")
            LogQueue.shared.finish(within: .seconds(1))
            // Their threads still run. `exit` would wait for them.
            _exit(1)
        }
        log("stopped after \(activity.count) requests")
        LogQueue.shared.finish(within: .seconds(1))
        // A compute thread may be in the middle of a batch. `exit` would free what it uses.
        _exit(0)
    }

    /// Says that requests are answered from now on, and under which limits.
    private func announce() {
        log(status)
        if let note = first.socket.idleNote { log(note) }
        if let warning = first.accessWarning { log(warning) }
        log(current.value.summary)
        notifier.ready(status)
    }

    /// Where the service listens and which model it has, in one line.
    var status: String {
        let snapshot = current.value
        let model = describe(snapshot.model.current(), snapshot.configuration.model)
        return "serving \(describe(server.origin)), model \(model)"
    }

    private func answer(_ exchange: consuming Exchange) {
        let snapshot = current.value
        if InternalPages.areAsked(by: exchange.parameters) {
            let page = internalPages(snapshot).page(exchange.parameters.path)
            exchange.respond(Answer(page))
            return
        }
        let longest = snapshot.longestTime(isForm: exchange.lane == .form)
        let number = activity.begin(endingBy: .now + longest)
        snapshot.handler.answer(exchange)
        activity.end(number)
        guard let limit = snapshot.configuration.maxRequests else { return }
        // A training run under way may finish: its own answer ends up here too.
        if activity.count >= limit, state.runs.underway == 0 {
            stop("--max-requests \(limit) are reached")
        }
    }

    private func internalPages(_ snapshot: ServiceSnapshot) -> InternalPages {
        InternalPages(
            metrics: state.metrics, statistics: server.statistics,
            encoder: snapshot.embedder.statistics, training: state.runs.statistics,
            budgets: snapshot.plan.budgets, memoryBound: snapshot.plan.total,
            modelVersion: snapshot.model.current()?.version,
            modelKind: snapshot.model.current()?.kind.rawValue,
            modelFault: snapshot.model.fault?.description,
            isEncoderSpoilt: snapshot.embedder.files?.areSpoilt == true, isStopping: isStopping)
    }
}

// MARK: Signals

extension Service {
    /// Whether the service has begun to stop.
    var isStopping: Bool { hasBegunToStop.load(ordering: .relaxed) }

    private func act(on signal: Int32?) {
        switch signal {
        case nil: tick()
        // Files may take for ever. A signal to stop must not wait for them.
        case SIGHUP: maintenance.ask(.reload)
        case SIGUSR1: maintenance.ask(.reopenLog)
        case let number?:
            guard !hasStopSignal.exchange(true, ordering: .relaxed) else {
                log("signal \(number) after another: ending at once")
                LogQueue.shared.finish(within: .milliseconds(200))
                _exit(1)
            }
            stop("signal \(number)")
        }
    }

    /// Ends the service: requests in flight are answered, but training runs end unfinished.
    private func stop(_ reason: String) {
        guard !hasBegunToStop.exchange(true, ordering: .relaxed) else { return }
        stopLines.withLock { _ in
            let count = server.statistics.inFlight
            notifier.stopping("stopping: \(reason)")
            state.runs.cancel()
            server.stop()
            log("stopping: \(reason), \(count) requests in flight")
        }
    }
}

// MARK: Time

extension Service {
    /// How long to wait for a signal before `tick` has something to do; nil waits for ever.
    private var tickInterval: Duration? {
        [signs.interval, timeUntilIdleExit].compactMap { $0 }.min()
    }

    /// Until `--idle-exit`, if no request comes; nil without that option.
    private var timeUntilIdleExit: Duration? {
        guard !isStopping, let limit = current.value.configuration.idleExit else { return nil }
        if server.statistics.inFlight > 0 { return .seconds(limit) }
        return max(.zero, .seconds(limit) - activity.idleTime)
    }

    private func tick() {
        if timeUntilIdleExit == .zero { stop("no request came for as long as --idle-exit says") }
        guard signs.interval != nil else { return }
        signs.look(server.turns)
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
