import Foundation
import Inference
import Testing
import StandIns

@testable import API

@Suite struct `Answers` {
    private let texts = #"{"texts":["a","b"]}"#

    @Test(
        arguments: [
            (.modelNotLoaded, 503, #"{"detail":"模型尚未載入，請稍後再試"}"#, nil),
            (.overloaded(retryAfter: 2), 503, #"{"detail":"伺服器忙碌中，請稍後再試"}"#, "2"),
            (.trainingBusy(retryAfter: 30), 503, #"{"detail":"另一項訓練正在進行，請稍後再試"}"#, "30"),
            (.failed("no \"memory\""), 500, #"{"detail":"處理失敗: no \"memory\""}"#, nil),
        ] as [(InferenceError, Int, String, String?)])
    func `what the service reports has a status and words`(
        error: InferenceError, status: Int, body: String, retry: String?
    ) {
        let application = Application(service: StandInService(error: error))
        let row = #"{"embeddings":[\#(embedding())]}"#
        for (path, request) in [("/denoise/text", texts), ("/denoise/embedding", row)] {
            let answer = ask("POST", path, request, to: application)
            #expect(answer.status == status)
            #expect(text(answer) == body)
            #expect(answer["retry-after"] == retry)
        }
    }

    @Test func `a request that is wrong is told so even while no model is loaded`() {
        let application = Application(service: StandInService(error: .modelNotLoaded))
        #expect(ask("POST", "/denoise/text", "{}", to: application).status == 422)
    }

    @Test func `health tells whether a model is loaded`() {
        let ready = Application(service: StandInService())
        let empty = Application(service: StandInService(isModelLoaded: false))
        #expect(
            text(ask("GET", "/health", to: ready))
                == #"{"status":"healthy","model_loaded":true,"device":"cpu"}"#)
        #expect(
            text(ask("GET", "/health", to: empty))
                == #"{"status":"not_ready","model_loaded":false,"device":null}"#)
    }

    @Test func `the version and the number of cut texts stand in headers`() {
        let whole = ask("POST", "/denoise/text", texts)
        #expect(whole["x-model-version"] == "v7")
        #expect(whole["x-truncated"] == nil)
        let cut = Application(service: StandInService(truncated: 2))
        #expect(ask("POST", "/denoise/text", texts, to: cut)["x-truncated"] == "2")
    }

    @Test func `numbers come back as the floats they are`() throws {
        let row = embedding([0: "0.019048333168029785", 1: "-1e-40", 2: "true", 3: "1e38"])
        let answer = ask("POST", "/denoise/embedding", #"{"embeddings":[\#(row)]}"#)
        #expect(
            text(answer).hasPrefix(#"{"denoised_embeddings":[[0.019048333,-1e-40,1.0,1e+38,0.104,"#)
        )
        #expect(text(answer).contains(#"]],"shape":[1,384],"processing_time_ms":"#))
    }

    @Test func `values that are no numbers any more are never sent`() {
        let service = StandInService(offset: .greatestFiniteMagnitude)
        let rows = "\(embedding()),\(embedding([7: "3e38"]))"
        let answer = ask(
            "POST", "/denoise/embedding", #"{"embeddings":[\#(rows)]}"#,
            to: Application(service: service))
        #expect(answer.status == 422)
        #expect(text(answer).contains(#""loc":["body","embeddings",1]"#))
    }

    @Test func `every deliberate difference is told whole`() {
        #expect(DeliberateDifference.all.count == 26)
        for line in DeliberateDifference.table.split(separator: "\n") {
            #expect(line.count { $0 == "|" } == 5, "\(line)")
            #expect(!line.contains("||"))
        }
    }
}
