/// Decides whether two threads or one run the next steps, by the seconds that the last ones took.
///
/// Two threads meet every few microseconds. With a core each they are nearly twice as fast as one.
/// If another process shares one of the cores, both wait for the slower, and one thread alone is
/// faster.
struct TeamPace {
    /// Whether the next steps are to be run together.
    private(set) var together = true

    private var isTrial = true
    /// What a step alone took last; nil before the first.
    private var secondsAlone: Double?
    /// How long to go on alone before the next trial.
    private var secondsToTrial = 0.0

    /// How many steps to run so before asking again: enough to make the other thread's waking up
    /// count little.
    var steps: Int { together ? (isTrial ? Self.trialSteps : 256) : (secondsToTrial > 0 ? 64 : 16) }

    private static let trialSteps = 16

    /// Takes the time of the last `steps`.
    mutating func took(_ seconds: Double, steps: Int) {
        let pace = seconds / Double(steps)
        if !together {
            secondsAlone = pace
            secondsToTrial -= seconds
            together = secondsToTrial <= 0
            isTrial = true
        } else if let secondsAlone {
            isTrial = false
            if pace >= secondsAlone {
                together = false
                // Trials cost at most a twentieth of the time.
                secondsToTrial = 20 * pace * Double(Self.trialSteps)
            }
        } else {
            // The first time; a few steps tell what alone means.
            together = false
        }
    }
}
