internal import Denoisers
internal import JSON

/// At most a thousand of `values`, evenly spaced, with the first and the last: a model's file has
/// to stay one that is read.
private func thinned(_ values: [Double]) -> [Double] {
    guard values.count > 1000 else { return values }
    return (0..<1000).map { values[$0 * (values.count - 1) / 999] }
}

extension TrainingReport {
    /// The report as JSON text.
    func text(
        corpus: Corpus, truncated: Int, _ adaptation: AdaptationReport?,
        _ judgement: ModelJudgement?
    ) -> String {
        var report = JSONObject()
        report["lines"] = .integer(corpus.lines.count)
        report["distinct_lines"] = .integer(corpus.distinctCount)
        report["truncated_lines"] = .integer(truncated)
        report["trained_lines"] = .integer(trainedLines)
        report["final_loss"] = .double(finalLoss)
        report["seconds"] = .double(seconds)
        report["steps"] = .integer(steps)
        report["epoch_losses"] = .array(thinned(epochLosses).map { .double($0) })
        if let heldOut {
            var judged = JSONObject()
            judged["rows"] = .integer(heldOut.rows)
            judged["noisy_mse"] = .double(heldOut.noisyError)
            judged["denoised_mse"] = .double(heldOut.denoisedError)
            judged["mean_predictor_mse"] = .double(heldOut.meanError)
            judged["noisy_cosine"] = .double(heldOut.noisyCosine)
            judged["denoised_cosine"] = .double(heldOut.denoisedCosine)
            report["held_out"] = .object(judged)
        } else {
            report["held_out"] = .null
        }
        if let adaptation { report["adaptation"] = adaptation.json }
        report["judgement"] = judgement?.json ?? .null
        return JSONValue.object(report).text
    }
}

extension AdaptationReport {
    fileprivate var json: JSONValue {
        var json = JSONObject()
        var part = 0.0
        if case .adapted(let adapted) = outcome { part = adapted }
        json["part"] = .double(part)
        json["trained_lines"] = .integer(trainedLines)
        json["held_out_lines"] = .integer(heldOutLines)
        json["steps"] = .integer(steps)
        json["base_loss"] = .double(baseLoss)
        json["gain"] = .double(gain)
        json["gain_error"] = .double(gainError.isFinite ? gainError : 0)
        json["seconds"] = .double(seconds)
        return .object(json)
    }
}
