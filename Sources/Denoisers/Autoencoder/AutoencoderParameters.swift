public import Tensors

/// A trained autoencoder's numbers, immutable and shared.
public struct AutoencoderParameters: Sendable {
    /// What they are the numbers of.
    public let architecture: AutoencoderArchitecture

    /// All layers' weights and biases, end to end: [parameterCount].
    let flat: Tensor

    init(flat: Tensor, architecture: AutoencoderArchitecture = .original) {
        precondition(flat.count == architecture.parameterCount, "\(flat.count) parameters")
        self.flat = flat
        self.architecture = architecture
    }

    /// Takes the parameters by name and shape from `tensor`.
    public init<Failure: Error>(
        architecture: AutoencoderArchitecture = .original,
        tensor: (_ name: String, _ shape: [Int]) throws(Failure) -> Tensor
    ) throws(Failure) {
        var values: [Float] = []
        values.reserveCapacity(architecture.parameterCount)
        for index in architecture.layers.indices {
            let layer = architecture.layers[index]
            for tensor in [
                try tensor("\(layer.name).weight", [layer.output, layer.input]),
                try tensor("\(layer.name).bias", [layer.output]),
            ] {
                let span = tensor.span
                for i in span.indices { values.append(span[i]) }
            }
        }
        self.init(
            flat: Tensor(shape: [values.count], copying: values.span), architecture: architecture)
    }

    /// PyTorch's default initialisation: weights and biases uniform in ±1/√fan-in.
    public init(
        initializedFrom seed: UInt64, architecture: AutoencoderArchitecture = .original
    ) {
        var random = SeededRandom(seed: seed)
        var values: [Float] = []
        values.reserveCapacity(architecture.parameterCount)
        for index in architecture.layers.indices {
            let layer = architecture.layers[index]
            let bound = 1 / Float(layer.input).squareRoot()
            for _ in 0..<layer.weight.count + layer.bias.count {
                values.append(Float.random(in: -bound...bound, using: &random))
            }
        }
        self.init(
            flat: Tensor(shape: [values.count], copying: values.span), architecture: architecture)
    }

    /// Names, in the order of the checkpoint, with their tensors.
    public var named: [(name: String, tensor: Tensor)] {
        architecture.layers.indices.flatMap { index in
            let layer = architecture.layers[index]
            return [
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
    public var isFinite: Bool { flat.isFinite }
}

extension Tensor {
    /// Whether every element is a finite number.
    var isFinite: Bool {
        let span = span
        for i in span.indices where !span[i].isFinite { return false }
        return true
    }
}
