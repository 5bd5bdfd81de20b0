/// The models that OpenAI's clients name: one embeds, one embeds and denoises.
public struct ServedModels: Sendable, Equatable {
    /// Embeds texts.
    public static let plain = "all-MiniLM-L6-v2"

    /// Embeds texts and denoises the embeddings.
    public static let denoised = "all-MiniLM-L6-v2-denoised"

    /// Both names.
    public static let names = [plain, denoised]

    /// Names of the operator's own, in order, and the model that each stands for.
    public let aliases: [(name: String, model: String)]

    /// The two models under their own names and under `aliases`, whose models are among `names`.
    public init(aliases: [(name: String, model: String)] = []) { self.aliases = aliases }

    /// The names by which clients may ask.
    var all: [String] { Self.names + aliases.map(\.name) }

    /// Whether the model called `name` denoises.
    ///
    /// - Throws: `model_not_found`, which lists the names, if there is none.
    func denoises(_ name: String) throws(APIError) -> Bool {
        let model = aliases.last { $0.name.utf8.elementsEqual(name.utf8) }?.model ?? name
        guard Self.names.contains(where: { $0.utf8.elementsEqual(model.utf8) }) else {
            let known = all.map { "`\($0)`" }.joined(separator: ", ")
            var error = APIError(
                .notFound, "The model `\(name.prefix(200))` does not exist; there are \(known)")
            error.parameter = "model"
            error.code = "model_not_found"
            throw error
        }
        return model == Self.denoised
    }

    public static func == (one: ServedModels, other: ServedModels) -> Bool {
        one.aliases.elementsEqual(other.aliases, by: ==)
    }
}
