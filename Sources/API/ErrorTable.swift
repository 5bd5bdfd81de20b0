internal import Inference

extension Response {
    /// The one table from what the service reports to what the client is told.
    static func failure(_ error: InferenceError) -> Response {
        switch error {
        case .modelNotLoaded: .detail(status: 503, "模型尚未載入，請稍後再試")
        case .overloaded(let seconds): .busy("伺服器忙碌中，請稍後再試", retryAfter: seconds)
        case .trainingBusy(let seconds): .busy("另一項訓練正在進行，請稍後再試", retryAfter: seconds)
        case .trainingCancelled: .busy("服務正在停止，訓練已取消，請稍後再試", retryAfter: 5)
        case .noTrainingText: .detail(status: 422, "the file holds no text to train on")
        case .tooManyLines(let given, let limit):
            .detail(status: 422, "the file holds \(given) lines, more than the limit of \(limit)")
        case .trainingFailed(let reason), .failed(let reason):
            .detail(status: 500, "處理失敗: \(reason)")
        }
    }

    private static func busy(_ detail: String, retryAfter seconds: Int) -> Response {
        .detail(status: 503, detail, headers: [("retry-after", String(seconds))])
    }
}
