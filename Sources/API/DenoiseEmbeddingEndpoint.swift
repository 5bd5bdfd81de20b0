internal import Inference
internal import JSON

/// `POST /denoise/embedding`: denoises embeddings given as numbers.
struct DenoiseEmbeddingEndpoint {
    let service: any DenoisingService
    let limits: Limits

    func respond(to request: Request, body: inout some BodySource & ~Copyable) -> Response {
        do {
            let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
            let asked = try EmbeddingReading(limit: limits.rows)
                .request(from: body, limits: limits)
            try request.admitAnswer(rows: asked.rows.count / EmbeddingReading.columns)
            return DenoiseAnswer.measuring { () throws(InferenceError) in
                try service.denoise(embeddings: asked.rows, noiseLevel: asked.noiseLevel)
            }
        } catch {
            return error.response
        }
    }
}

/// Reads a list of lists of 384 numbers into floats, row-major.
struct EmbeddingReading: RowReading {
    static let name = "embeddings"

    /// Numbers in an embedding.
    static let columns = 384

    /// How many rows one request may hold.
    let limit: Int

    func fastRows(_ reader: inout JSONReader) -> [Float]? {
        var values: [Float] = []
        guard reader.skip(UInt8(ascii: "[")) else { return nil }
        repeat {
            guard values.count < limit * Self.columns,
                reader.appendArray(of: Self.columns, to: &values)
            else { return nil }
        } while reader.skip(UInt8(ascii: ","))
        return reader.skip(UInt8(ascii: "]")) ? values : nil
    }

    func rows(_ list: JSONNode, in tree: JSONTree, issues: inout RequestIssues) -> [Float]? {
        let given = tree.count(of: list)
        guard given <= limit else {
            issues.shared.add(
                .tooManyItems(given: given, limit: limit), at: ["body", .name(Self.name)]
            ) { $0.append(contentsOf: "null".utf8) }
            return nil
        }
        var values: [Float] = []
        tree.forEachElement(of: list) { index, row in
            if case .array = tree.kind(of: row) {
                append(row, number: index, in: tree, to: &values, issues: &issues)
            } else {
                issues.shared.add(
                    .notAList, at: ["body", .name(Self.name), .index(index)],
                    size: tree.length(of: row)
                ) { tree.write(row, into: &$0) }
            }
            return true
        }
        return values
    }

    private func append(
        _ row: JSONNode, number: Int, in tree: JSONTree, to values: inout [Float],
        issues: inout RequestIssues
    ) {
        let location: [LocationPart] = ["body", .name(Self.name), .index(number)]
        let faults = issues.shared.count + issues.own.count
        var count = 0
        tree.forEachElement(of: row) { index, element in
            func input(_ output: inout [UInt8]) { tree.write(element, into: &output) }
            count += 1
            switch LaxNumber(element, in: tree) {
            case .invalid(let type):
                issues.shared.add(
                    type, at: location + [.index(index)], size: tree.length(of: element),
                    input: input)
            case .value(let number):
                let value = Float(number)
                if !value.isFinite {
                    issues.own.add(
                        .notFinite, at: location + [.index(index)],
                        size: tree.length(of: element), input: input)
                } else if count <= Self.columns, issues.isEmpty {
                    values.append(value)
                }
            }
            return true
        }
        if count != Self.columns, faults == issues.shared.count + issues.own.count {
            issues.own.add(
                .wrongRowLength(expected: Self.columns, given: count), at: location,
                size: tree.length(of: row)
            ) { tree.write(row, into: &$0) }
        }
    }
}
