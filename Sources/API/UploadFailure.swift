internal import Inference

extension Response {
    /// The answer where a training run gave no result.
    static func failure(_ error: InferenceError) -> Response {
        switch error {
        case .modelNotLoaded: .detail(status: 503, "模型尚未載入，請稍後再試")
        case .overloaded(let seconds), .trainingBusy(let seconds):
            .detail(
                status: 503, "另一項訓練正在進行，請稍後再試",
                headers: [("retry-after", String(seconds))])
        case .noTrainingText: .detail(status: 422, "the file holds no text to train on")
        case .tooManyLines(let given, let limit):
            .detail(status: 422, "the file holds \(given) lines, more than the limit of \(limit)")
        case .trainingFailed(let reason), .failed(let reason):
            .detail(status: 500, "處理失敗: \(reason)")
        }
    }
}
