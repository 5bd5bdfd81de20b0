internal import Glibc

/// A rate that rises and falls once in a run (Smith 2018, arXiv 1803.09820), as PyTorch's
/// `OneCycleLR` makes it.
///
/// From a 25th of the highest rate up and then down to a 10,000th of that, along cosines. The
/// running mean of the gradient is shortest when the rate is highest: β₁ goes from 0.95 to 0.85
/// and back.
struct OneCycle: Sendable {
    /// The highest rate.
    let rate: Double
    /// Steps of the run.
    let steps: Int
    /// The part of the run in which the rate rises.
    var rise = 0.05

    /// The rate and β₁ of step `number`, from 0.
    func settings(_ number: Int) -> (rate: Double, beta1: Double) {
        // PyTorch is told of one step more than there are, so that the last one has a rate.
        let top = rise * Double(steps + 1) - 1
        let step = Double(number)
        let (first, last) = (rate / 25, rate / 25 / 10_000)
        if step <= top {
            let part = step / top
            return (between(first, rate, part), between(0.95, 0.85, part))
        }
        let part = (step - top) / (Double(steps) - top)
        return (between(rate, last, part), between(0.85, 0.95, part))
    }

    /// From `start` to `end` along half a period of the cosine.
    private func between(_ start: Double, _ end: Double, _ part: Double) -> Double {
        end + (start - end) / 2 * (1 + cos(.pi * part))
    }
}
