import API
import FastCGI
import Foundation
import Inference
import ModelFiles
import System
import TestSupport
import Testing

@testable import denoiser

@Suite struct `A configuration read again` {
    private let fixture = Fixtures(of: "ModelFilesTests").path("embedding_denoiser.pt")

    @Test func `keeps encoder, model and memory that did not change`() throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let first = try service.snapshot("--request-deadline", "30")
            let next = try service.snapshot("--slow-log", "5", after: first)
            #expect(next.embedder === first.embedder && next.model === first.model)
            #expect(next.configuration.limits.slowLog == 5)
            let same = try service.snapshot("--slow-log", "5", after: next)
            #expect(same.plan.budgets.bodies === next.plan.budgets.bodies)
        }
    }

    @Test(arguments: [
        ["--tokens", "9"], ["--compute-threads", "2"], ["--encoder", "other"],
    ])
    func `makes another encoder for another folder, length or number of threads`(
        arguments: [String]
    ) throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let first = try service.snapshot()
            var arguments = arguments
            if arguments[1] == "other" {
                arguments[1] = folder + "/other"
                try SmallEncoder.write(to: arguments[1])
            }
            let next = try service.snapshot(arguments[0], arguments[1], after: first)
            #expect(next.embedder !== first.embedder && next.model === first.model)
            if arguments[0] == "--tokens" { #expect(next.embedder.tokenLimit == 9) }
        }
    }

    @Test func `reads the encoder again whose files have changed`() throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let first = try service.snapshot()
            try SmallEncoder.write(to: folder + "/encoder", seed: 2)
            let next = try service.snapshot(after: first)
            #expect(next.embedder !== first.embedder)
        }
    }

    @Test(arguments: [["--lines", "50"], ["--batch-size", "100000"], ["--noise", "fixed"]])
    func `shares memory out anew for other limits and another training`(arguments: [String]) throws
    {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let first = try service.snapshot()
            let next = try service.snapshot(arguments[0], arguments[1], after: first)
            #expect(next.plan.total != first.plan.total)
            #expect(next.plan.budgets.bodies !== first.plan.budgets.bodies)
        }
    }

    @Test func `shares memory out anew if training is to begin from scratch`() throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let first = try service.snapshot("--denoiser", "adaptive")
            let next = try service.snapshot(
                "--denoiser", "adaptive", "--start", "scratch", after: first)
            #expect(next.plan.total > first.plan.total)
        }
    }

    @Test func `that cannot be used leaves the model as it was`() throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            try FileManager.default.copyItem(atPath: fixture, toPath: service.model)
            let first = try service.snapshot()
            let version = try #require(first.model.current()?.version)
            // Read again, it would be the built-in one.
            try FileManager.default.removeItem(atPath: service.model)
            for arguments in [["--keys", "nowhere"], ["--memory", "1"]] {
                #expect(throws: CommandFailure.self) {
                    try service.snapshot(arguments[0], arguments[1], after: first)
                }
                #expect(first.model.current()?.version == version)
            }
            let next = try service.snapshot(after: first)
            #expect(next.model.current()?.version == DenoiserModel.builtIn?.version)
        }
    }

    @Test func `with another model's file serves that one`() throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let first = try service.snapshot()
            let next = try service.snapshot("--model", fixture, after: first)
            #expect(next.model !== first.model && next.embedder === first.embedder)
            #expect(next.model.current()?.version == (try DenoiserModel(reading: fixture).version))
            let none = try service.snapshot("--no-default-model", after: first)
            #expect(none.model !== first.model && none.model.current() == nil)
        }
    }

    @Test func `gives a form the time of a training run, and others their deadline`() throws {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let made = try service.snapshot(
                "--request-deadline", "10", "--training-time", "100", "--memory-wait", "5")
            let rest = made.configuration.limits.serverLimits
            #expect(made.longestTime(isForm: false) == .seconds(20) + rest.bodyTime + rest.sendTime)
            #expect(made.longestTime(isForm: true) == .seconds(210) + rest.bodyTime + rest.sendTime)
        }
    }
}
