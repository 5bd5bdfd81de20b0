import API
import FastCGI
import Inference

/// Sorts requests before a thread takes them, and refuses at once what cannot be done in time.
struct AdmissionControl: Sendable {
    /// The snapshot that decides what can be done.
    let current: Replaceable<ServiceSnapshot>
    let metrics: RequestMetrics

    /// Bytes of the longest short request: a few sentences, or a row of embeddings.
    private static let shortText = 1 << 10
    private static let shortRows = 16 << 10

    /// Bytes of embeddings that are as much work as a byte of text.
    private static let rowBytes = 1 << 10

    /// What the server asks.
    var triage: Triage {
        Triage(
            errand: { Self.errand($0) }, refusal: { self.refusal(of: $0, $1, behind: $2) },
            busyAnswer: { Answer(Self.response(to: .overloaded(retryAfter: 1), $0)) },
            queueTime: { self.current.value.handler.deadline })
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
        Route.ending(path(head))?.work == .rows
    }

    /// The path that is asked for, perhaps with the mount point before it.
    private static func path(_ head: RequestHead) -> ArraySlice<UInt8> {
        [head["PATH_INFO"], head["DOCUMENT_URI"], head["SCRIPT_NAME"]].lazy
            .compactMap { $0 }.first { !$0.isEmpty } ?? []
    }

    /// `error` in the shape that clients of the path expect.
    private static func response(to error: APIError, _ head: RequestHead) -> Response {
        Response(error, atPathEnding: path(head))
    }

    private func refusal(
        of head: RequestHead, _ errand: Errand, behind others: Int
    ) -> Answer? {
        let snapshot = current.value
        // Rows do not wait for the encoder, and are small by this measure.
        guard errand.size > Self.shortText,
            let work = snapshot.embedder.refusal(
                ofBytes: errand.size, behind: others, before: .now + snapshot.handler.deadline)
        else { return nil }
        let response = Self.response(to: .tooMuch(work), head)
        metrics.count(response, time: .zero, stages: [])
        return Answer(response)
    }
}
