import API
import FastCGI
import Inference
import System

/// The one place where FastCGI and the routes meet: it answers requests and records what they took.
struct RequestHandler {
    private let application: Application
    private let limits: Limits
    private let budgets: MemoryBudgets
    private let state: ServiceState

    /// How long a request may take, with its wait for a thread.
    let deadline: Duration

    /// How long a request takes that is logged; nil logs none.
    private let slowness: Duration?

    /// The peers whose word on the client's scheme counts.
    private let proxies: TrustedProxies

    init(
        application: Application, _ configuration: ServiceConfiguration, budgets: MemoryBudgets,
        _ state: ServiceState
    ) {
        let limits = configuration.limits
        self.application = application
        self.limits = limits.request
        self.budgets = budgets
        self.state = state
        deadline = .seconds(limits.requestDeadline)
        slowness = limits.slowLog > 0 ? .milliseconds(limits.slowLog) : nil
        proxies = configuration.proxies
    }

    /// Answers `exchange`.
    func answer(_ exchange: consuming Exchange) {
        let began = ContinuousClock.now
        let queued = exchange.queueTime
        let memory = RequestMemory(budgets, limits: limits)
        let request = request(of: exchange, memory, began: began)
        let id = exchange.parameters["REQUEST_ID"].flatMap { isRequestID($0) ? $0 : nil }
        let isInTime = exchange.lane == .form || queued < deadline
        var body = ExchangeBody(exchange, deadline: request.caller.deadline)
        var response =
            isInTime
            ? application.respond(to: request, body: &body)
            : application.response(to: .late, at: request.path)
        if let id { response.headers.append(("x-request-id", id)) }
        let answered = ContinuousClock.now
        let (readTime, received, sent) = (body.time, body.received, response.length)
        body.finish(response)
        response.pieces = []
        state.trimmer.end(of: memory.end(), from: budgets)

        // Time that belongs to no other stage is that of parsing.
        let named = response.stages.reduce(readTime + memory.waited) { $0 + $1.duration }
        let stages =
            [
                Stage("queue", queued), Stage("memory", memory.waited), Stage("read", readTime),
                Stage("parse", began.duration(to: answered) - named),
            ] + response.stages + [Stage("write", answered.duration(to: .now))]
        let time = queued + began.duration(to: .now)
        state.metrics.count(response, time: time, stages: stages)
        if let slowness, time >= slowness {
            logSlowness(id, response, received: received, sent: sent, time: time, stages)
        }
    }

    /// The request of `exchange` as the routes see it.
    private func request(
        of exchange: borrowing Exchange, _ memory: RequestMemory, began: ContinuousClock.Instant
    ) -> Request {
        let parameters = exchange.parameters
        let headers = ParameterHeaders(parameters: parameters)
        let scheme =
            proxies.scheme(
                of: headers, from: parameters["DENOISER_PEER"] ?? parameters["REMOTE_ADDR"])
            ?? parameters.scheme
        var request = Request(
            method: parameters.method, path: parameters.path, query: parameters.query,
            rootPath: parameters.rootPath, headers: headers, scheme: scheme,
            server: parameters.server(under: scheme))
        let peer = exchange.peer
        // A form waits for the training of others, which may take long.
        let latest = exchange.lane == .form ? nil : began + deadline - exchange.queueTime
        request.caller = Caller(deadline: latest) { peer.isGone }
        request.caller.requestBytes = exchange.declaredLength
        request.memory = memory
        return request
    }

    /// Logs figures and names of our own only: the client sent nothing of it but a checked id.
    private func logSlowness(
        _ id: String?, _ response: Response, received: Int, sent: Int, time: Duration,
        _ stages: [Stage]
    ) {
        let figures = stages.map { "\($0.name)_ms=\(milliseconds($0.duration))" }
        log(
            "slow request id=\(id ?? "-") route=\(response.route ?? "none") "
                + "status=\(response.status) received=\(received) sent=\(sent) "
                + "total_ms=\(milliseconds(time)) \(figures.joined(separator: " "))")
    }
}

/// Whether `text` may stand in a log line and a header: what web servers make as ids.
private func isRequestID(_ text: String) -> Bool {
    1...128 ~= text.utf8.count
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
}

/// To a tenth.
private func milliseconds(_ duration: Duration) -> Double {
    (duration / .milliseconds(1) * 10).rounded() / 10
}

/// A request's header fields as the routes look them up.
private struct ParameterHeaders: HeaderFields {
    let parameters: Parameters

    subscript(name: String) -> String? { parameters.header(name) }
}

/// A request's body as the routes read it.
private struct ExchangeBody: ~Copyable, BodySource {
    private var exchange: Exchange

    /// When the request's time is over; nil if never.
    private let deadline: ContinuousClock.Instant?

    /// How long reading took.
    private(set) var time = Duration.zero

    /// Bytes read.
    private(set) var received = 0

    init(_ exchange: consuming Exchange, deadline: ContinuousClock.Instant?) {
        self.exchange = exchange
        self.deadline = deadline
    }

    var declaredLength: Int? { exchange.declaredLength }

    mutating func read(
        upTo limit: Int, into buffer: inout [UInt8]
    ) throws(BodyError) -> Int {
        let began = ContinuousClock.now
        defer { time += began.duration(to: .now) }
        do throws(FastCGIError) {
            let count = try exchange.readBody(upTo: limit, into: &buffer)
            received += count
            return count
        } catch {
            switch error {
            case .wrongLength: throw .wrongLength
            // A process that was stopped meanwhile is as late as its peer.
            case .timedOut: throw deadline.map { $0 <= .now } == true ? .tooLate : .broken
            default: throw .broken
            }
        }
    }

    consuming func finish(_ response: Response) {
        exchange.respond(Answer(response))
    }
}

extension Answer {
    /// The same on its way out.
    init(_ response: Response) {
        self.init(status: response.status, headers: response.headers, pieces: response.pieces)
    }
}
