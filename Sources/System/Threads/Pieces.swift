internal import Synchronization

/// The results of `work` for 0 ..< `count`, in order: on two threads where there is a team and it is free, else
/// on this one.
package func inPieces<Result: Sendable>(
    _ count: Int, _ team: ComputeTeam?, _ work: @escaping @Sendable (_ piece: Int) -> Result
) -> [Result] {
    if let team, count > 1 {
        let results = Results<Result>(count)
        let isShared = team.run { share in
            share.stage(count) { results.set($0, work($0)) }
        }
        if isShared { return results.all }
    }
    // A `map` here would be of a type that is known at run time only; for one row it took as long as reading it.
    var results: [Result] = []
    results.reserveCapacity(count)
    for piece in 0..<count { results.append(work(piece)) }
    return results
}

private final class Results<Value: Sendable>: Sendable {
    private let values: Mutex<[Value?]>

    init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

    func set(_ index: Int, _ value: Value) { values.withLock { $0[index] = value } }

    var all: [Value] { values.withLock { $0.compactMap(\.self) } }
}
