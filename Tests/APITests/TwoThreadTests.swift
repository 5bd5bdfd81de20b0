import Inference
import Testing
import System
import StandIns

@testable import API

/// Long lists are read and printed in pieces; nobody is to see that.
@Suite struct `Large requests on two threads` {
    private let rows = 300

    /// A body of `rows` rows, with `change` applied to the text of each and `between` them.
    private func body(
        between: String = ",", _ change: (Int, String) -> String = { $1 }
    ) -> String {
        let list = (0..<rows).map { row in
            change(
                row,
                "[" + (0..<384).map { "0.\((row * 384 + $0) % 997)" }.joined(separator: ", ") + "]")
        }
        return #"{"noise_level": 0, "embeddings": ["# + list.joined(separator: between) + "]}"
    }

    /// Status and body, without the time it took.
    private func answer(_ body: String, team: WorkerPair?) -> (Int, String) {
        let limits = Limits()
        let response = ask(
            "POST", "/denoise/embedding", body,
            to: Application(service: StandInService(), limits: limits, team: team))
        let text = String(decoding: response.body, as: UTF8.self)
        return (
            response.status,
            text.split(separator: #","processing_time_ms""#).first.map(String.init) ?? ""
        )
    }

    @Test func `give the same answer as on one`() throws {
        let team = try #require(WorkerPair())
        for (body, status) in [
            (body(), 200), (body(between: " ,\n\t "), 200), (body(between: ",,"), 422),
            (body(between: " "), 422),
            (body { $0 == 299 ? $1.replacing("0.5", with: "1e99") : $1 }, 422),
            (body { $0 == 150 ? "[1, 2]" : $1 }, 422),
            (body { $0 == 150 ? "[]" : $1 }, 422),
            (body { $0 == 150 ? "\"],[\"" : $1 }, 422),
            (body { $0 == 7 ? "[\($1)]" : $1 }, 422),
            (body { $0 == 200 ? $1 + "]" : $1 }, 422),
            (body() + " x", 422),
        ] {
            let shared = answer(body, team: team)
            #expect(shared == answer(body, team: nil))
            #expect(shared.0 == status)
        }
    }

    @Test func `keep to the limit of rows, whatever piece is over it`() throws {
        let team = try #require(WorkerPair())
        for limit in [1, 150, 299, 300] {
            var limits = Limits()
            limits.rows = limit
            let response = ask(
                "POST", "/denoise/embedding", body(),
                to: Application(service: StandInService(), limits: limits, team: team))
            #expect(response.status == (limit < rows ? 422 : 200))
        }
    }

    @Test func `denoise to the same bits`() throws {
        let team = try #require(WorkerPair())
        let model = try #require(DenoiserModel.builtIn)
        let embeddings = (0..<rows * 384).map { Float($0 % 101) / 1000 }
        #expect(
            model.denoise(embeddings, noiseLevel: 0, team: team)
                == model.denoise(embeddings, noiseLevel: 0, team: nil))
    }
}
