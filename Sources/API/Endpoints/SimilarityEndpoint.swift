internal import Inference
internal import JSON
internal import System

/// `POST /similarity`: how alike a text and each of some others are, as cosines.
///
/// Both shapes of text-embeddings-inference's body are taken: its `inputs` object, and the two
/// members by themselves.
struct SimilarityEndpoint: Endpoint {
    let context: EndpointContext

    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        let limits = context.limits
        let body = try JSONBody.read(from: &body, of: request, limit: limits.bodyBytes)
        let asked = try SimilarityRequest(body, limits: limits)
        try request.admitAnswer(rows: asked.texts.count)
        let batch: EmbeddingBatch
        do throws(InferenceError) {
            batch =
                asked.denoises
                ? try context.service.denoise(
                    texts: asked.texts, noiseLevel: 0, for: request.caller)
                : try context.service.embed(texts: asked.texts, for: request.caller)
        } catch {
            throw APIError(error)
        }
        let cosines = batch.cosinesToFirst().map(JSONValue.double)
        var response = Response.json(
            status: 200, .array(cosines), headers: batch.headers)
        response.stages = batch.stages
        return response
    }

    static let description = RouteDescription(
        tag: "similarity", summary: "Similarity",
        description: "The cosine of `source` and each of `sentences`, from -1 to 1, in order. "
            + "`denoise` compares denoised embeddings.",
        operationID: "similarity", body: .init("application/json", "SimilarityRequest"),
        answer: "SimilarityResponse",
        schemas: [
            Schema(
                name: "SimilarityRequest",
                text: #"""
                    {
                      "properties": {
                        "source": {"type": "string", "title": "Source"},
                        "sentences": {
                          "items": {"type": "string"},
                          "type": "array",
                          "minItems": 1,
                          "title": "Sentences"
                        },
                        "denoise": {"type": "boolean", "title": "Denoise", "default": false}
                      },
                      "type": "object",
                      "required": ["source", "sentences"],
                      "title": "SimilarityRequest"
                    }
                    """#),
            Schema(
                name: "SimilarityResponse",
                text: #"""
                    {
                      "items": {"type": "number"},
                      "type": "array",
                      "title": "SimilarityResponse"
                    }
                    """#),
        ])
}

/// What a client asks of `POST /similarity`.
private struct SimilarityRequest {
    /// The text that the others are compared with, and those.
    var texts: [String]
    /// Whether denoised embeddings are compared.
    var denoises: Bool

    /// - Throws: what is wrong, in FastAPI's shape.
    init(_ body: JSONBody, limits: Limits) throws(APIError) {
        var issues = RequestIssues(limit: limits.issues, quoting: limits.quotedBytes)
        guard let text = try body.text(&issues), let tree = try text.object(limits, &issues) else {
            throw issues.error
        }
        var place: [LocationPart] = ["body"]
        var object = tree.root
        var (source, sentences) = ("source", "sentences")
        if let inputs = tree.member("inputs", of: object), case .object = tree.kind(of: inputs) {
            (object, source, place) = (inputs, "source_sentence", place + ["inputs"])
        }
        var reader = MemberReader(tree: tree, object: object, place: place, issues: issues)
        let first = reader.text(source)
        let others = reader.texts(sentences, limit: limits.texts - 1)
        reader.object = tree.root
        reader.place = ["body"]
        let denoises = reader.bool("denoise")
        guard reader.issues.isEmpty, let first, let others else { throw reader.issues.error }
        texts = [first] + others
        self.denoises = denoises
    }
}

/// Reads members of an object and notes what is wrong with them.
private struct MemberReader {
    let tree: JSONTree
    var object: JSONNode
    var place: [LocationPart]
    var issues: RequestIssues

    /// The string `name`; nil if there is none, which is an issue.
    mutating func text(_ name: String) -> String? {
        guard let node = required(name) else { return nil }
        return text(node, at: place + [.name(name)])
    }

    /// The strings of the list `name`, at least one; nil if there is none, which is an issue.
    mutating func texts(_ name: String, limit: Int) -> [String]? {
        guard let list = required(name) else { return nil }
        let place = place + [.name(name)]
        guard case .array = tree.kind(of: list) else {
            note(.notAList, list, at: place)
            return nil
        }
        let count = tree.count(of: list)
        if count == 0 || count > limit {
            issues.shared.add(
                count == 0 ? .noItems : .tooManyItems(given: count, limit: limit), at: place)
            return nil
        }
        var texts: [String] = []
        tree.forEachElement(of: list) { index, element in
            if let text = text(element, at: place + [.index(index)]) { texts.append(text) }
            return true
        }
        return texts
    }

    /// The truth value `name`; false if it is left out.
    mutating func bool(_ name: String) -> Bool {
        guard let node = tree.member(name, of: object) else { return false }
        if case .bool(let value) = tree.kind(of: node) { return value }
        note(.notABool, node, at: place + [.name(name)])
        return false
    }

    private mutating func text(_ node: JSONNode, at place: [LocationPart]) -> String? {
        if case .string = tree.kind(of: node) {
            return String(replacingSurrogatesIn: tree.string(of: node))
        }
        note(.notAString, node, at: place)
        return nil
    }

    private mutating func required(_ name: String) -> JSONNode? {
        let node = tree.member(name, of: object)
        if node == nil { note(.missing, object, at: place + [.name(name)]) }
        return node
    }

    private mutating func note(_ type: IssueType, _ node: JSONNode, at place: [LocationPart]) {
        let tree = tree
        issues.shared.add(type, at: place, size: tree.length(of: node)) {
            tree.write(node, into: &$0)
        }
    }
}
