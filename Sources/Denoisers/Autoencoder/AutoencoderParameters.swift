internal import Kernels
public import Tensors

/// A trained autoencoder's numbers, immutable and shared.
public struct AutoencoderParameters: Sendable {
    /// All layers' weights and biases, end to end: [parameterCount].
    let flat: Tensor

    init(flat: Tensor) {
        precondition(
            flat.count == AutoencoderShape.parameterCount, "\(flat.count) parameters")
        self.flat = flat
    }

    /// Takes the parameters by name and shape from `tensor`.
    public init<Failure: Error>(
        tensor: (_ name: String, _ shape: [Int]) throws(Failure) -> Tensor
    ) throws(Failure) {
        var values: [Float] = []
        values.reserveCapacity(AutoencoderShape.parameterCount)
        for layer in AutoencoderShape.layers {
            for tensor in [
                try tensor("\(layer.name).weight", [layer.output, layer.input]),
                try tensor("\(layer.name).bias", [layer.output]),
            ] {
                let span = tensor.span
                for i in span.indices { values.append(span[i]) }
            }
        }
        self.init(flat: Tensor(shape: [values.count], copying: values.span))
    }

    /// PyTorch's default initialisation: weights and biases uniform in ±1/√fan-in.
    public init(initializedFrom seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var values: [Float] = []
        values.reserveCapacity(AutoencoderShape.parameterCount)
        for layer in AutoencoderShape.layers {
            let bound = 1 / Float(layer.input).squareRoot()
            for _ in 0..<layer.weight.count + layer.bias.count {
                values.append(Float.random(in: -bound...bound, using: &random))
            }
        }
        self.init(flat: Tensor(shape: [values.count], copying: values.span))
    }

    /// Names, in the order of the checkpoint, with their tensors.
    public var named: [(name: String, tensor: Tensor)] {
        AutoencoderShape.layers.flatMap { layer in
            [
                (
                    "\(layer.name).weight",
                    Tensor(
                        shape: [layer.output, layer.input],
                        copying: flat.span.extracting(layer.weight))
                ),
                (
                    "\(layer.name).bias",
                    Tensor(shape: [layer.output], copying: flat.span.extracting(layer.bias))
                ),
            ]
        }
    }

    /// Whether every parameter is a finite number.
    public var isFinite: Bool {
        let span = flat.span
        for i in span.indices where !span[i].isFinite { return false }
        return true
    }
}
