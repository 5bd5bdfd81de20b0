internal import Kernels

/// What training steps read and write, in one block that each thread of a team reaches.
///
/// Places are counted in elements from the block's start, not held as a matrix each: two threads that
/// count references to the same thirty objects, many times a step, wait for each other.
struct TrainingBuffers: Sendable {
    /// Where a layer's parameters and intermediate values begin.
    struct LayerPlaces: Sendable {
        let input, output: Int
        let rectify: Bool
        /// The weight [output, input] and the bias [output], from the start of the parameters.
        let weight, bias: Int
        /// The layer's result and the result's gradient, [batch, output].
        let result, gradient: Int
        /// The result as the next layer's forward pass reads it, [output, lanes].
        let resultLanes: Int
        /// What each half of the outputs adds to the gradient of the layer's input: [2, batch, input].
        let parts: Int

        /// Half 0 or 1 of the outputs.
        func outputs(half: Int) -> Range<Int> { output / 2 * half..<output / 2 * (half + 1) }
    }

    /// Everything.
    let block: SharedMatrix
    private let batch: Int
    /// Rows of a batch where they lie in the lanes of vectors, which come 32 at a time.
    let lanes: Int
    /// The four layers, in order.
    let layers: InlineArray<4, LayerPlaces>
    /// Parameters, laid out as `AutoencoderShape` says, begin the block; Adam's moments follow.
    let firstMoment, secondMoment: Int
    private let inputs, inputLanes, targets, biasGradients: Int

    /// Buffers for batches of up to `batch` rows, training from `initial`.
    init(batch: Int, initial: Span<Float>) {
        let width = AutoencoderShape.width
        var end = 0
        func reserve(_ count: Int) -> Int {
            defer { end += count }
            return end
        }
        let parameters = reserve(AutoencoderShape.parameterCount)
        precondition(parameters == 0 && initial.count == end, "\(initial.count) parameters")
        firstMoment = reserve(AutoencoderShape.parameterCount)
        secondMoment = reserve(AutoencoderShape.parameterCount)
        let lanes = (batch + 31) / 32 * 32
        inputs = reserve(2 * batch * width)
        inputLanes = reserve(2 * width * lanes)
        targets = reserve(2 * batch * width)
        biasGradients = reserve(2 * width)
        let shape = AutoencoderShape.layers
        layers = InlineArray { index in
            LayerPlaces(
                input: shape[index].input, output: shape[index].output,
                rectify: shape[index].rectify,
                weight: shape[index].weight.lowerBound, bias: shape[index].bias.lowerBound,
                result: reserve(batch * shape[index].output),
                gradient: reserve(batch * shape[index].output),
                resultLanes: reserve(shape[index].output * lanes),
                parts: reserve(2 * batch * shape[index].input))
        }
        self.batch = batch
        self.lanes = lanes
        block = SharedMatrix(rows: 1, columns: end)
        var start = unsafe block.mutableSpan()
        for i in initial.indices { start[i] = initial[i] }
    }

    /// Noisy rows of an even or odd step, [batch, 384]; two, so that one step's can be filled while the
    /// other thread is still busy with the last one.
    func input(turn: Int) -> Int { inputs + turn * batch * AutoencoderShape.width }

    /// The same rows as the first layer's forward pass reads them, [384, lanes].
    func inputLanes(turn: Int) -> Int { inputLanes + turn * lanes * AutoencoderShape.width }

    /// Copies `rows` of a step's input to where they lie in lanes.
    func layInLanes(_ rows: Range<Int>, turn: Int) {
        let width = AutoencoderShape.width
        var lanes = unsafe block.mutableSpan(from: inputLanes(turn: turn) + rows.lowerBound)
        transpose(
            block.span(from: input(turn: turn) + rows.lowerBound * width), rows: rows.count,
            columns: width, strideY: self.lanes, into: &lanes)
    }

    /// What should become of them, [batch, 384].
    func target(turn: Int) -> Int { targets + turn * batch * AutoencoderShape.width }

    /// Half `half` of `layer`'s parts.
    func part(_ layer: LayerPlaces, _ half: Int) -> Int { layer.parts + half * batch * layer.input }

    /// Room for the gradient of a bias, for each half.
    func biasGradient(_ half: Int) -> Int { biasGradients + half * AutoencoderShape.width }
}
