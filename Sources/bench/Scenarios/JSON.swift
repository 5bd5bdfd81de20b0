import JSON

extension Scenario {
    /// The numbers of `/denoise/embedding`, read and printed.
    static let json = Scenario(
        name: "json", abstract: "1,000 rows of 384 numbers read and printed (MB/s of text)"
    ) { _, stopwatch in
        let values = Numbers.array(1000 * 384, scale: 0.1)
        var printed: [UInt8] = []
        let printing = stopwatch.seconds {
            printed.removeAll(keepingCapacity: true)
            appendJSON(values.span, to: &printed)
        }
        // As Python prints what numpy holds in double precision: 17 digits.
        let long = "[" + values.map { (Double($0) / 3).description }.joined(separator: ",") + "]"
        return [
            Figure("print", "MB/s", of: Double(printed.count) * 1e-6, in: printing),
            try reading("read_shortest", printed, values.count, stopwatch),
            try reading("read_double", Array(long.utf8), values.count, stopwatch),
            try decoding("decode", printed, stopwatch),
        ]
    }

    private static func reading(
        _ name: String, _ bytes: [UInt8], _ count: Int, _ stopwatch: Stopwatch
    ) throws -> Figure {
        let text = try JSONText(decoding: bytes)
        var floats: [Float] = []
        let seconds = stopwatch.seconds {
            floats.removeAll(keepingCapacity: true)
            var reader = JSONReader(text)
            let isRead = reader.appendArray(of: count, to: &floats)
            precondition(isRead, "\(name): the reader refused \(bytes.count) bytes")
        }
        return Figure(name, "MB/s", of: Double(bytes.count) * 1e-6, in: seconds)
    }

    /// The check of a body's encoding, which comes before reading.
    private static func decoding(
        _ name: String, _ bytes: [UInt8], _ stopwatch: Stopwatch
    ) throws -> Figure {
        let seconds = try stopwatch.seconds { _ = try JSONText(decoding: bytes) }
        return Figure(name, "MB/s", of: Double(bytes.count) * 1e-6, in: seconds)
    }
}
