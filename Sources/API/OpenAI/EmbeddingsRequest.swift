internal import JSON

/// What a client asks of `POST /v1/embeddings`.
struct EmbeddingsRequest {
    /// What is embedded or denoised.
    enum Input {
        case texts([String])
        /// Embeddings, row-major [rows, 384].
        case vectors([Float])
    }

    /// How vectors are printed.
    enum Encoding: String {
        /// A JSON array of numbers.
        case float
        /// Little-endian single-precision numbers in base64.
        case base64
    }

    var input: Input
    /// The model's name as the client spells it.
    var model: String
    var denoises: Bool
    /// Standard deviation of the noise that is added first: finite, at least 0.
    var noiseLevel: Float
    var encoding: Encoding
    /// Elements that are left of each vector; nil leaves all.
    var dimensions: Int?

    /// Rows of the answer.
    var rows: Int {
        switch input {
        case .texts(let texts): texts.count
        case .vectors(let values): values.count / EmbeddingReading.columns
        }
    }

    /// Reads `body`; members of other names are ignored, and `null` is as good as absent.
    ///
    /// - Throws: what is wrong, with the member's name.
    init(_ body: JSONBody, of models: ServedModels, limits: Limits) throws(APIError) {
        let members = try OpenAIMembers(body, limits: limits)
        guard let model = try members.string("model") else {
            throw .wrong(
                "model", "you must provide a model parameter, such as \"\(ServedModels.plain)\"")
        }
        self.model = model
        let isDenoisedByName = try models.denoises(model)
        denoises = try members.bool("denoise") ?? isDenoisedByName
        encoding = try Self.encoding(members)
        dimensions = try Self.dimensions(members)
        noiseLevel = try Self.noiseLevel(members)
        if noiseLevel > 0, !denoises {
            throw .wrong(
                "noise_level",
                "'noise_level' is for denoising; name the model \"\(ServedModels.denoised)\", or "
                    + "send \"denoise\": true")
        }
        input = try members.input(limits: limits)
        if case .vectors = input, !denoises {
            throw .wrong(
                "input",
                "vectors are input for denoising; name the model \"\(ServedModels.denoised)\", or "
                    + "send \"denoise\": true")
        }
    }

    private static func encoding(_ members: OpenAIMembers) throws(APIError) -> Encoding {
        guard let node = members["encoding_format"] else { return .float }
        guard case .string = members.tree.kind(of: node),
            let encoding = Encoding(
                rawValue: String(replacingSurrogatesIn: members.tree.string(of: node)))
        else {
            throw .wrong(
                "encoding_format",
                "Invalid value for 'encoding_format': \(members.quote(node)); it is \"float\" or "
                    + "\"base64\"")
        }
        return encoding
    }

    private static func dimensions(_ members: OpenAIMembers) throws(APIError) -> Int? {
        guard let node = members["dimensions"] else { return nil }
        let value = members.number(node)
        guard case .integer = members.tree.kind(of: node), let value,
            1...Double(EmbeddingReading.columns) ~= value
        else {
            throw .wrong(
                "dimensions",
                "Invalid value for 'dimensions': \(members.quote(node)); it is an integer from 1 to "
                    + "\(EmbeddingReading.columns)")
        }
        return Int(value)
    }

    private static func noiseLevel(_ members: OpenAIMembers) throws(APIError) -> Float {
        guard let node = members[NoiseLevel.name] else { return 0 }
        guard let value = members.number(node), value >= 0, value.isFinite else {
            throw .wrong(
                NoiseLevel.name,
                "Invalid value for 'noise_level': \(members.quote(node)); it is a number of at "
                    + "least 0")
        }
        return NoiseLevel.single(value)
    }
}

extension APIError {
    /// 400 below `/v1/`: the member `name` of the body is wrong.
    static func wrong(_ name: String?, _ text: String, code: String? = nil) -> APIError {
        var error = APIError(.malformed, text)
        error.parameter = name
        error.code = code
        return error
    }
}

/// The members of a body below `/v1/`.
struct OpenAIMembers {
    let tree: JSONTree

    /// - Throws: why `body` is no JSON object.
    init(_ body: JSONBody, limits: Limits) throws(APIError) {
        let tree: JSONTree
        switch body {
        case .empty:
            throw .wrong(nil, "the body is empty; send a JSON object with `model` and `input`")
        case .other:
            throw .wrong(nil, "the body is not called JSON; send Content-Type: application/json")
        case .json(let bytes):
            do {
                tree = try JSONTree(JSONText(decoding: bytes), depth: limits.jsonDepth)
            } catch {
                throw .wrong(
                    nil,
                    "the body is not JSON: \(error.message), at character \(error.position)")
            }
        }
        guard case .object = tree.kind(of: tree.root) else {
            throw .wrong(nil, "the body is no JSON object; send one with `model` and `input`")
        }
        self.tree = tree
    }

    /// The member named `name`; nil if it is absent or `null`.
    subscript(name: String) -> JSONNode? {
        guard let node = tree.member(name, of: tree.root) else { return nil }
        if case .null = tree.kind(of: node) { return nil }
        return node
    }

    func string(_ name: String) throws(APIError) -> String? {
        guard let node = self[name] else { return nil }
        guard case .string = tree.kind(of: node) else {
            throw .wrong(name, "Invalid type for '\(name)': \(quote(node)); it is a string")
        }
        return String(replacingSurrogatesIn: tree.string(of: node))
    }

    func bool(_ name: String) throws(APIError) -> Bool? {
        guard let node = self[name] else { return nil }
        guard case .bool(let value) = tree.kind(of: node) else {
            throw .wrong(name, "Invalid type for '\(name)': \(quote(node)); it is true or false")
        }
        return value
    }

    /// The value of a number; nil if `node` is something else.
    func number(_ node: JSONNode) -> Double? {
        switch tree.kind(of: node) {
        case .integer, .float: tree.double(of: node)
        default: nil
        }
    }

    /// The beginning of a value as it was sent.
    func quote(_ node: JSONNode) -> String {
        let text = tree.text(of: node)
        let beginning = String(decoding: text.prefix(60), as: UTF8.self)
        return text.count > 60 ? beginning + "…" : beginning
    }
}

// MARK: Input

extension OpenAIMembers {
    private static let input = "input"

    /// The most inputs of a request, by OpenAI's description.
    private static let mostInputs = 2_048

    /// What the member `input` holds.
    fileprivate func input(limits: Limits) throws(APIError) -> EmbeddingsRequest.Input {
        guard let node = self[Self.input] else {
            throw .wrong(
                Self.input, "you must provide an input parameter: a string or a list of strings")
        }
        switch tree.kind(of: node) {
        case .string:
            return .texts([String(replacingSurrogatesIn: tree.string(of: node))])
        case .array: return try list(node, limits: limits)
        default:
            throw .wrong(
                Self.input,
                "Invalid type for 'input': \(quote(node)); it is a string or a list of strings")
        }
    }

    private func list(
        _ list: JSONNode, limits: Limits
    ) throws(APIError) -> EmbeddingsRequest.Input {
        var first: JSONNode.Kind?
        tree.forEachElement(of: list) { _, element in
            first = tree.kind(of: element)
            return false
        }
        switch first {
        case nil:
            throw .wrong(Self.input, "'input' is an empty list; it holds at least one string")
        case .string: return .texts(try texts(list, limit: min(limits.texts, Self.mostInputs)))
        case .array: return .vectors(try vectors(list, limit: min(limits.rows, Self.mostInputs)))
        case .integer: throw Self.tokenIDs
        default:
            throw .wrong(
                Self.input,
                "Invalid type for 'input': \(quote(list)); its elements are strings")
        }
    }

    private func check(_ count: Int, limit: Int) throws(APIError) {
        if count > limit {
            throw .wrong(
                Self.input, "'input' holds \(count) elements, more than the limit of \(limit)",
                code: "array_above_max_length")
        }
    }

    private func texts(_ list: JSONNode, limit: Int) throws(APIError) -> [String] {
        try check(tree.count(of: list), limit: limit)
        var texts: [String] = []
        var wrong: (index: Int, JSONNode)?
        tree.forEachElement(of: list) { index, element in
            guard case .string = tree.kind(of: element) else {
                wrong = (index, element)
                return false
            }
            texts.append(String(replacingSurrogatesIn: tree.string(of: element)))
            return true
        }
        if let (index, element) = wrong {
            throw .wrong(
                Self.input,
                "Invalid type for 'input[\(index)]': \(quote(element)); it is a string")
        }
        return texts
    }

    /// The rows of a list of lists.
    ///
    /// A list in which every number is an integer holds token ids, which clients of OpenAI's own
    /// models send. JavaScript prints whole numbers as integers, but no vector has only those.
    private func vectors(_ list: JSONNode, limit: Int) throws(APIError) -> [Float] {
        let rows = tree.count(of: list)
        try check(rows, limit: limit)
        var vectors = VectorList(members: self)
        vectors.values.reserveCapacity(rows * EmbeddingReading.columns)
        tree.forEachElement(of: list) { index, row in
            vectors.add(row, at: "input[\(index)]")
            return vectors.failure == nil
        }
        if vectors.holdsTokenIDs { throw Self.tokenIDs }
        if let failure = vectors.failure { throw failure }
        return vectors.values
    }

    private static let tokenIDs = APIError.wrong(
        input,
        "'input' holds token ids of another vocabulary; send text instead (in LangChain: "
            + "OpenAIEmbeddings(check_embedding_ctx_length=False))")
}

/// Reads vectors until one is wrong.
private struct VectorList {
    let members: OpenAIMembers
    var values: [Float] = []
    private(set) var failure: APIError?
    private var hasFraction = false
    private var hasWrongValue = false

    init(members: OpenAIMembers) { self.members = members }

    /// Whether all rows so far are lists of integers.
    var holdsTokenIDs: Bool { !hasFraction && !hasWrongValue }

    /// Adds the vector that stands at `place`.
    mutating func add(_ row: JSONNode, at place: String) {
        let columns = EmbeddingReading.columns
        guard case .array = members.tree.kind(of: row) else {
            refuse(row, at: place, "it is a list of \(columns) numbers")
            return
        }
        var count = 0
        members.tree.forEachElement(of: row) { column, element in
            guard let value = members.number(element).map({ Float($0) }), value.isFinite else {
                refuse(element, at: "\(place)[\(column)]", "it is a finite number")
                return false
            }
            if case .float = members.tree.kind(of: element) { hasFraction = true }
            count += 1
            if count <= columns { values.append(value) }
            return true
        }
        if failure == nil, count != columns {
            failure = .wrong(
                "input", "'\(place)' has \(count) numbers; a vector has \(columns)")
        }
    }

    private mutating func refuse(_ node: JSONNode, at place: String, _ right: String) {
        hasWrongValue = true
        failure = .wrong(
            "input", "Invalid value for '\(place)': \(members.quote(node)); \(right)")
    }
}
