public import Inference

extension Response {
    /// The one table from what the service reports to what the client is told.
    static func failure(_ error: InferenceError) -> Response {
        switch error {
        case .modelNotLoaded: .detail(status: 503, "模型尚未載入，請稍後再試")
        case .overloaded(let seconds): .overloaded(retryAfter: seconds)
        case .tooMuchWork(let work): .tooMuch(work)
        case .tooLate: .late
        case .callerLeft: .left
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
        case .noRoom: .overloaded(retryAfter: 1)
        case .tooLate: .late
        case .callerLeft: .left
        }
    }

    /// 503: there is more to do than can be done now.
    public static func overloaded(retryAfter seconds: Int) -> Response {
        var response = busy(overload, retryAfter: seconds)
        response.unserved = .refused
        return response
    }

    /// 503: the request and what is done before it take longer than the request may.
    public static func tooMuch(_ work: TooMuchWork) -> Response {
        let left = "\(tenths(max(work.secondsLeft, 0))) are left"
        let reason =
            work.isTooLarge
            ? "its \(work.tokens) tokens alone take \(tenths(work.secondsAlone)) seconds, and \(left); "
                + "fewer texts at once take less"
            : "its \(work.tokens) tokens and \(work.ahead) ahead of them take "
                + "\(tenths(work.seconds)) seconds, and \(left)"
        var response = busy("\(overload) (\(reason))", retryAfter: work.retryAfter)
        response.unserved = .refused
        return response
    }

    /// 503: the request's time was over.
    public static var late: Response {
        var response = busy(overload, retryAfter: 1)
        response.unserved = .late
        return response
    }

    /// What nobody reads: the status with which nginx logs a client that left.
    static var left: Response {
        var response = detail(status: 499, "the client left")
        response.unserved = .left
        return response
    }

    private static let overload = "伺服器忙碌中，請稍後再試"

    private static func tenths(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }

    /// 413 with both lengths.
    static func tooLong(_ length: Int, limit: Int) -> Response {
        .detail(status: 413, "Request body too large: \(length) bytes, at most \(limit)")
    }

    private static func busy(_ detail: String, retryAfter seconds: Int) -> Response {
        .detail(status: 503, detail, headers: [("retry-after", String(seconds))])
    }
}
