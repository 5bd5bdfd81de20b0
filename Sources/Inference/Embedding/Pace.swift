/// How many tokens a second the encoder does of long jobs, as measured while some of them wait.
///
/// By the clock on the wall: what short jobs, a training run or other processes take of the cores
/// is in it.
struct Pace {
    /// The estimate; before the first measurement what a slow core does.
    private(set) var tokensPerSecond: Double

    /// When the estimate was last measured; nil before that.
    private(set) var measuredAt: ContinuousClock.Instant?

    /// The stretch being measured; nil until the first batch since long jobs wait is done, which
    /// may have had to read the weights from a disk.
    private var began: ContinuousClock.Instant?
    private var tokens = 0

    /// What is measured at least, while long jobs wait and when the last of them ends.
    private static let stretch = (seconds: 0.4, tokens: 2048)
    private static let shortest = (seconds: 0.1, tokens: 1024)

    /// The seconds of a stretch that counts as much as all before it, unless that is no longer
    /// valid.
    private static let memory = 2.0

    /// How long a measurement can be relied on if nothing was measured since.
    private static let validity = Duration.seconds(10)

    init(threads: Int) { tokensPerSecond = 1500 * Double(threads) }

    /// Whether what was measured is still so.
    func isFresh(at now: ContinuousClock.Instant) -> Bool {
        measuredAt.map { $0 + Self.validity > now } ?? false
    }

    /// Notes `count` tokens of long jobs as done; `goesOn` says whether more of them wait.
    mutating func note(_ count: Int, at now: ContinuousClock.Instant, goesOn: Bool) {
        guard let began else {
            if goesOn { self.began = now }
            return
        }
        tokens += count
        let seconds = began.duration(to: now) / .seconds(1)
        let least = goesOn ? Self.stretch : Self.shortest
        if seconds >= least.seconds && tokens >= least.tokens {
            let weight = isFresh(at: began) ? seconds / (seconds + Self.memory) : 1
            tokensPerSecond += weight * (Double(tokens) / seconds - tokensPerSecond)
            measuredAt = now
            tokens = 0
            self.began = now
        }
        if !goesOn {
            tokens = 0
            self.began = nil
        }
    }

    /// Ends the stretch under way: no long job waits or is computed, whatever became of the last
    /// one.
    mutating func interrupt() {
        began = nil
        tokens = 0
    }

    /// Seconds that `count` tokens take.
    func seconds(for count: Int) -> Double { Double(count) / tokensPerSecond }
}
