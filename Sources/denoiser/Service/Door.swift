import API
import FastCGI
import Inference
import Synchronization

/// Sorts requests before a thread has them, and turns away at once what cannot be done in time.
final class Door: Sendable {
    private let generation: Mutex<Generation>
    private let metrics: RequestMetrics

    /// The longest short request: a few sentences, or a row of embeddings.
    private static let shortText = 1 << 10
    private static let shortRows = 16 << 10

    /// The route whose requests are long.
    private static let texts = Route.all.first { $0.work == .texts }

    /// Bytes of embeddings that are as soon done as a byte of text.
    private static let rowBytes = 1 << 10

    init(_ generation: Generation, metrics: RequestMetrics) {
        self.generation = Mutex(generation)
        self.metrics = metrics
    }

    /// Lets in by what `next` allows from now on.
    func follow(_ next: Generation) {
        // Outside of the lock the one before may end, which waits for its compute threads.
        _ = generation.withLock { generation in
            defer { generation = next }
            return generation
        }
    }

    /// What the server asks.
    var triage: Triage {
        Triage(
            errand: { Self.errand($0) }, refusal: { self.refusal(of: $0, behind: $1) },
            queueTime: { self.generation.withLock { $0.answering.deadline } })
    }

    private static func errand(_ head: RequestHead) -> Errand {
        if let type = head["CONTENT_TYPE"], isForm(type) { return Errand(.form, size: head.length) }
        if head.isWhole, head.gathered <= shortText { return Errand(.short, size: head.gathered) }
        guard asksForRows(head) else { return Errand(.long, size: head.length) }
        let isShort = head.isWhole && head.gathered <= shortRows
        return Errand(isShort ? .short : .long, size: min(head.length / rowBytes, shortText))
    }

    private static func isForm(_ type: ArraySlice<UInt8>) -> Bool {
        ["multipart/", "application/x-www-form-urlencoded"].contains { name in
            type.count >= name.utf8.count
                && zip(type, name.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
        }
    }

    private static func asksForRows(_ head: RequestHead) -> Bool {
        let path = [head["PATH_INFO"], head["DOCUMENT_URI"], head["SCRIPT_NAME"]].lazy
            .compactMap { $0 }.first { !$0.isEmpty }
        return path.flatMap(Route.ending)?.work == .rows
    }

    private func refusal(of errand: Errand, behind others: Int) -> Answer? {
        let generation = generation.withLock { $0 }
        // Rows do not wait for the encoder, and are small by this measure.
        guard errand.size > Self.shortText,
            let work = generation.embedder.refusal(
                ofBytes: errand.size, behind: others, before: .now + generation.answering.deadline)
        else { return nil }
        let response =
            Self.texts.map { Response(.tooMuch(work), at: $0) } ?? Response(.tooMuch(work))
        metrics.count(response, time: .zero, stages: [])
        return Answer(response)
    }
}
