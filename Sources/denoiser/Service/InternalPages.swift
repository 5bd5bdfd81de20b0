internal import System
import API
import FastCGI
import Inference
import JSON

/// `/metrics` and `/ready`, for operators.
///
/// They exist only if the web server passes `DENOISER_INTERNAL=1`; otherwise the paths are not
/// found, as in the original. A client cannot pass it: names of what clients send begin with
/// `HTTP_`.
struct InternalPages {
    let metrics: RequestMetrics
    let statistics: Statistics
    let encoder: EncoderStatistics
    let training: TrainingRuns.Statistics
    let budgets: MemoryBudgets
    let memoryBound: Int
    let modelVersion: String?
    /// The kind of the model that is served.
    let modelKind: String?
    /// Why the model is not that of its file; nil if it is.
    let modelFault: String?
    /// Whether the encoder's files were overwritten and no whole ones are read so far.
    let isEncoderSpoilt: Bool
    let isStopping: Bool

    /// Whether `parameters` ask for one of the pages, by a way that is not public.
    static func areAsked(by parameters: Parameters) -> Bool {
        parameters["DENOISER_INTERNAL"] == "1" && ["/metrics", "/ready"].contains(parameters.path)
    }

    /// The page at `path`.
    func page(_ path: String) -> Response {
        path == "/ready" ? readiness() : figures()
    }

    private func readiness() -> Response {
        if isStopping { return unready("the service is stopping") }
        guard let modelVersion else { return unready("no model is loaded") }
        if isEncoderSpoilt { return unready("the encoder's files were written over") }
        // A process with an old model is ready: if all had one, none would answer.
        var page = JSONObject([("status", .string("ready")), ("model", .string(modelVersion))])
        if let modelFault { page["behind"] = .string(modelFault) }
        return .json(status: 200, .object(page))
    }

    private func unready(_ reason: String) -> Response {
        Response(APIError(.unavailable, reason, headers: [("retry-after", "1")]))
    }

    private func figures() -> Response {
        var text = MetricsText()
        metrics.write(into: &text)
        writeConnections(&text)
        writeEncoder(&text)
        writeModel(&text)
        writeMemory(&text)
        text.one(
            "denoiser_log_lines_dropped_total", .counter,
            "Lines of the log that nobody took in time.", LogQueue.shared.dropped)
        return Response(
            status: 200, headers: [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
            body: Array(text.text.utf8))
    }

    private func writeConnections(_ text: inout MetricsText) {
        let s = statistics
        text.one(
            "denoiser_busy_answers_total", .counter, "Requests for which the queue had no place.",
            s.busyAnswers)
        text.one(
            "denoiser_refused_requests_total", .counter,
            "Requests answered 503 at once, because there was too much to do.",
            metrics.count(of: .refused))
        text.one(
            "denoiser_late_requests_total", .counter, "Requests given up by their deadline.",
            metrics.count(of: .late) + s.lateAnswers)
        text.one(
            "denoiser_left_requests_total", .counter,
            "Requests dropped because the client had left.",
            metrics.count(of: .left) + s.departures)
        text.one("denoiser_accepted_connections_total", .counter, "Connections.", s.accepted)
        text.one(
            "denoiser_refused_peers_total", .counter, "Connections of users who may not.",
            s.refusedPeers)
        text.one(
            "denoiser_protocol_errors_total", .counter, "Peers that broke the FastCGI protocol.",
            s.brokenProtocols)
        text.one("denoiser_timeouts_total", .counter, "Peers that were too slow.", s.timeouts)
        text.one(
            "denoiser_accept_pauses_total", .counter, "Shortages of descriptors.", s.pauses)
        text.one("denoiser_connections", .gauge, "Connections open.", s.connections)
        text.one(
            "denoiser_requests_in_flight", .gauge, "Requests queued or being answered.",
            s.inFlight)
    }

    private func writeEncoder(_ text: inout MetricsText) {
        let name = "denoiser_batch_sequences"
        text.begin(name, .histogram, "Sequences in a batch of the encoder.")
        var count = 0
        for (bound, batches) in zip(EncoderStatistics.batchBounds, encoder.batchSizes) {
            count += batches
            text.add(name + "_bucket", [("le", "\(bound)")], Double(count))
        }
        count = encoder.batchSizes.reduce(0, +)
        text.add(name + "_bucket", [("le", "+Inf")], Double(count))
        text.add(name + "_sum", Double(encoder.sequences))
        text.add(name + "_count", Double(count))
        text.one("denoiser_tokens_total", .counter, "Tokens encoded.", encoder.tokens)
        text.one(
            "denoiser_queue_tokens", .gauge, "Tokens of requests that wait for the encoder.",
            encoder.waitingTokens)
        text.begin(
            "denoiser_tokens_per_second", .gauge,
            "Tokens of long requests done in a second, by which requests are let in.")
        text.add("denoiser_tokens_per_second", encoder.tokensPerSecond.rounded())
        let queue = "denoiser_queue_sequences"
        text.begin(queue, .gauge, "Sequences that wait for the encoder.")
        text.add(queue, [("for", "requests")], Double(encoder.waitingSequences))
        text.add(queue, [("for", "training")], Double(encoder.backgroundSequences))
        text.one(
            "denoiser_queue_requests", .gauge, "Requests that wait for the encoder.",
            encoder.waitingJobs)
    }

    private func writeModel(_ text: inout MetricsText) {
        text.begin(
            "denoiser_model_info", .gauge, "1, with version and kind of the model served.")
        if let modelVersion {
            text.add(
                "denoiser_model_info",
                [("version", modelVersion), ("kind", modelKind ?? "")], 1)
        }
        text.one(
            "denoiser_model_behind", .gauge, "1 while the model is not that of its file.",
            modelFault == nil ? 0 : 1)
        text.one(
            "denoiser_encoder_spoilt", .gauge,
            "1 while the encoder's files are written over and texts are refused.",
            isEncoderSpoilt ? 1 : 0)
        let runs = "denoiser_training_runs_total"
        text.begin(runs, .counter, "Training runs for uploads that ended.")
        text.add(runs, [("result", "live")], Double(training.succeeded))
        text.add(runs, [("result", "kept")], Double(training.kept))
        text.add(runs, [("result", "failed")], Double(training.failed))
        text.one(
            "denoiser_training_underway", .gauge, "Training runs, waiting ones included.",
            training.underway)
        let progress = "denoiser_training_progress_ratio"
        text.begin(progress, .gauge, "How far the training run is in each of its stages.")
        switch training.progress {
        case .embedding(let done, let all):
            text.add(progress, [("stage", "embed")], Double(done) / Double(max(all, 1)))
        case .training(let epoch, let all, _):
            text.add(progress, [("stage", "embed")], 1)
            text.add(progress, [("stage", "train")], Double(epoch) / Double(max(all, 1)))
        case .adapting(let step, let all):
            text.add(progress, [("stage", "embed")], 1)
            text.add(progress, [("stage", "train")], 1)
            text.add(progress, [("stage", "adapt")], Double(step) / Double(max(all, 1)))
        case nil: break
        }
    }

    private func writeMemory(_ text: inout MetricsText) {
        let name = "denoiser_memory_budget_bytes"
        text.begin(name, .gauge, "Memory set aside for requests.")
        for (part, budget) in budgets.all {
            text.add(name, [("part", part), ("what", "capacity")], Double(budget.capacity))
            text.add(name, [("part", part), ("what", "taken")], Double(budget.usage.taken))
            text.add(name, [("part", part), ("what", "peak")], Double(budget.usage.peak))
        }
        text.one(
            "denoiser_memory_bound_bytes", .gauge, "Private memory that is never exceeded.",
            memoryBound)
        let process = ProcessFigures.now()
        text.one(
            "denoiser_private_memory_bytes", .gauge, "Private memory.", process.privateBytes)
        text.one(
            "process_resident_memory_bytes", .gauge, "Memory, mapped files included.",
            process.residentBytes)
        text.one("process_open_fds", .gauge, "Descriptors open.", process.descriptors)
        text.begin("process_cpu_seconds_total", .counter, "Processor time.")
        text.add("process_cpu_seconds_total", process.processorTime)
    }
}
