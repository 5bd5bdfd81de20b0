internal import Kernels
public import Tensors

extension AdaptiveParameters {
    /// What the names of an adaptive denoiser's tensors begin with in a model's file.
    public static let prefix = "adaptive."

    /// Takes the parameters by name.
    ///
    /// The width is that of `mu`, the number of hidden units half the rows of `Wi`. Pilots and
    /// tables of strength may be missing: then no element is taken for a pilot, and the tables are
    /// the default ones.
    ///
    /// - Parameters:
    ///   - prefix: what the names begin with.
    ///   - tensor: the tensor of a name, nil if there is none.
    /// - Throws: `parameters`, naming the tensor and the shape that would be right.
    public init(
        prefix: String = Self.prefix, tensor: (_ name: String) -> Tensor?
    ) throws(AdaptiveError) {
        func find(_ name: String, _ shape: [Int]) throws(AdaptiveError) -> Tensor {
            guard let found = tensor(prefix + name) else {
                throw .parameters("no tensor \(prefix)\(name)")
            }
            guard found.shape == shape else {
                throw .parameters(
                    "tensor \(prefix)\(name) has shape \(found.shape), needs \(shape)")
            }
            return found
        }
        guard let width = tensor(prefix + "mu")?.count, width > 0,
            let rows = tensor(prefix + "Wi")?.shape.first, rows > 0, rows % 2 == 0
        else {
            throw .parameters("no tensors \(prefix)mu [width] and \(prefix)Wi [2 · hidden, width]")
        }
        let shape = AdaptiveShape(width: width, hidden: rows / 2)
        let layers = TrainedLayers(
            inputWeight: try find("Wi", [rows, width]), inputBias: try find("bi", [rows]),
            levelWeight: try find("Ws", [rows, AdaptiveShape.features.count]),
            outputWeight: try find("Wo", [width, rows / 2]), outputBias: try find("bo", [width]))
        let pilots = try tensor(prefix + Self.pilotsName).map { tensor throws(AdaptiveError) in
            try Self.pilots(tensor, width: width)
        }
        self.init(
            constants: AdaptiveConstants(
                mean: try find("mu", [width]), axes: try find("U", [width, width]),
                variances: try find("w", [width]), pilots: pilots ?? []),
            shape: shape, flat: layers.flat(shape),
            strengths: try StrengthTables(prefix: prefix, tensor: tensor))
        guard isFinite else {
            throw .parameters("a number under \(prefix) is not finite, or a variance not above 0")
        }
    }

    /// The name of the pilots' tensor, without `prefix`.
    public static let pilotsName = "pilots"

    /// The pilots that `tensor` holds, of rows of `width` elements.
    ///
    /// - Throws: `parameters` if a value is no element.
    public static func pilots(
        _ tensor: Tensor, width: Int
    ) throws(AdaptiveError) -> [Int] {
        let values = tensor.span
        var pilots: [Int] = []
        for i in values.indices {
            guard let pilot = Int(exactly: values[i]), 0..<width ~= pilot else {
                throw .parameters(
                    "\(prefix)\(pilotsName) holds \(values[i]), no element of \(width)")
            }
            pilots.append(pilot)
        }
        return pilots
    }

    /// Names, which begin with `prefix`, with their tensors, in the order of a file.
    public var named: [(name: String, tensor: Tensor)] {
        let layers = TrainedLayers(flat.span, shape)
        var named: [(name: String, tensor: Tensor)] = [
            ("mu", mean), ("U", axes), ("w", variances), ("Wi", layers.inputWeight),
            ("bi", layers.inputBias), ("Ws", layers.levelWeight), ("Wo", layers.outputWeight),
            ("bo", layers.outputBias),
        ]
        if !pilots.isEmpty {
            let values = pilots.map { Float($0) }
            named.append((Self.pilotsName, Tensor(shape: [values.count], copying: values.span)))
        }
        named += strengths.named
        return named.map { (Self.prefix + $0.name, $0.tensor) }
    }

    /// The names, without `prefix`, of tensors that lose nothing that shows if a file keeps them in
    /// half precision.
    public static let halfPrecision: Set<String> = ["U", "Wi", "bi", "Ws", "Wo", "bo"]
}

/// The trained layers as files name them.
struct TrainedLayers {
    /// Wi [2 · hidden, width] and bi [2 · hidden]; the first half of the rows gates the second.
    let inputWeight, inputBias: Tensor
    /// Ws [2 · hidden, 8].
    let levelWeight: Tensor
    /// Wo [width, hidden] and bo [width].
    let outputWeight, outputBias: Tensor

    init(
        inputWeight: Tensor, inputBias: Tensor, levelWeight: Tensor, outputWeight: Tensor,
        outputBias: Tensor
    ) {
        self.inputWeight = inputWeight
        self.inputBias = inputBias
        self.levelWeight = levelWeight
        self.outputWeight = outputWeight
        self.outputBias = outputBias
    }

    /// Takes the layers out of `flat`, which lies as `shape` says.
    init(_ flat: Span<Float>, _ shape: AdaptiveShape) {
        let (rows, width, inputs) = (2 * shape.hidden, shape.width, shape.inputs)
        func columns(_ range: Range<Int>) -> Tensor {
            var values: [Float] = []
            values.reserveCapacity(rows * range.count)
            for row in 0..<rows {
                for column in range { values.append(flat[row * inputs + column]) }
            }
            return Tensor(shape: [rows, range.count], copying: values.span)
        }
        let features = width..<width + AdaptiveShape.features.count
        inputWeight = columns(0..<width)
        levelWeight = columns(features)
        let bias = columns(features.upperBound..<features.upperBound + 1)
        inputBias = Tensor(shape: [rows], copying: bias.span)
        outputWeight = Tensor(
            shape: [width, shape.hidden], copying: flat.extracting(shape.second))
        outputBias = Tensor(shape: [width], copying: flat.extracting(shape.bias))
    }

    /// All numbers as `shape` lays them out.
    func flat(_ shape: AdaptiveShape) -> Tensor {
        let (width, inputs) = (shape.width, shape.inputs)
        let count = AdaptiveShape.features.count
        let (input, level, bias) = (inputWeight.span, levelWeight.span, inputBias.span)
        let (output, outputBias) = (outputWeight.span, outputBias.span)
        return Tensor(shape: [shape.parameterCount]) { flat in
            for row in 0..<2 * shape.hidden {
                let start = row * inputs
                copy(input.extracting(row * width..<(row + 1) * width), to: start, of: &flat)
                copy(
                    level.extracting(row * count..<(row + 1) * count), to: start + width, of: &flat)
                flat[start + width + count] = bias[row]
            }
            copy(output, to: shape.second.lowerBound, of: &flat)
            copy(outputBias, to: shape.bias.lowerBound, of: &flat)
        }
    }
}

private func copy(
    _ values: Span<Float>, to start: Int, of output: inout MutableSpan<Float>
) {
    var place = output._mutatingExtracting(start..<start + values.count)
    copy(values, into: &place)
}
