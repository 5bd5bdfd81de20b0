public import Inference
internal import Synchronization

/// Counts what was answered, and how long it took.
public final class RequestMetrics: Sendable {
    private struct Outcome: Hashable {
        var route: String
        var status: Int
    }

    fileprivate struct Times {
        var classes = [Int](repeating: 0, count: RequestMetrics.bounds.count)
        var count = 0
        var sum = 0.0
    }

    private struct State {
        var outcomes: [Outcome: Int] = [:]
        var times: [String: Times] = [:]
        var stages: [String: [String: Double]] = [:]
    }

    /// Upper bounds of the classes of durations, in seconds.
    fileprivate static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private let state = Mutex(State())

    /// Nothing so far.
    public init() {}

    /// Counts an answer that took `time` from the request's arrival to its last byte.
    public func count(_ response: Response, time: Duration, stages: [Stage]) {
        // Only names of our own: what clients ask for would make the list grow without bound.
        let route = response.route ?? "none"
        let seconds = time / .seconds(1)
        state.withLock { state in
            state.outcomes[Outcome(route: route, status: response.status), default: 0] += 1
            state.times[route, default: Times()].add(seconds)
            for stage in stages {
                state.stages[route, default: [:]][stage.name, default: 0] +=
                    stage.duration / .seconds(1)
            }
        }
    }

    /// Appends the figures to `text`.
    public func write(into text: inout MetricsText) {
        let state = state.withLock { $0 }
        let requests = "denoiser_requests_total"
        text.begin(requests, .counter, "Requests answered, by route and HTTP status.")
        let outcomes = state.outcomes.sorted {
            ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
        }
        for (outcome, count) in outcomes {
            let labels = [("route", outcome.route), ("status", "\(outcome.status)")]
            text.add(requests, labels, Double(count))
        }
        let duration = "denoiser_request_duration_seconds"
        text.begin(
            duration, .histogram, "From a request's arrival to the end of its answer, by route.")
        for (route, times) in state.times.sorted(by: { $0.key < $1.key }) {
            for (bound, count) in zip(Self.bounds, times.classes) {
                let labels = [("route", route), ("le", "\(bound)")]
                text.add(duration + "_bucket", labels, Double(count))
            }
            text.add(duration + "_bucket", [("route", route), ("le", "+Inf")], Double(times.count))
            text.add(duration + "_sum", [("route", route)], times.sum)
            text.add(duration + "_count", [("route", route)], Double(times.count))
        }
        let stage = "denoiser_stage_seconds_total"
        text.begin(stage, .counter, "Time spent in each stage of the requests of a route.")
        for (route, stages) in state.stages.sorted(by: { $0.key < $1.key }) {
            for (name, seconds) in stages.sorted(by: { $0.key < $1.key }) {
                text.add(stage, [("route", route), ("stage", name)], seconds)
            }
        }
    }
}

extension RequestMetrics.Times {
    fileprivate mutating func add(_ seconds: Double) {
        count += 1
        sum += seconds
        // As Prometheus has it, a class counts all that lies below its bound.
        for (place, bound) in RequestMetrics.bounds.enumerated() where seconds <= bound {
            classes[place] += 1
        }
    }
}
