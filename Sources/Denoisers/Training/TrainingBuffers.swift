internal import Kernels
internal import Tensors

/// What training steps read and write, in one block that each thread of a team reaches.
///
/// Places are counted in elements from the block's start, not held as a matrix each: two threads that
/// count references to the same thirty objects, many times a step, wait for each other.
struct TrainingBuffers: Sendable {
    /// Where a layer's parameters and intermediate values begin.
    struct LayerPlaces: Sendable {
        /// Where a half of the work finds what it makes of the layer's result.
        struct Half: Sendable {
            /// The result and its gradient, rows `LayerPlaces.stride` apart.
            let result, gradient: Int
            /// The result as the next layer's forward pass reads it, a row of lanes for each output.
            let resultLanes: Int
        }

        let input, output: Int
        let rectify: Bool
        /// The weight, as two halves, and the bias [output], from the start of the parameters.
        let weight, bias: Int
        /// A half's weight is [made, read]: half of the outputs and all inputs, but of the first layer all outputs
        /// and half of the inputs.
        let made, read: Int
        /// Elements from one row of the result to the next.
        let stride: Int
        let halves: InlineArray<2, Half>
        /// What each half of the weight adds to the gradient of the layer's input, [2, batch, input]; of the first
        /// layer's nobody asks.
        let parts: Int

        /// A half's weight.
        func weight(_ half: Int) -> Int { weight + half * made * read }

        /// Where a half finds the whole result of a layer before the last: its own, or both halves', which share
        /// their rows.
        func whole(_ half: Int) -> Half { made == output ? halves[half] : halves[0] }
    }

    /// Everything.
    let block: SharedMatrix
    private let batch: Int
    /// Rows of a batch where they lie in the lanes of vectors, which come 32 at a time.
    let lanes: Int
    /// The four layers, in order.
    let layers: InlineArray<4, LayerPlaces>
    /// Parameters begin the block; Adam's moments follow.
    let firstMoment, secondMoment: Int
    private let inputs, inputLanes, targets, sums, biasGradients: Int

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
        inputs = reserve(batch * width)
        inputLanes = reserve(width * lanes)
        targets = reserve(batch * width)
        biasGradients = reserve(2 * width)
        let shape = AutoencoderShape.layers
        sums = reserve(2 * shape[0].output * lanes)
        layers = InlineArray { index in
            let (input, output) = (shape[index].input, shape[index].output)
            let made = index == 0 ? output : output / 2
            // The next layer reads whole rows, of the halves in between.
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
        self.batch = batch
        self.lanes = lanes
        block = SharedMatrix(rows: 1, columns: end)
        var start = unsafe block.mutableSpan()
        for i in initial.indices { start[Self.place(of: i)] = initial[i] }
    }

    /// Where the parameter lies that is number `number` in `AutoencoderShape`'s order.
    ///
    /// Halves of the first layer's weight lie apart. With a row's halves beside each other the processor, which
    /// reads ahead, took one's end away from the other's core: a step on two cores took 1.11 of the time.
    private static func place(of number: Int) -> Int {
        let first = AutoencoderShape.layers[0]
        guard first.weight.contains(number) else { return number }
        let (row, column) = (number - first.offset).quotientAndRemainder(dividingBy: first.input)
        let (half, element) = column.quotientAndRemainder(dividingBy: elements)
        return first.offset + (half * first.output + row) * elements + element
    }

    /// The parameters, or something that lies as they do, in `AutoencoderShape`'s order.
    static func inOrder(_ values: Span<Float>) -> [Float] {
        (0..<AutoencoderShape.parameterCount).map { values[place(of: $0)] }
    }

    /// Elements of an embedding in a half.
    static let elements = AutoencoderShape.width / 2

    /// A half's elements of the noisy rows, [batch, 192].
    func input(_ half: Int) -> Int { inputs + half * batch * Self.elements }

    /// The same as the first layer's forward pass reads them, [192, lanes].
    func inputLanes(_ half: Int) -> Int { inputLanes + half * Self.elements * lanes }

    /// What should become of them, [batch, 192].
    func target(_ half: Int) -> Int { targets + half * batch * Self.elements }

    /// Copies `rows` of a half's input to where they lie in lanes.
    func layInLanes(_ half: Int, rows: Int) {
        var lanes = unsafe block.mutableSpan(from: inputLanes(half))
        transpose(
            block.span(from: input(half)), rows: rows, columns: Self.elements,
            strideY: self.lanes, into: &lanes)
    }

    /// What a half's elements add to the first layer's sums, [output, lanes].
    func sums(_ half: Int) -> Int { sums + half * layers[0].output * lanes }

    /// Half `half` of `layer`'s parts.
    func part(_ layer: LayerPlaces, _ half: Int) -> Int { layer.parts + half * batch * layer.input }

    /// Room for the gradient of a bias, for each half.
    func biasGradient(_ half: Int) -> Int { biasGradients + half * AutoencoderShape.width }
}
