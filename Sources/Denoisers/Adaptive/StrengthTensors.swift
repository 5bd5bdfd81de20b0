internal import Tensors

extension StrengthTables {
    /// The tables as a model's file holds them.
    var named: [(name: String, tensor: Tensor)] {
        func tensor(_ shape: [Int], _ values: [Float]) -> Tensor {
            Tensor(shape: shape, copying: values.span)
        }
        return [
            ("levels", tensor([levels.count], levels)),
            ("profiles", tensor([profiles.count, levels.count], Array(profiles.joined()))),
            ("evidence", tensor([evidence.numbers.count], evidence.numbers)),
            ("ranking", tensor([2, ranking.blends.count], ranking.blends + ranking.amounts)),
        ]
    }

    /// Takes the tables from a model's file; the default ones if it has none.
    init(prefix: String, tensor: (_ name: String) -> Tensor?) throws(AdaptiveError) {
        func values(_ name: String, _ shape: [Int]?) throws(AdaptiveError) -> [Float] {
            guard let found = tensor(prefix + name) else {
                throw .parameters("no tensor \(prefix)\(name)")
            }
            guard shape == nil || found.shape == shape else {
                throw .parameters(
                    "tensor \(prefix)\(name) has shape \(found.shape), needs \(shape ?? [])")
            }
            let span = found.span
            let values = span.indices.map { span[$0] }
            guard values.allSatisfy(\.isFinite) else {
                throw .parameters("\(prefix)\(name) holds a number that is not finite")
            }
            return values
        }
        self.init()
        guard tensor(prefix + "levels") != nil else { return }
        levels = try values("levels", nil)
        guard levels.count > 1, levels[0] == 0, rise(levels) else {
            throw .parameters("\(prefix)levels does not rise from 0")
        }
        let count = AdaptiveProfile.allCases.count
        let amounts = try values("profiles", [count, levels.count])
        guard amounts.allSatisfy({ 0...1 ~= $0 }) else {
            throw .parameters("\(prefix)profiles holds an amount that is not from 0 to 1")
        }
        profiles = (0..<count).map {
            Array(amounts[$0 * levels.count..<($0 + 1) * levels.count])
        }
        evidence = try EvidenceLimits(values("evidence", [7]), prefix)
        let points = try values("ranking", nil)
        let half = points.count / 2
        ranking = (Array(points[..<half]), Array(points[half...]))
        guard half > 1, points.count == 2 * half, rise(ranking.blends),
            ranking.amounts.allSatisfy({ 0...1 ~= $0 })
        else { throw .parameters("\(prefix)ranking holds no rising blends with amounts") }
    }
}

private func rise(_ values: [Float]) -> Bool { zip(values, values.dropFirst()).allSatisfy(<) }

extension EvidenceLimits {
    /// The numbers in the order of a file.
    var numbers: [Float] {
        [
            Float(rows), Float(mostRows), levels.lowerBound, levels.upperBound, step,
            Float(blocks), errors,
        ]
    }

    fileprivate init(_ numbers: [Float], _ prefix: String) throws(AdaptiveError) {
        guard let rows = Int(exactly: numbers[0]), let mostRows = Int(exactly: numbers[1]),
            let blocks = Int(exactly: numbers[5]), 2...rows ~= blocks, rows <= mostRows,
            0 < numbers[2], numbers[2] <= numbers[3], numbers[4] > 0
        else { throw .parameters("\(prefix)evidence holds numbers out of order: \(numbers)") }
        self.init()
        self.rows = rows
        self.mostRows = mostRows
        levels = numbers[2]...numbers[3]
        step = numbers[4]
        self.blocks = blocks
        errors = numbers[6]
    }
}
