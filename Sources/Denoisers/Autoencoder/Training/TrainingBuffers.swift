internal import Kernels
internal import Tensors

/// If training steps find what they read and write in one block.
///
/// Places are counted in elements from the block's start. A matrix each would be thirty objects
/// whose references two threads count many times a step, and each count makes the other thread
/// wait.
struct TrainingLayout: Sendable {
    /// If a layer's parameters and intermediate values begin.
    struct LayerPlaces: Sendable {
        /// One half's part of a layer's result.
        struct Half: Sendable {
            /// The result and its gradient, rows `LayerPlaces.stride` apart.
            let result, gradient: Int
            /// The result transposed, as the next layer's forward pass reads it: [made, lanes].
            let resultLanes: Int
        }

        let input, output: Int
        let rectify: Bool
        /// The weight, as two halves, and the bias [output], from the start of the parameters.
        let weight, bias: Int
        /// Extents of a half's weight, [made, read].
        ///
        /// Layer 0 is split by input columns, all other layers by output rows.
        let made, read: Int
        /// Elements from one row of the result to the next.
        let stride: Int
        let halves: InlineArray<2, Half>
        /// Each half's part of the gradient of the layer's input, [2, batch, input]; unused for
        /// layer 0.
        let parts: Int

        /// A half's weight.
        func weight(_ half: Int) -> Int { weight + half * made * read }

        /// The half that holds all of the result of a layer before the last: its own, or the first
        /// if both halves share their rows.
        func whole(_ half: Int) -> Half { made == output ? halves[half] : halves[0] }
    }

    let architecture: AutoencoderArchitecture
    /// Rows of a batch in the lanes of vectors: a multiple of 32.
    let lanes: Int
    /// The four layers, in order.
    let layers: InlineArray<4, LayerPlaces>
    /// Parameters begin the block; Adam's moments follow.
    let firstMoment, secondMoment: Int
    /// Elements of the block.
    let count: Int
    private let batch: Int
    private let inputs, inputLanes, targets, sums, biasGradients: Int

    /// The layout for batches of up to `batch` rows.
    init(batch: Int, architecture: AutoencoderArchitecture) {
        let width = architecture.width
        let shape = architecture.layers
        precondition(shape.count == 4, "\(shape.count) layers")
        var end = 0
        func reserve(_ count: Int) -> Int {
            defer { end += count }
            return end
        }
        let parameters = reserve(architecture.parameterCount)
        precondition(parameters == 0, "parameters at \(parameters)")
        firstMoment = reserve(architecture.parameterCount)
        secondMoment = reserve(architecture.parameterCount)
        let lanes = (batch + 31) / 32 * 32
        inputs = reserve(batch * width)
        inputLanes = reserve(width * lanes)
        targets = reserve(batch * width)
        biasGradients = reserve(2 * max(width, architecture.hidden))
        sums = reserve(2 * shape[0].output * lanes)
        layers = InlineArray { index in
            let (input, output) = (shape[index].input, shape[index].output)
            let made = index == 0 ? output : output / 2
            // Layers between the first and the last share rows: the next layer reads whole ones.
            let isApart = index == 0 || index == shape.count - 1
            let stride = isApart ? made : output
            let (result, gradient) = (reserve(2 * batch * made), reserve(2 * batch * made))
            let resultLanes = reserve(2 * made * lanes)
            return LayerPlaces(
                input: input, output: output, rectify: shape[index].rectify,
                weight: shape[index].weight.lowerBound, bias: shape[index].bias.lowerBound,
                made: made, read: index == 0 ? input / 2 : input, stride: stride,
                halves: InlineArray { half in
                    let offset = half * (isApart ? batch * made : made)
                    return LayerPlaces.Half(
                        result: result + offset, gradient: gradient + offset,
                        resultLanes: resultLanes + half * made * lanes)
                },
                parts: reserve(index == 0 ? 0 : 2 * batch * input))
        }
        self.architecture = architecture
        self.batch = batch
        self.lanes = lanes
        count = end
    }

    /// Elements of an embedding in a half.
    var elements: Int { architecture.width / 2 }

    /// A half's elements of the noisy rows, [batch, elements].
    func input(_ half: Int) -> Int { inputs + half * batch * elements }

    /// The same transposed, as the first layer's forward pass reads them, [elements, lanes].
    func inputLanes(_ half: Int) -> Int { inputLanes + half * elements * lanes }

    /// A half's elements of the clean rows, [batch, elements].
    func target(_ half: Int) -> Int { targets + half * batch * elements }

    /// What a half's elements add to the first layer's sums, [output, lanes].
    func sums(_ half: Int) -> Int { sums + half * layers[0].output * lanes }

    /// Half `half` of `layer`'s parts.
    func part(_ layer: LayerPlaces, _ half: Int) -> Int { layer.parts + half * batch * layer.input }

    /// Room for the gradient of a bias, for each half.
    func biasGradient(_ half: Int) -> Int {
        biasGradients + half * max(architecture.width, architecture.hidden)
    }

    /// If the parameter lies that is number `number` in the architecture's order.
    ///
    /// Halves of the first layer's weight lie apart: with both halves of a row side by side, the
    /// processor's prefetching takes one core's cache lines away from the other core.
    func place(of number: Int) -> Int {
        let first = architecture.layers[0]
        guard first.weight.contains(number) else { return number }
        let (row, column) = (number - first.offset).quotientAndRemainder(dividingBy: first.input)
        let (half, element) = column.quotientAndRemainder(dividingBy: elements)
        return first.offset + (half * first.output + row) * elements + element
    }
}

/// What training steps read and write, in one block that each thread of a team reaches.
struct TrainingBuffers: Sendable {
    let layout: TrainingLayout

    /// Everything.
    let block: SharedMatrix

    /// Buffers for batches of up to `batch` rows, training from `initial`.
    init(
        batch: Int, initial: Span<Float>, architecture: AutoencoderArchitecture = .original
    ) {
        layout = TrainingLayout(batch: batch, architecture: architecture)
        precondition(
            initial.count == architecture.parameterCount, "\(initial.count) parameters")
        block = SharedMatrix(rows: 1, columns: layout.count)
        var start = unsafe block.mutableSpan()
        for i in initial.indices { start[layout.place(of: i)] = initial[i] }
    }

    /// Bytes of buffers for batches of up to `batch` rows.
    static func bytes(batch: Int, architecture: AutoencoderArchitecture = .original) -> Int {
        TrainingLayout(batch: batch, architecture: architecture).count * MemoryLayout<Float>.stride
    }

    /// The parameters, or something that lies as they do, in the architecture's order.
    func inOrder(_ values: Span<Float>) -> [Float] {
        (0..<layout.architecture.parameterCount).map { values[layout.place(of: $0)] }
    }

    /// Transposes `rows` of a half's input into lanes.
    func layInLanes(_ half: Int, rows: Int) {
        transpose(
            block.view(from: layout.input(half), rows: rows, columns: layout.elements),
            into: unsafe block.mutableView(
                from: layout.inputLanes(half), rows: layout.elements, columns: rows,
                stride: layout.lanes))
    }
}
