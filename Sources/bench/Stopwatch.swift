import JSON

/// Measures the time of something in several rounds.
struct Stopwatch {
    /// How often each measurement is repeated.
    let rounds: Int

    /// Seconds that `work` takes, one number for each round.
    ///
    /// After one run to warm up, each round repeats it for a tenth of a second or more.
    func seconds(_ work: () throws -> Void) rethrows -> [Double] {
        let once = max(try Self.time(work), 1e-7)
        let repetitions = max(1, Int(0.1 / once))
        return try (0..<rounds).map { _ in
            let all = try Self.time { for _ in 0..<repetitions { try work() } }
            return all / Double(repetitions)
        }
    }

    private static func time(_ work: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let began = clock.now
        try work()
        return (clock.now - began) / .seconds(1)
    }
}

/// A measured quantity, once for each round.
struct Figure {
    let name: String
    let unit: String
    let values: [Double]

    /// A rate: `amount` of `unit` done in each of `seconds`.
    init(_ name: String, _ unit: String, of amount: Double, in seconds: [Double]) {
        self.init(name, unit, seconds.map { amount / $0 })
    }

    init(_ name: String, _ unit: String, _ values: [Double]) {
        precondition(!values.isEmpty, "no rounds of \(name)")
        self.name = name
        self.unit = unit
        self.values = values
    }

    /// The middle of the sorted values; of an even number of values, the mean of the middle two.
    var median: Double {
        let sorted = values.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    var json: JSONValue {
        var object = JSONObject()
        object["unit"] = .string(unit)
        object["median"] = .double(median)
        object["lowest"] = .double(values.min() ?? median)
        object["highest"] = .double(values.max() ?? median)
        object["rounds"] = .array(values.map { .double($0) })
        return .object(object)
    }
}
