internal import Inference
internal import JSON

/// `POST /upload/`: trains the denoiser on the lines of an uploaded text file.
struct UploadEndpoint {
    let service: any DenoisingService
    let limits: Limits

    func respond(to request: Request, body: inout some BodySource & ~Copyable) -> Response {
        let field: UploadField
        do {
            field = try UploadField.read(from: &body, of: request, limits: limits)
        } catch {
            return error.response
        }
        switch field {
        case .missing:
            return .validation([
                ValidationIssue(
                    type: "missing", loc: Self.location, msg: "Field required", input: .null)
            ])
        case .text(let text):
            return .validation([
                Self.issue(
                    "Expected UploadFile, received: <class 'str'>",
                    input: text.utf8.count <= limits.quotedBytes ? .string(text) : .null,
                    context: Self.emptyErrorContext)
            ])
        case .file(let name, let text):
            return train(on: text, of: name)
        }
    }

    /// Answers for a file that came whole; its name is echoed and used for nothing else.
    private func train(on text: UploadText, of name: String) -> Response {
        if let offset = text.invalidOffset {
            // On the first line the offset says it all.
            let line = text.invalidLine.map { $0 > 1 ? ", line \($0)" : "" } ?? ""
            return refusal("the file is not UTF-8 text (byte \(offset)\(line))", name)
        }
        guard text.wordCount > 0 else { return refusal(Self.noText, name) }
        do {
            let outcome = try service.train(on: text.bytes)
            return Self.answer(outcome, fileName: name, wordCount: text.wordCount)
        } catch .noTrainingText {
            return refusal(Self.noText, name)
        } catch .tooManyLines(let given, let limit) {
            return refusal("the file holds \(given) lines, more than the limit of \(limit)", name)
        } catch .trainingTooLong(let limit) {
            return refusal(
                "training on the file takes longer than the limit of \(limit) seconds; "
                    + "fewer lines take less", name)
        } catch {
            return .failure(error)
        }
    }

    private static func answer(
        _ outcome: TrainingOutcome, fileName: String, wordCount: Int
    ) -> Response {
        var headers = [(name: "x-model-version", value: outcome.version)]
        if let cosine = outcome.denoisedCosine {
            headers.append(("x-denoised-cosine", String(cosine)))
        }
        if let cosine = outcome.noisyCosine {
            headers.append(("x-noisy-cosine", String(cosine)))
        }
        if outcome.truncated.count > 0 {
            headers.append(("x-truncated", String(outcome.truncated.count)))
        }
        if !outcome.stages.isEmpty {
            let stages = outcome.stages.map { "\($0.name);dur=\($0.duration / .milliseconds(1))" }
            headers.append(("server-timing", stages.joined(separator: ", ")))
        }
        let body = JSONObject([
            ("filename", .string(fileName)), ("word_count", .integer(wordCount)),
            ("loss", .double(outcome.loss)),
        ])
        return .json(status: 200, .object(body), headers: headers)
    }

    private func refusal(_ message: String, _ fileName: String) -> Response {
        .validation([Self.issue(message, input: .string(fileName))])
    }

    private static func issue(
        _ message: String, input: JSONValue, context: JSONObject? = nil
    ) -> ValidationIssue {
        ValidationIssue(
            type: "value_error", loc: location, msg: "Value error, \(message)", input: input,
            ctx: context)
    }

    private static let location: [LocationPart] = ["body", "file"]
    private static let noText = "the file holds no text to train on"

    /// FastAPI's encoder makes an empty object of the exception that pydantic puts here.
    private static let emptyErrorContext = JSONObject([("error", .object(JSONObject()))])
}
