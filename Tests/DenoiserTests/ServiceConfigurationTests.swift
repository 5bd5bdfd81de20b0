import API
import ArgumentParser
import Glibc
import Inference
import Testing

@testable import denoiser

private func configuration(_ arguments: String...) throws -> ServiceConfiguration {
    try Serve.parse(arguments).configuration()
}

@Suite struct `The configuration of the service` {
    @Test func `is equal to another reading of the same options, and to no other`() throws {
        let one = try configuration("--socket=/run/a", "--texts=7", "--epochs=3")
        #expect(try one == configuration("--socket", "/run/a", "--texts", "7", "--epochs", "3"))
        for other in ["--rows=9", "--keys=k", "--noise=fixed", "--slow-log=1", "--model=m.pt"] {
            #expect(
                try one != configuration("--socket=/run/a", "--texts=7", "--epochs=3", other),
                "\(other)")
        }
    }

    @Test(
        arguments: [
            ("--socket=/run/b", "socket"), ("--socket-mode=0600", "socket-mode"),
            ("--socket-group=g", "socket-group"), ("--listen=127.0.0.1:9", "listen"),
            ("--allow-user=u", "allow-user"), ("--request-threads=3", "request-threads"),
            ("--queue=3", "queue"), ("--connections=3", "connections"),
            ("--parameter-bytes=2048", "parameter-bytes"), ("--stop-timeout=3", "stop-timeout"),
            ("--texts=3", nil), ("--rows=3", nil), ("--keys=k", nil), ("--idle-exit=3", nil),
            ("--compute-threads=1", nil), ("--log=l", nil),
        ] as [(String, String?)])
    func `names what counts from the next start on`(option: String, name: String?) throws {
        let names = try configuration(option).optionsNeedingRestart(since: configuration())
        #expect(names == (name.map { [$0] } ?? []))
    }

    @Test func `is the same from a file as from the command line, which wins`() throws {
        let path = "/tmp/denoiser-options-\(getpid())"
        let text = "# limits\ntexts = 5\n\nlines=9\nno-default-model\nsocket = /run/x y\n"
        try write(text, to: path)
        defer { unsafe unlink(path) }
        let read = try Serve.configuration(reading: ["--config", path, "--lines", "8"])
        var expected = try configuration(
            "--texts=5", "--lines=8", "--no-default-model", "--socket=/run/x y")
        expected.file = path
        #expect(read == expected)
    }

    @Test func `tells all limits in one line, in the order of their options`() throws {
        let limits = try configuration("--compute-threads=2", "--lines=5", "--memory=4000").limits
        #expect(
            limits.summary(tokens: 128)
                == "body-bytes 16777216, upload-bytes 67174400, texts 2048, tokens 128, rows 2048, "
                + "lines 5, json-depth 961, errors 1000, quoted-bytes 262144, form-parts 1000, "
                + "form-field-bytes 1048576, form-headers 8, form-header-bytes 4224, "
                + "parameter-bytes 65536, compute-threads 2, request-threads 16, queue 64, "
                + "connections 512, request-deadline 30, memory-wait 2, training-time 3000, "
                + "stop-timeout 10, slow-log 1000")
    }
}

@Suite struct `The declaration of a limit` {
    @Test func `sets a member of its own`() throws {
        // Every limit takes the number; it is the default of none.
        let changed = try LimitOptions.declared.map { name, _ in
            try configuration("--\(name)=\(name == "parameter-bytes" ? 4321 : 321)").limits
        }
        for (index, limits) in changed.enumerated() {
            let name = LimitOptions.declared[index].name
            #expect(limits != ServiceLimits(), "\(name)")
            #expect(changed.firstIndex(of: limits) == index, "\(name)")
        }
        #expect(changed.count == 24)
    }

    @Test func `says which parts of the memory plan grow with it`() throws {
        let before = try bytes(ServiceLimits())
        for (name, limit) in LimitOptions.declared {
            guard case .number(let path) = limit.member, let value = limit.value else { continue }
            var limits = ServiceLimits()
            limits[keyPath: path] = 2 * value
            let after = try bytes(limits)
            let grown = after.filter { $0.value > before[$0.key] ?? 0 }.keys
            #expect(Set(grown) == Set(limit.memory.map(\.rawValue)), "\(name)")
        }
    }

    /// The bytes of each part of the plan; those that requests share count as one, named "bodies".
    private func bytes(_ limits: ServiceLimits) throws -> [String: Int] {
        let plan = try MemoryPlan(
            limits, present: 64 << 20, workspaceBytes: 40 << 20,
            training: configuration().training.run(limits))
        return plan.parts.reduce(into: [:]) { bytes, part in
            let isShared = ["parsing", "answers"].contains(part.name)
            bytes[isShared ? "bodies" : part.name, default: 0] += part.bytes
        }
    }
}

/// A value whose end looks at what replaced it, as one does that waits for threads that look.
private final class Watched: Sendable {
    let holder: @Sendable () -> Replaceable<Watched?>
    init(_ holder: @escaping @Sendable () -> Replaceable<Watched?>) { self.holder = holder }
    deinit { _ = holder().value }
}

@Suite struct `A value that is replaced` {
    @Test func `ends outside of the lock`() {
        let holder = Replaceable<Watched?>(nil)
        holder.replace(with: Watched { [unowned holder] in holder })
        holder.replace(with: nil)
        #expect(holder.value == nil)
    }
}

private func write(_ text: String, to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    try #require(unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
}
