/// Whether the next epoch is one for two threads or for one, by the seconds that a step took.
///
/// Two threads meet every few microseconds. With a core each they are nearly twice as fast as one thread;
/// where one of them shares its core with a stranger both wait for it, and one thread alone is faster
/// (58 µs a step together, 104 alone, 140 to 330 together beside another busy process).
struct TeamPace {
    /// Whether the next epoch is to be run together.
    private(set) var together = true

    private var secondsAlone = 0.0
    /// Epochs alone before the next trial together: one to learn what alone means, then more.
    private var patience = 1
    private var epochsToTrial = 0

    /// Takes the last epoch's seconds a step.
    mutating func took(_ seconds: Double) {
        if !together {
            secondsAlone = seconds
            epochsToTrial -= 1
            together = epochsToTrial == 0
        } else if seconds >= secondsAlone {
            together = false
            epochsToTrial = patience
            patience = 16
        }
    }
}
