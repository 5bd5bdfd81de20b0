import API
import ArgumentParser
import Denoisers
import System
import TestSupport
import Testing

@testable import denoiser

@Suite struct `The memory plan` {
    private func plan(_ arguments: String...) throws -> MemoryPlan {
        let configuration = try Serve.parse(arguments).configuration()
        return try MemoryPlan(
            configuration.limits, present: 64 << 20, workspaceBytes: 40 << 20,
            training: configuration.training.run(configuration.limits))
    }

    private func part(_ name: String, of plan: MemoryPlan) throws -> Int {
        try #require(plan.parts.first { $0.name == name }).bytes
    }

    @Test func `takes the least memory that it asks for, and no less`() throws {
        let refusal = #expect(throws: CommandFailure.self) { try plan("--memory", "1") }
        let text = try #require(refusal).description
        let needed = try #require(
            text.split(separator: " ").drop { $0 != "need" }.dropFirst().first.flatMap { Int($0) })
        #expect(try plan("--memory", "\(needed)").total <= needed << 20)
        #expect(throws: CommandFailure.self) { try plan("--memory", "\(needed - 1)") }
    }

    @Test func `never plans more than --memory, and shares what is left among requests`() throws {
        let (small, large) = (try plan("--memory", "700"), try plan("--memory", "1000"))
        #expect(small.total <= 700 << 20 && large.total <= 1000 << 20)
        #expect(large.budgets.bodies.capacity > small.budgets.bodies.capacity)
        #expect(large.budgets.parsing.capacity > small.budgets.parsing.capacity)
        #expect(large.budgets.uploads.capacity == small.budgets.uploads.capacity)
    }

    @Test func `lets one largest request of each kind through`() throws {
        let limits = try Serve.parse([]).configuration().limits.request
        let largest = limits.largestCosts
        let budgets = try plan().budgets
        #expect(budgets.bodies.capacity >= largest.body)
        #expect(budgets.parsing.capacity >= largest.parsing)
        #expect(budgets.answers.capacity >= largest.answer)
        #expect(budgets.uploads.capacity >= limits.uploadBytes)
    }

    @Test func `counts a workspace for each compute thread, and a row for each line`() throws {
        func difference(_ name: String, _ a: [String], _ b: [String]) throws -> Int {
            func plan(_ arguments: [String]) throws -> MemoryPlan {
                let all = arguments + ["--denoiser", "autoencoder"]
                let configuration = try Serve.parse(all).configuration()
                return try MemoryPlan(
                    configuration.limits, present: 0, workspaceBytes: 40 << 20,
                    training: configuration.training.run(configuration.limits))
            }
            return try part(name, of: plan(b)) - part(name, of: plan(a))
        }
        let threads = try difference(
            "compute threads", ["--compute-threads", "1"], ["--compute-threads", "3"])
        #expect(threads >= 2 * 40 << 20)
        let lines = try difference("training", ["--lines", "1000"], ["--lines", "11000"])
        #expect(lines >= 10_000 * 384 * 4)
        // Noise drawn once is kept beside the embeddings, twice.
        let noise = try difference(
            "training", ["--lines", "1000"], ["--lines", "1000", "--noise", "fixed"])
        #expect(noise == 1000 * 2 * 384 * 4)
        // A row of a batch: input, its noise, output and gradients of 384, 128, 64 and 128 values.
        let batch = try difference(
            "training", ["--batch-size", "32"], ["--batch-size", "1032"])
        #expect(batch >= 1000 * 4 * (3 * 384 + 2 * (128 + 64 + 128 + 384)))
    }

    @Test func `is told in one line that adds up`() throws {
        let plan = try plan("--memory", "900")
        #expect(plan.total == plan.parts.reduce(0) { $0 + $1.bytes })
        #expect(plan.summary.hasPrefix("at most ") && !plan.summary.contains("\n"))
        for (name, _) in plan.parts { #expect(plan.summary.contains(name)) }
    }
}
