import System
import Inference
import Testing
import StandIns

@testable import API

@Suite struct `Memory of requests` {
    private func budgets(_ bytes: Int) -> MemoryBudgets {
        func budget() -> ByteBudget { ByteBudget(capacity: bytes) }
        return MemoryBudgets(
            bodies: budget(), uploads: budget(), parsing: budget(), answers: budget(),
            patience: .zero)
    }

    private func answer(
        _ path: String, _ body: [UInt8], _ budgets: MemoryBudgets,
        _ type: String = "application/json"
    ) -> (response: Response, memory: RequestMemory) {
        let limits = Limits()
        let memory = RequestMemory(budgets, limits: limits)
        var request = Request(method: "POST", path: path, headers: ["content-type": type])
        request.memory = memory
        var source = PiecewiseBody(body)
        let application = Application(service: StandInService(), limits: limits)
        return (application.respond(to: request, body: &source), memory)
    }

    private func taken(_ budgets: MemoryBudgets) -> [Int] {
        budgets.all.map(\.budget.usage.taken)
    }

    @Test func `a request holds its part until it ends`() {
        let budgets = budgets(1 << 30)
        let rows = Array(repeating: embedding(), count: 20).joined(separator: ",")
        let body = Array(#"{"embeddings":[\#(rows)]}"#.utf8)
        let (response, memory) = answer("/denoise/embedding", body, budgets)
        #expect(response.status == 200)
        // The room for reading is given back before that for the answer is taken.
        #expect(taken(budgets) == [2 * body.count, 0, 0, 20 * 384 * 47])
        memory.end()
        #expect(taken(budgets) == [0, 0, 0, 0])
    }

    @Test func `small requests need none`() {
        let (response, _) = answer("/denoise/text", Array(#"{"texts":["a"]}"#.utf8), budgets(0))
        #expect(response.status == 200)
    }

    @Test(arguments: [
        ("/denoise/text", "application/json", [Int]([0, 1 << 30, 1 << 30, 1 << 30])),
        ("/denoise/text", "application/json", [1 << 30, 0, 0, 1 << 30]),
        ("/denoise/text", "application/json", [1 << 30, 0, 1 << 30, 0]),
        ("/upload/", "multipart/form-data; boundary=X", [1 << 30, 0, 1 << 30, 1 << 30]),
    ])
    func `without room the answer is 503 and when to try again`(
        path: String, type: String, capacities: [Int]
    ) {
        let parts = capacities.map { ByteBudget(capacity: $0) }
        let budgets = MemoryBudgets(
            bodies: parts[0], uploads: parts[1], parsing: parts[2], answers: parts[3],
            patience: .zero)
        let texts = Array(repeating: #""some words of a text""#, count: 1000)
        let json = Array(#"{"texts":[\#(texts.joined(separator: ","))]}"#.utf8)
        let body = path == "/upload/" ? form(json) : json
        let (response, memory) = answer(path, body, budgets, type)
        #expect(response.status == 503)
        #expect(response["retry-after"] == "1")
        #expect(text(response) == #"{"detail":"伺服器忙碌中，請稍後再試"}"#)
        memory.end()
        #expect(taken(budgets) == [0, 0, 0, 0])
    }

    @Test func `the costs of the largest requests are those budgets are made for`() {
        let limits = Limits()
        let (body, parsing, answer) = limits.largestCosts
        for length in stride(from: 0, through: limits.bodyBytes, by: 65_537) {
            #expect(limits.bodyCost(length) <= body)
            #expect(limits.parsingCost(length) <= parsing)
        }
        #expect(limits.answerCost(rows: limits.texts) <= answer)
        #expect(limits.answerCost(rows: limits.rows) <= answer)
    }
}

@Suite struct `Deadline of a request` {
    @Test func `a body that came too late is not looked at`() {
        var request = Request(method: "POST", path: "/denoise/text")
        request.caller.deadline = .now - .seconds(1)
        var body = PiecewiseBody(Array("{}".utf8))
        let answer = Application(service: StandInService()).respond(to: request, body: &body)
        #expect(answer.status == 503)
        #expect(answer["retry-after"] == "1")
    }

    @Test func `a service that would be late is busy`() {
        let late = Application(service: StandInService(error: .tooLate))
        let answer = ask("POST", "/denoise/text", #"{"texts":["a"]}"#, to: late)
        #expect(answer.status == 503)
        #expect(answer["retry-after"] == "1")
    }

    @Test func `training that takes too long names the limit`() {
        let service = StandInService(training: .failure(.trainingTooLong(limit: 77)))
        let answer = upload(form(Array("one".utf8)), to: service)
        #expect(answer.status == 422)
        #expect(text(answer).contains("longer than the limit of 77 seconds"))
    }
}
