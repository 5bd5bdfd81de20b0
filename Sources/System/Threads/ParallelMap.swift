internal import Synchronization

/// The results of `work` for 0 ..< `count`, in order.
///
/// Two threads share the work if there is a pair and it is free; otherwise the caller does it
/// alone.
package func parallelMap<Result: Sendable>(
    _ count: Int, on workers: WorkerPair?, _ work: @escaping @Sendable (_ index: Int) -> Result
) -> [Result] {
    if let workers, count > 1 {
        let results = Results<Result>(count)
        let isShared = workers.run { worker in
            worker.phase(count) { results.set($0, work($0)) }
        }
        if isShared { return results.all }
    }
    // Not a `map`: its type is known at run time only, which costs as much as reading one row.
    var results: [Result] = []
    results.reserveCapacity(count)
    for index in 0..<count { results.append(work(index)) }
    return results
}

private final class Results<Value: Sendable>: Sendable {
    private let values: Mutex<[Value?]>

    init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

    func set(_ index: Int, _ value: Value) { values.withLock { $0[index] = value } }

    var all: [Value] { values.withLock { $0.compactMap(\.self) } }
}
