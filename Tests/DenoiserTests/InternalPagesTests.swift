import API
import ArgumentParser
import Inference
import Testing

@testable import FastCGI
@testable import denoiser

@Suite struct `Internal pages` {
    private func parameters(_ path: String, _ more: String...) -> Parameters {
        let all = ["REQUEST_METHOD=GET", "DOCUMENT_URI=\(path)"] + more
        return Parameters(environment: all.flatMap { Array($0.utf8) + [0] })
    }

    private func pages(
        version: String? = "3-a", fault: String? = nil, isSpoilt: Bool = false,
        isStopping: Bool = false
    ) throws -> InternalPages {
        let configuration = try Serve.parse([]).configuration()
        let plan = try MemoryPlan(
            configuration.limits, present: 0, workspaceBytes: 1 << 20,
            training: configuration.training.run(configuration.limits))
        return InternalPages(
            metrics: RequestMetrics(), statistics: Statistics(), encoder: EncoderStatistics(),
            training: TrainingRuns().statistics, budgets: plan.budgets, memoryBound: plan.total,
            modelVersion: version, modelKind: "adaptive", modelFault: fault,
            isEncoderSpoilt: isSpoilt,
            isStopping: isStopping)
    }

    private func text(_ response: Response) -> String {
        String(decoding: response.body, as: UTF8.self)
    }

    @Test func `are for whom the web server passes a variable that no client can`() {
        for path in ["/metrics", "/ready"] {
            #expect(InternalPages.areAsked(by: parameters(path, "DENOISER_INTERNAL=1")))
            #expect(!InternalPages.areAsked(by: parameters(path)))
            #expect(!InternalPages.areAsked(by: parameters(path, "HTTP_DENOISER_INTERNAL=1")))
            #expect(!InternalPages.areAsked(by: parameters(path, "DENOISER_INTERNAL=0")))
        }
        #expect(!InternalPages.areAsked(by: parameters("/health", "DENOISER_INTERNAL=1")))
    }

    @Test func `call it ready with a model, even one behind its file`() throws {
        let ready = try pages().page("/ready")
        #expect(ready.status == 200 && text(ready) == #"{"status":"ready","model":"3-a"}"#)
        let behind = try pages(fault: "m.pt: no such file").page("/ready")
        #expect(behind.status == 200 && text(behind).contains(#""behind":"m.pt: no such file""#))
    }

    @Test func `call it not ready without a model, with spoilt weights, or at its end`() throws {
        for page in [
            try pages(version: nil), try pages(isSpoilt: true), try pages(isStopping: true),
        ].map({ $0.page("/ready") }) {
            #expect(page.status == 503 && page.headers.contains { $0.name == "retry-after" })
        }
    }

    @Test func `give every figure a type, and the version of the model`() throws {
        let page = text(try pages(fault: "behind").page("/metrics"))
        let lines = page.split(separator: "\n")
        let described = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(Set(described).count == described.count)
        for line in lines where !line.hasPrefix("#") {
            let name = line.prefix { $0 != "{" && $0 != " " }
            #expect(described.contains { name == $0 || name.hasPrefix($0 + "_") }, "\(line)")
        }
        #expect(lines.contains(#"denoiser_model_info{version="3-a",kind="adaptive"} 1"#))
        #expect(lines.contains("denoiser_model_behind 1"))
    }
}
