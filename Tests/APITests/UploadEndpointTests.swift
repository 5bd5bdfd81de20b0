import Foundation
import Inference
import Testing
import StandIns

@testable import API

@Suite struct `The endpoint of uploads` {
    @Test func `the answer has three fields and the report stands in headers`() {
        let service = StandInService(
            training:
                .success(
                    TrainingOutcome(
                        loss: 0.00125, version: "12", noisyCosine: 0.454, denoisedCosine: 0.49,
                        stages: [
                            Stage("encode", .milliseconds(12.5)),
                            Stage("train", .milliseconds(340.25)),
                        ])))
        let answer = upload(form(Array("one two\nthree".utf8)), to: service)
        #expect(answer.status == 200)
        #expect(text(answer) == #"{"filename":"a.txt","word_count":3,"loss":0.00125}"#)
        let headers = Dictionary(
            uniqueKeysWithValues: answer.headers.map { ($0.name.lowercased(), $0.value) })
        #expect(headers["x-model-version"] == "12")
        #expect(headers["x-denoised-cosine"] == "0.49")
        #expect(headers["x-noisy-cosine"] == "0.454")
        #expect(headers["server-timing"] == "encode;dur=12.5, train;dur=340.25")
    }

    @Test(arguments: [(0, nil), (3, "3")])
    func `lines that were cut are counted in a header`(count: Int, header: String?) {
        let service = StandInService(
            training:
                .success(
                    TrainingOutcome(
                        loss: 1, version: "1", noisyCosine: nil, denoisedCosine: nil,
                        truncated: count, stages: [])))
        #expect(upload(form(Array("one".utf8)), to: service)["x-truncated"] == header)
    }

    @Test func `headers about held-out lines are left out if there were too few`() {
        let names = upload(form(Array("one".utf8))).headers.map { $0.name.lowercased() }
        #expect(names == ["content-type", "x-model-version", "x-activated"])
    }

    @Test func `the service gets the file's bytes and no others`() {
        let service = StandInService()
        let text = Array("\u{FEFF}one\r\n--Xy\r\n-\r\n\r\n--\r\n--X\r\r\0 二\n".utf8)
        let cuts = [[1], [2, 3], [64], [.max]]
        for pieces in cuts { _ = upload(form(text), pieces: pieces, to: service) }
        #expect(service.trained == cuts.map { _ in text })
    }

    @Test func `a file cut off by the body's end does not replace the whole one before it`() {
        let service = StandInService()
        let head = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename="
        let body = "\(head)\"a\"\r\n\r\nfirst\r\n\(head)\"b\"\r\n\r\nsecond\r\n--X"
        #expect(text(upload(Array(body.utf8), to: service)).contains(#""filename":"a""#))
        #expect(service.trained == [Array("first".utf8)])
    }

    @Test(arguments: ["", "\u{20}\n", "\u{3000}\u{1C}\n\u{85}"])
    func `a file without text is refused and nothing is trained`(content: String) {
        let service = StandInService()
        let answer = upload(form(Array(content.utf8)), to: service)
        #expect(answer.status == 422)
        #expect(
            text(answer)
                == #"{"detail":[{"type":"value_error","loc":["body","file"],"msg":"Value error, "#
                + #"the file holds no text to train on","input":"a.txt"}]}"#)
        #expect(service.trained.isEmpty)
    }

    @Test func `a file that is not UTF-8 is refused with the offset of its first bad byte`() {
        let service = StandInService()
        let good = [UInt8](repeating: 97, count: 100_000)
        let answer = upload(form(good + [0xE4, 0xB8, 0x41]), pieces: [7], to: service)
        #expect(answer.status == 422)
        #expect(text(answer).contains("Value error, the file is not UTF-8 text (byte 100000)"))
        #expect(service.trained.isEmpty)
    }

    @Test(arguments: [
        ("a\n\u{E4}b\n#", "byte 6, line 3"), ("a\rb\rc#\n", "byte 5, line 3"),
        ("\r\n\r\n#", "byte 4, line 3"),
        ("ab#\n", "byte 2"), ("a\r\nb#", "byte 4, line 2"),
    ])
    func `beyond the first line the refusal names the line too`(content: String, place: String) {
        // The sign stands for the first byte of a sequence that is not finished, which the end may
        // cut.
        let bytes = Array(content.utf8).map { $0 == UInt8(ascii: "#") ? 0xE4 : $0 }
        for piece in [1, 2, 3, Int.max] {
            let answer = upload(form(bytes), pieces: [piece])
            #expect(text(answer).contains("the file is not UTF-8 text (\(place))"))
        }
    }

    @Test func `too many lines are a 422 with both numbers`() {
        let service = StandInService(training: .failure(.tooManyLines(given: 1200, limit: 1000)))
        let answer = upload(form(Array("one".utf8)), to: service)
        #expect(answer.status == 422)
        #expect(text(answer).contains("the file holds 1200 lines, more than the limit of 1000"))
        #expect(text(answer).contains(#""input":"a.txt""#))
    }

    @Test func `a busy trainer is a 503 with the time to wait`() {
        let answer = upload(
            form(Array("one".utf8)),
            to: StandInService(training: .failure(.trainingBusy(retryAfter: 9))))
        #expect(answer.status == 503)
        #expect(
            answer.headers.contains { $0.name.lowercased() == "retry-after" && $0.value == "9" })
    }

    @Test func `a failed run is a 500 in the original's words`() {
        let answer = upload(
            form(Array("one".utf8)),
            to: StandInService(training: .failure(.trainingFailed("loss nan"))))
        #expect(answer.status == 500)
        #expect(text(answer) == #"{"detail":"處理失敗: loss nan"}"#)
    }

    @Test func `lines of nothing but CR LF come through whole`() {
        // Every CR could begin a delimiter.
        let service = StandInService()
        let text =
            Array(repeating: Array("\r\n\r\n--\r\r\n--".utf8), count: 100_000).joined() + [97]
        #expect(upload(form(Array(text)), pieces: [4093], to: service).status == 200)
        #expect(service.trained == [Array(text)])
    }
}
