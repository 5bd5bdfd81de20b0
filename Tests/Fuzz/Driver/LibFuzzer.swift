import Glibc

/// The probe that `FUZZ_PROBE` names.
private let chosen: Probe = {
    let name = unsafe getenv("FUZZ_PROBE").map { unsafe String(cString: $0) } ?? ""
    guard let probe = Probe.all.first(where: { $0.name == name }) else {
        let names = Probe.all.map(\.name).joined(separator: ", ")
        print("FUZZ_PROBE is \"\(name)\"; it must be one of \(names)")
        exit(64)
    }
    return probe
}()

/// libFuzzer's own main function.
@_extern(c, "LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What libFuzzer calls with each input; whatever does not come back is a finding.
private func test(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        try chosen.run(bytes)
    } catch {
        // An optimised build drops the text of a trap.
        print("\(chosen.name): \(error)")
        fflush(nil)
        preconditionFailure()
    }
    return 0
}

@main enum LibFuzzer {
    static func main() {
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        exit(unsafe runDriver(&count, &arguments, test))
    }
}
