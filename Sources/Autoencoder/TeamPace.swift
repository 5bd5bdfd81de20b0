/// Whether the next steps are for two threads or for one, by the seconds that the last ones took.
///
/// Two threads meet every few microseconds. With a core each they are nearly twice as fast as one thread;
/// where one of them shares its core with a stranger both wait for it, and one thread alone is faster
/// (58 µs a step together, 104 alone; beside busy processes together takes from 140 µs to milliseconds).
struct TeamPace {
    /// Whether the next steps are to be run together.
    private(set) var together = true

    private var isTrial = true
    private var secondsAlone = 0.0
    /// How long to go on alone before the next trial.
    private var secondsToTrial = 0.0

    /// How many steps to run so before asking again: enough for the time in which the other thread wakes
    /// up to count little.
    var steps: Int { together ? (isTrial ? 16 : 256) : 64 }

    /// Takes the time of the last `steps`.
    mutating func took(_ seconds: Double, steps: Int) {
        let pace = seconds / Double(steps)
        if !together {
            secondsAlone = pace
            secondsToTrial -= seconds
            together = secondsToTrial <= 0
            isTrial = true
        } else if pace < secondsAlone {
            isTrial = false
        } else {
            // The first time, to learn what alone means. Trials cost at most a twentieth of the time.
            together = false
            secondsToTrial = 20 * seconds
        }
    }
}
