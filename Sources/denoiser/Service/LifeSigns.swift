import Synchronization

/// Tells the manager that the service lives: its polling loop turns and no request hangs.
struct LifeSigns: ~Copyable {
    private let notifier: SystemdNotifier
    private let activity: RequestActivity
    private let report: @Sendable (String) -> Void
    /// The polling loop's turns at the last look.
    private let lastTurns = Atomic<Int>(-1)
    private let isHangLogged = Atomic<Bool>(false)

    init(
        _ notifier: SystemdNotifier, _ activity: RequestActivity,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.notifier = notifier
        self.activity = activity
        self.report = report
    }

    /// How long to wait between two looks; nil if nobody wants to know.
    var interval: Duration? { notifier.watchdog.map { $0 / 4 } }

    /// Gives the sign if the loop, which has made so many `turns`, has turned since the last look.
    func look(_ turns: Int) {
        let hangs = activity.isStuck
        if lastTurns.exchange(turns, ordering: .relaxed) != turns, !hangs { notifier.alive() }
        guard hangs != isHangLogged.exchange(hangs, ordering: .relaxed) else { return }
        report(
            hangs
                ? "a request takes far longer than its deadline; the watchdog is not told that all is well"
                : "the request that took so long has ended")
    }
}
