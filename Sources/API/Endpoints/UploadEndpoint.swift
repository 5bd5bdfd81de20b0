internal import Inference
internal import JSON

/// `POST /upload/`: trains the denoiser on the lines of an uploaded text file.
struct UploadEndpoint: Endpoint {
    let service: any DenoisingService
    let limits: Limits

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let field: UploadField
        do throws(FormError) {
            field = try UploadField.read(from: &body, of: request, limits: limits)
        } catch {
            throw APIError(error)
        }
        switch field {
        case .missing: throw Self.error(.missing)
        case .text(let text):
            throw Self.error(
                .notAFile, quoting: text.utf8.count <= limits.quotedBytes ? text : nil)
        case .file(let name, let text): return try train(on: text, of: name)
        }
    }

    /// Answers for a file that came whole; its name is echoed and used for nothing else.
    private func train(on text: UploadText, of name: String) throws(APIError) -> Response {
        if let offset = text.invalidOffset {
            // On the first line the offset says it all.
            let line = text.invalidLine.map { $0 > 1 ? ", line \($0)" : "" } ?? ""
            throw .unusableFile("the file is not UTF-8 text (byte \(offset)\(line))", name)
        }
        do throws(InferenceError) {
            guard text.wordCount > 0 else { throw .noTrainingText }
            let outcome = try service.train(on: text.bytes)
            return Self.answer(outcome, fileName: name, wordCount: text.wordCount)
        } catch {
            throw APIError(error, file: name)
        }
    }

    /// An error in the form's field `file`.
    static func error(_ type: IssueType, quoting text: String? = nil) -> APIError {
        let input = text.map { JSONValue.string($0).bytes } ?? ValidationIssue.null
        return APIError([ValidationIssue(type: type, location: ["body", "file"], input: input)])
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
        headers.append(("x-activated", String(outcome.isActivated)))
        if let objection = outcome.objection {
            headers.append(("x-activation-reason", objection))
        }
        if let part = outcome.adaptedPart { headers.append(("x-adapted", String(part))) }
        if outcome.truncated.count > 0 {
            headers.append(("x-truncated", String(outcome.truncated.count)))
        }
        if !outcome.stages.isEmpty {
            headers.append(("server-timing", serverTiming(outcome.stages)))
        }
        let body = JSONObject([
            ("filename", .string(fileName)), ("word_count", .integer(wordCount)),
            ("loss", .double(outcome.loss)),
        ])
        return .json(status: 200, .object(body), headers: headers)
    }

    static let description = RouteDescription(
        summary: "Upload File", operationID: "upload_file_upload__post",
        body: .init("multipart/form-data", "Body_upload_file_upload__post"),
        schemas: [
            // FastAPI has no `format`, without which clients made from the document send no file.
            Schema(
                name: "Body_upload_file_upload__post",
                text: #"""
                    {
                      "properties": {
                        "file": {
                          "type": "string",
                          "contentMediaType": "application/octet-stream",
                          "format": "binary",
                          "title": "File"
                        }
                      },
                      "type": "object",
                      "required": ["file"],
                      "title": "Body_upload_file_upload__post"
                    }
                    """#)
        ])
}
