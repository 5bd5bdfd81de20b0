public import Inference

extension APIError {
    /// The one table from what the service reports to what a client reads.
    ///
    /// - Parameter file: the name of the uploaded file, which FastAPI's answer quotes.
    init(_ error: InferenceError, file: String = "") {
        self =
            switch error {
            case .modelNotLoaded: .noModel
            case .overloaded(let seconds): .overloaded(retryAfter: seconds)
            case .tooMuchWork(let work): .tooMuch(work)
            case .tooLate: .late
            case .callerLeft: .left
            case .trainingBusy(let seconds):
                .busy(
                    "另一項訓練正在進行，請稍後再試", english: "another training run is in progress",
                    retryAfter: seconds)
            case .trainingCancelled:
                .busy(
                    "服務正在停止，訓練已取消，請稍後再試",
                    english: "the service stops, and has cancelled the training run", retryAfter: 5)
            case .noTrainingText: .unusableFile("the file holds no text to train on", file)
            case .tooManyLines(let given, let limit):
                .unusableFile(
                    "the file holds \(given) lines, more than the limit of \(limit)", file)
            case .trainingTooLong(let limit):
                .unusableFile(
                    "training on the file takes longer than the limit of \(limit) seconds; "
                        + "fewer lines take less", file)
            case .encoderChanged(let seconds):
                .busy(
                    "編碼器正在重新載入，請稍後再試", english: "the encoder is being loaded again",
                    retryAfter: seconds)
            case .trainingFailed(let reason), .failed(let reason), .storageFailed(let reason, _):
                .failed(reason)
            }
    }

    /// Why a body did not come whole.
    init(_ error: BodyError) {
        self =
            switch error {
            case .broken, .wrongLength: .unreadable
            case .noRoom: .overloaded(retryAfter: 1)
            case .tooLate: .late
            case .callerLeft: .left
            }
    }

    /// 400: FastAPI fails on such bytes without saying why.
    static var unreadable: APIError {
        APIError(.malformed, "There was an error parsing the body")
    }

    /// 413 with both lengths.
    static func tooLong(_ length: Int, limit: Int) -> APIError {
        APIError(.tooLarge, "Request body too large: \(length) bytes, at most \(limit)")
    }

    /// 422: the uploaded file cannot be trained on.
    static func unusableFile(_ reason: String, _ name: String) -> APIError {
        UploadEndpoint.error(.unusableFile(reason), quoting: name)
    }

    /// 503: the service has more to do than it can do now.
    public static func overloaded(retryAfter seconds: Int) -> APIError {
        overloaded(nil, retryAfter: seconds, .refused)
    }

    /// 503: the request and the work before it take longer than the request may.
    public static func tooMuch(_ work: TooMuchWork) -> APIError {
        let left = "\(tenths(max(work.secondsLeft, 0))) are left"
        let reason =
            work.isTooLarge
            ? "its \(work.tokens) tokens alone take \(tenths(work.secondsAlone)) seconds, and \(left); "
                + "fewer texts at once take less"
            : "its \(work.tokens) tokens and \(work.ahead) ahead of them take "
                + "\(tenths(work.seconds)) seconds, and \(left)"
        var error = overloaded(reason, retryAfter: work.retryAfter, .refused)
        error.isLasting = work.isTooLarge
        return error
    }

    /// 503: the request's time was over.
    public static var late: APIError {
        overloaded(nil, retryAfter: 1, .late)
    }

    /// 499: the client has left and reads no answer.
    static var left: APIError {
        var error = APIError(.callerLeft, "the client left")
        error.unserved = .left
        return error
    }

    /// 503: there is no denoiser.
    private static var noModel: APIError {
        var error = APIError(.unavailable, "模型尚未載入，請稍後再試")
        error.english = "no denoiser is loaded; try again later"
        return error
    }

    /// 500: a fault of the service.
    private static func failed(_ reason: String) -> APIError {
        var error = APIError(.failed, "處理失敗: \(reason)")
        error.english = "the request failed: \(reason)"
        return error
    }

    private static func overloaded(
        _ reason: String?, retryAfter seconds: Int, _ unserved: Response.Unserved
    ) -> APIError {
        let addition = reason.map { " (\($0))" } ?? ""
        var error = busy(
            "伺服器忙碌中，請稍後再試\(addition)", english: reason ?? "the service is busy",
            retryAfter: seconds)
        error.unserved = unserved
        return error
    }

    private static func tenths(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }

    private static func busy(
        _ text: String, english: String, retryAfter seconds: Int
    ) -> APIError {
        var error = APIError(
            .unavailable, text, headers: [("retry-after", String(seconds))])
        error.english = english
        return error
    }
}
