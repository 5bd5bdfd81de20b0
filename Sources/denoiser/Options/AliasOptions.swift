import API
import ArgumentParser

/// Names under which OpenAI clients may ask for a model.
struct AliasOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Another name for all-MiniLM-L6-v2 or all-MiniLM-L6-v2-denoised below /v1/, for clients \
            that insist on a name, such as text-embedding-3-small=all-MiniLM-L6-v2; repeatable.
            """, valueName: "name=model"))
    var modelAlias: [String] = []

    func validate() throws {
        for alias in modelAlias where Self.parts(of: alias) == nil {
            throw ValidationError(
                "--model-alias is \"\(alias)\"; it looks like NAME=MODEL, and MODEL is "
                    + "\(ServedModels.names.joined(separator: " or ")).")
        }
    }

    /// The models that clients may name.
    var models: ServedModels { ServedModels(aliases: modelAlias.compactMap(Self.parts)) }

    private static func parts(of alias: String) -> (name: String, model: String)? {
        // A name may hold "="; no model's does.
        guard let sign = alias.lastIndex(of: "="), sign != alias.startIndex else { return nil }
        let model = String(alias[alias.index(after: sign)...])
        return ServedModels.names.contains(model) ? (String(alias[..<sign]), model) : nil
    }
}
