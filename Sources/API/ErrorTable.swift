internal import Inference

extension Response {
    /// The one table from what the service reports to what the client is told.
    static func failure(_ error: InferenceError) -> Response {
        switch error {
        case .modelNotLoaded: .detail(status: 503, "模型尚未載入，請稍後再試")
        case .overloaded(let seconds): .overloaded(retryAfter: seconds)
        case .tooLate: .overloaded(retryAfter: 1)
        case .trainingBusy(let seconds): .busy("另一項訓練正在進行，請稍後再試", retryAfter: seconds)
        case .trainingCancelled: .busy("服務正在停止，訓練已取消，請稍後再試", retryAfter: 5)
        case .noTrainingText: .detail(status: 422, "the file holds no text to train on")
        case .tooManyLines(let given, let limit):
            .detail(status: 422, "the file holds \(given) lines, more than the limit of \(limit)")
        case .trainingTooLong(let limit):
            .detail(status: 422, "training takes longer than the limit of \(limit) seconds")
        case .encoderChanged(let seconds): .busy("編碼器正在重新載入，請稍後再試", retryAfter: seconds)
        case .trainingFailed(let reason), .failed(let reason), .storageFailed(let reason, _):
            .detail(status: 500, "處理失敗: \(reason)")
        }
    }

    /// The answer where a body did not come.
    static func failure(_ error: BodyError) -> Response {
        switch error {
        case .broken, .wrongLength: .detail(status: 400, "There was an error parsing the body")
        case .noRoom, .tooLate: .overloaded(retryAfter: 1)
        }
    }

    /// 503: there is more to do than can be done now.
    public static func overloaded(retryAfter seconds: Int) -> Response {
        .busy("伺服器忙碌中，請稍後再試", retryAfter: seconds)
    }

    /// 413 with both lengths.
    static func tooLong(_ length: Int, limit: Int) -> Response {
        .detail(status: 413, "Request body too large: \(length) bytes, at most \(limit)")
    }

    private static func busy(_ detail: String, retryAfter seconds: Int) -> Response {
        .detail(status: 503, detail, headers: [("retry-after", String(seconds))])
    }
}
