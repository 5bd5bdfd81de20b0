/// One input format under attack: a name, which is also the folder of its corpus, and a function
/// that must come back from any bytes.
///
/// The same probes run under libFuzzer (`Tests/Fuzz/run`) and, over the inputs kept in `Corpus`, as
/// an ordinary test.
struct Probe: Sendable {
    let name: String

    /// Gives `bytes` to the code under test; throws where two ways of reading them disagree.
    let run: @Sendable ([UInt8]) throws -> Void

    static let all: [Probe] = [
        Probe(name: "records", run: probeRecords),
        Probe(name: "parameters", run: probeParameters),
        Probe(name: "request", run: probeRequest),
        Probe(name: "multipart", run: probeForm),
        Probe(name: "json", run: probeJSON),
        Probe(name: "torch", run: probeTorch),
        Probe(name: "pickle", run: probePickle),
        Probe(name: "inflate", run: probeInflate),
        Probe(name: "safetensors", run: probeSafetensors),
        Probe(name: "tokenizer", run: probeTokenizer),
    ]
}

/// Two ways of reading one input disagree, or an answer breaks its own promise.
struct Disagreement: Error, CustomStringConvertible {
    let description: String
}

/// Throws where `claim` does not hold.
func require(_ claim: Bool, _ description: @autoclosure () -> String) throws {
    if !claim { throw Disagreement(description: description()) }
}

/// Small numbers that depend on nothing but the input, so that a finding comes again.
struct Portions {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    init(of bytes: [UInt8]) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    /// From 1 to `limit`, mostly small.
    mutating func next(limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let bits = Int(state >> 40)
        return 1 + (bits >> 4) % (bits & 15 == 0 ? limit : min(limit, 9))
    }
}
