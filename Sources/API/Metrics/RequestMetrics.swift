public import Inference
internal import Synchronization

/// Counts answers and how long they took.
public final class RequestMetrics: Sendable {
    fileprivate struct Figures {
        /// Answers by HTTP status.
        var outcomes: [Int: Int] = [:]
        var classes = [Int](repeating: 0, count: RequestMetrics.bounds.count)
        var count = 0
        var seconds = 0.0
        var stages: [(name: String, seconds: Double)] = []
    }

    /// Upper bounds of the classes of durations, in seconds.
    fileprivate static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private let routes = Mutex<[String: Figures]>([:])
    private let unserved = Mutex<[Response.Unserved: Int]>([:])

    /// Counts from zero.
    public init() {}

    /// Counts an answer that took `time` from the request's arrival to its last byte.
    public func count(_ response: Response, time: Duration, stages: [Stage]) {
        // Only routes have rows of their own: the paths that clients ask for are without bound.
        routes.withLock {
            $0[response.route ?? "none", default: Figures()].add(response.status, time, stages)
        }
        if let reason = response.unserved { unserved.withLock { $0[reason, default: 0] += 1 } }
    }

    /// Requests for which nothing was computed for this reason.
    public func count(of reason: Response.Unserved) -> Int {
        unserved.withLock { $0[reason] ?? 0 }
    }

    /// Appends the figures to `text`.
    public func write(into text: inout MetricsText) {
        let routes = routes.withLock { $0 }.sorted { $0.key < $1.key }
        let requests = "denoiser_requests_total"
        text.begin(requests, .counter, "Requests answered, by route and HTTP status.")
        for (route, figures) in routes {
            for (status, count) in figures.outcomes.sorted(by: { $0.key < $1.key }) {
                text.add(requests, [("route", route), ("status", "\(status)")], Double(count))
            }
        }
        let duration = "denoiser_request_duration_seconds"
        text.begin(
            duration, .histogram, "From a request's arrival to the end of its answer, by route.")
        for (route, figures) in routes {
            for (bound, count) in zip(Self.bounds, figures.classes) {
                let labels = [("route", route), ("le", "\(bound)")]
                text.add(duration + "_bucket", labels, Double(count))
            }
            let all = [("route", route), ("le", "+Inf")]
            text.add(duration + "_bucket", all, Double(figures.count))
            text.add(duration + "_sum", [("route", route)], figures.seconds)
            text.add(duration + "_count", [("route", route)], Double(figures.count))
        }
        let stage = "denoiser_stage_seconds_total"
        text.begin(stage, .counter, "Time spent in each stage of the requests of a route.")
        for (route, figures) in routes {
            for (name, seconds) in figures.stages.sorted(by: { $0.name < $1.name }) {
                text.add(stage, [("route", route), ("stage", name)], seconds)
            }
        }
    }
}

extension RequestMetrics.Figures {
    fileprivate mutating func add(_ status: Int, _ time: Duration, _ stages: [Stage]) {
        let seconds = time / .seconds(1)
        outcomes[status, default: 0] += 1
        count += 1
        self.seconds += seconds
        // In Prometheus a class counts all values below its bound.
        for (place, bound) in RequestMetrics.bounds.enumerated() where seconds <= bound {
            classes[place] += 1
        }
        for stage in stages {
            let seconds = stage.duration / .seconds(1)
            if let place = self.stages.firstIndex(where: { $0.name == stage.name }) {
                self.stages[place].seconds += seconds
            } else {
                self.stages.append((stage.name, seconds))
            }
        }
    }
}
