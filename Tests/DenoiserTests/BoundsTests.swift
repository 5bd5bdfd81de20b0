import API
import ArgumentParser
import Inference
import Testing

@testable import denoiser

/// Every number that a user may give is taken or refused in one line, whatever it is.
@Suite struct `The bounds of numbers` {
    @Test func `Every option of serve that takes a number names both its bounds`() {
        for (option, text) in refusals { expectBounds(in: text, option) }
        #expect(numbers.count >= 28, "\(numbers)")
    }

    @Test(
        arguments: [
            (Train.self, "training-wait"), (Evaluate.self, "noise-level"),
            (Evaluate.self, "seed"), (Denoise.self, "noise-level"),
        ] as [(any ParsableCommand.Type, String)])
    func `So do those of the other commands`(command: any ParsableCommand.Type, option: String) {
        expectBounds(in: refusal(of: "x", for: option, of: command, ["text"]) ?? "taken", option)
    }

    private func expectBounds(in text: String, _ option: String) {
        // What is chosen from a list, is octal, or is an origin says so instead.
        let others = ["Please provide one of", "octal", "it looks like"]
        if others.contains(where: { text.contains($0) }) { return }
        #expect(
            text.contains("it must be a ") && text.contains(" from ") && text.contains(" to ")
                && !text.contains("\n") && text.contains("--\(option)"), "--\(option): \(text)")
    }

    @Test func `Every power of two and its neighbours are taken within bounds, else refused`() {
        let read = whole(1...1_000_000)
        for value in values {
            let number = try? read(value)
            #expect(number.map { 1...1_000_000 ~= $0 && $0 == Int(value) } ?? true, "\(value)")
        }
        #expect(throws: (any Error).self) { try read("1000001") }
        #expect((try? read("1000000")) == 1_000_000)
    }

    @Test func `The highest number is taken with a true memory line, one more is refused`() throws {
        for (option, last) in numbers {
            try expectTruePlan(["--\(option)=\(last)"])
            #expect((try? Serve.parse(["--\(option)=\(last + 1)"])) == nil, "--\(option)")
        }
    }

    @Test func `The highest of all numbers at once are added up rightly`() throws {
        let arguments = numbers.map { "--\($0.option)=\($0.last)" }
        try expectTruePlan(arguments)
        try expectTruePlan(arguments.filter { !$0.hasPrefix("--memory=") })
    }

    @Test func `Numbers of training and of noise that are none are refused`() {
        for (option, command) in [
            ("noise-level", Evaluate.self as any ParsableCommand.Type),
            ("noise-level", Denoise.self),
            ("training-noise", Train.self), ("learning-rate", Train.self),
        ] {
            for value in ["nan", "inf", "-inf", "-1", "1e31", "", "1e400", "abc"] {
                #expect(
                    refusal(of: value, for: option, of: command, ["text"]) != nil,
                    "--\(option)=\(value)")
            }
            #expect(refusal(of: "0.25", for: option, of: command, ["text"]) == nil)
        }
        #expect(refusal(of: "\(UInt64.max)", for: "seed", of: Train.self, ["text"]) == nil)
        #expect(refusal(of: "18446744073709551616", for: "seed", of: Train.self, ["text"]) != nil)
    }
}

/// What `serve` says of options given as "x"; those that take any text are left out.
private let refusals: [(option: String, text: String)] = options(of: Serve.self).compactMap {
    option in refusal(of: "x", for: option, of: Serve.self, []).map { (option, $0) }
}

/// The options of `serve` that take a whole number, and the highest, as their own refusals say.
private let numbers: [(option: String, last: Int)] = refusals.compactMap { option, text in
    let words = text.split(separator: " ")
    guard words.contains("whole"), let last = words.last.flatMap({ Int($0) }) else { return nil }
    return (option, last)
}

/// 2^k and its neighbours, and what is no whole number.
private let values: [String] = {
    var values = [
        "", "-1", "-9223372036854775808", "-9223372036854775809", "nan", "inf", "1e9", "0x10",
        "1_000", " 5",
    ]
    values += ["12.5", String(repeating: "9", count: 400), "٣", "0"]
    var power = UInt128(1)
    for _ in 0..<80 {
        values += ["\(power - 1)", "\(power)", "\(power + 1)"]
        power *= 2
    }
    return values
}()

/// The names of the options that take a value, as the help lists them.
private func options(of command: any ParsableCommand.Type) -> [String] {
    let help = command.helpMessage(columns: 200)
    return help.split(separator: "\n").compactMap { line in
        guard line.hasPrefix("  -"), let name = line.firstRange(of: "--") else { return nil }
        let rest = line[name.upperBound...]
        let end = rest.firstIndex { $0 == " " || $0 == "," } ?? rest.endIndex
        return rest[end...].hasPrefix(" <") ? String(rest[..<end]) : nil
    }
}

/// Why `value` is refused; nil where it is taken.
private func refusal(
    of value: String, for option: String, of command: any ParsableArguments.Type,
    _ arguments: [String]
) -> String? {
    do {
        _ = try command.parse(arguments + ["--\(option)=\(value)"])
        return nil
    } catch {
        return command.message(for: error)
    }
}

/// Plans the memory of a service with these options, and adds it up again in another arithmetic.
private func expectTruePlan(
    _ arguments: [String], at location: SourceLocation = #_sourceLocation
) throws {
    let configuration = try Serve.parse(arguments).configuration()
    let limits = configuration.limits
    let plan: MemoryPlan
    do throws(CommandFailure) {
        plan = try MemoryPlan(
            limits, present: 64 << 20, workspaceBytes: 40 << 20,
            training: configuration.training.run(limits))
    } catch {
        #expect(
            error.description.contains("--memory") && !error.description.contains("\n"),
            sourceLocation: location)
        return
    }
    // The least that each of these takes, by nginx/README.md and by what a number is.
    let least =
        Double(limits.threads) * Double(40 << 20) + Double(limits.requestThreads) * Double(1 << 20)
        + Double(limits.request.uploadBytes) + 2 * Double(limits.request.bodyBytes)
        + Double(limits.request.trainingLines) * 384 * 4
        + Double(max(limits.request.rows, limits.request.texts)) * 384 * 47
    #expect(Double(plan.total) >= least, "\(arguments): \(plan.summary)", sourceLocation: location)
    #expect(plan.parts.allSatisfy { $0.bytes >= 0 }, "\(arguments)", sourceLocation: location)
    #expect(plan.total < 1 << 60, "\(arguments): \(plan.summary)", sourceLocation: location)
    if let memory = limits.memory {
        #expect(plan.total <= memory << 20, "\(arguments)", sourceLocation: location)
    }
}
