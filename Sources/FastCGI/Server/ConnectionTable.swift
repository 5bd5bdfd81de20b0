import Synchronization

/// The connections that no thread works on, each until its next event or its deadline.
///
/// Any thread inserts a connection; only the polling thread takes one out. Silent peers, idle
/// connections and peers that read slowly wait here, at the price of a descriptor each.
final class ConnectionTable: Sendable {
    private let connections = Mutex<[Int32: Connection]>([:])

    var count: Int { connections.withLock { $0.count } }

    /// Puts a connection in, watched by `poller`; false if the kernel has no memory for that.
    func insert(_ connection: Connection, watchedBy poller: borrowing Poller) -> Bool {
        let descriptor = connection.descriptor.number
        let interest: Poller.Interest = connection.state == .sending ? .roomOnce : .inputOnce
        return connections.withLock { connections in
            // Inserted first, because the event may come at once.
            connections[descriptor] = connection
            do throws(FastCGIError) {
                if connection.isWatched {
                    try poller.renew(descriptor, for: interest)
                } else {
                    try poller.add(descriptor, for: interest)
                    connection.isWatched = true
                }
                return true
            } catch {
                connections[descriptor] = nil
                return false
            }
        }
    }

    /// Takes out the connection of a descriptor that has an event.
    func take(_ descriptor: Int32) -> Connection? {
        connections.withLock { $0.removeValue(forKey: descriptor) }
    }

    /// Takes out the connections that meet `condition`.
    func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        connections.withLock { connections in
            let found = connections.values.filter(condition)
            for connection in found { connections[connection.descriptor.number] = nil }
            return found
        }
    }

    /// Takes out the connection that has been idle for longest; nil if none is idle.
    func takeIdlest() -> Connection? {
        connections.withLock { connections in
            let idle = connections.values.filter(\.isIdle)
            guard let idlest = idle.min(by: { $0.deadline < $1.deadline }) else { return nil }
            connections[idlest.descriptor.number] = nil
            return idlest
        }
    }
}
