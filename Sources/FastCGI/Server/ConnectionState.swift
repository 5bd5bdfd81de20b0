/// What a connection waits for, and so which part of the server owns it.
///
/// Each change is one method of `Connection`, under "States".
enum ConnectionState {
    /// For more of a request; in the table.
    case receiving
    /// For a request thread, or for its refusal to be sent; in the queue or with the polling
    /// thread.
    case ready
    /// For the handler; with a request thread.
    case answering
    /// For room to send more of an answer; in the table.
    case sending
    /// For the peer to leave: it has its answer, but not all of its request was read; in the
    /// table.
    case leaving
    /// For nothing: the descriptor closes with the last reference.
    case closed

    func mayBecome(_ next: ConnectionState) -> Bool {
        switch (self, next) {
        case (_, .closed): true
        case (.leaving, _), (.closed, _): false
        case (_, .ready): self == .receiving
        case (_, .answering): self == .ready
        // After an answer, of the handler or of the server itself.
        case (_, .receiving), (_, .sending), (_, .leaving): true
        }
    }
}
