internal import Denoisers
public import Encoder
internal import ModelFiles
public import Tokenizer

/// What the files beside an encoder's weights ask for, with the precedence that
/// sentence-transformers has.
///
/// If there is none of them, all is as in all-MiniLM-L6-v2: the mean of at most 256 tokens in lower
/// case, scaled to length 1. What is not computed here is refused: any other vectors would be wrong
/// without a word.
public struct EncoderSettings: Sendable, Equatable {
    /// How the rows of a text's tokens become one.
    public private(set) var pooling = EncoderConfiguration.Pooling.mean

    /// Whether embeddings are scaled to length 1.
    public private(set) var isNormalized = true

    /// What becomes of a text before it is cut into words.
    public private(set) var rules = TextRules.uncased

    /// The most tokens of a text that count.
    public private(set) var tokenLimit = TextEmbedder.tokenLimit

    /// The settings that the files in `folder` make.
    ///
    /// - Throws: one line with the file, the key, its value and what is supported.
    public init(folder: String) throws(ModelFault) {
        let pooling = try readModules(folder)
        try readPooling(folder, pooling)
        let transformer = try Self.transformerFile(folder)
        let lowers = try transformer.map { file throws(ModelFault) in try file.lowers() } ?? false
        let tokenizer = try TokenizerSettings(folder: folder)
        rules = try tokenizer.rules(lowered: lowers)
        if let limit = try Self.limit(folder, transformer, tokenizer) { tokenLimit = limit }
        try Self.checkWhole(folder)
    }

    /// What differs from all-MiniLM-L6-v2, in words; empty if nothing does.
    public var differences: String {
        var all: [String] = []
        if pooling == .first { all.append("pooled by [CLS]") }
        if !isNormalized { all.append("not normalised") }
        switch rules.letters {
        case .kept: all.append("cased")
        case .lowered: all.append("accents kept")
        case .loweredWithoutAccents: break
        }
        if !rules.spacesIdeographs { all.append("ideographs not spaced") }
        if tokenLimit != TextEmbedder.tokenLimit { all.append("\(tokenLimit) tokens") }
        return all.joined(separator: ", ")
    }

    // MARK: modules.json

    /// The list of the modules and their folders.
    static let modulesFile = "modules.json"

    /// The settings' files in the folders of modules that `modules.json` names; none if it cannot
    /// be read.
    static func moduleFiles(in folder: String) -> [String] {
        guard let file = try? SettingsFile(modulesFile, in: folder) else { return [] }
        let modules = file.elements(of: file.root).prefix(expected.count)
        return modules.compactMap { try? file.string("path", in: $0) }.filter { !$0.isEmpty }
            .map(configuration)
    }

    private static let expected = ["Transformer", "Pooling", "Normalize"]

    /// The settings' file of the module whose folder is `path`.
    private static func configuration(of path: String) -> String {
        path.isEmpty ? "config.json" : "\(path)/config.json"
    }

    /// Reads which modules there are.
    ///
    /// - Returns: the path of the pooling's folder, and whether it has to be there.
    private mutating func readModules(
        _ folder: String
    ) throws(ModelFault) -> (path: String, isNamed: Bool) {
        guard let file = try SettingsFile(Self.modulesFile, in: folder) else {
            return ("1_Pooling", false)
        }
        var found: [String] = []
        var pooling = ""
        isNormalized = false
        for module in file.elements(of: file.root) {
            guard let type = try file.string("type", in: module) else {
                throw file.fault("a module has no type")
            }
            let name = type.split(separator: ".").last.map(String.init) ?? ""
            guard found.count < Self.expected.count, name == Self.expected[found.count] else {
                throw file.fault(
                    "type: \"\(type)\": Transformer, Pooling and perhaps Normalize, in this order, "
                        + "are what is supported")
            }
            found.append(name)
            let path = try file.string("path", in: module) ?? ""
            switch name {
            case "Transformer" where path != "" && path != ".":
                throw file.fault(
                    "path: \"\(path)\": \"\" is what is supported, with the transformer's files "
                        + "beside modules.json")
            case "Pooling": pooling = path
            case "Normalize":
                isNormalized = true
                try Self.checkNormalize(folder, path)
            default: break
            }
        }
        guard found.count >= 2 else {
            throw file.fault("a list that begins with Transformer and Pooling is what is supported")
        }
        return (pooling, true)
    }

    /// A Normalize module may be told to work on the tokens' rows instead.
    private static func checkNormalize(_ folder: String, _ path: String) throws(ModelFault) {
        let name = configuration(of: path)
        guard !path.isEmpty, let file = try SettingsFile(name, in: folder) else { return }
        for key in ["module_input_name", "module_output_name"] {
            guard let node = file.value(key) else { continue }
            guard file.string(node) == "sentence_embedding" else {
                throw file.unsupported(key, node, "\"sentence_embedding\" is")
            }
        }
    }

    // MARK: 1_Pooling/config.json

    private mutating func readPooling(
        _ folder: String, _ place: (path: String, isNamed: Bool)
    ) throws(ModelFault) {
        let name = Self.configuration(of: place.path)
        guard let file = try SettingsFile(name, in: folder) else {
            guard place.isNamed else { return }
            throw encoderFault("\(folder)/\(name): missing, and modules.json names it")
        }
        pooling = try file.pooling()
    }

    // MARK: sentence_bert_config.json

    private static func transformerFile(_ folder: String) throws(ModelFault) -> SettingsFile? {
        for name in transformerFiles {
            if let file = try SettingsFile(name, in: folder) { return file }
        }
        return nil
    }

    /// The names that the Transformer's settings may have, the first of which counts.
    static let transformerFiles = [
        "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet",
    ].map { "sentence_\($0)_config.json" }

    // MARK: Length

    /// How many tokens count; nil if nothing says so.
    private static func limit(
        _ folder: String, _ transformer: SettingsFile?, _ tokenizer: TokenizerSettings
    ) throws(ModelFault) -> Int? {
        if let transformer, let limit = try transformer.number("max_seq_length") {
            return try check(limit, "max_seq_length", in: transformer)
        }
        guard transformer != nil || tokenizer.isThere else { return nil }
        let positions = Double(try loadConfiguration(folder: folder).positions)
        if let file = tokenizer.file, let limit = try file.number("model_max_length") {
            return try check(min(limit, positions), "model_max_length", in: file)
        }
        return Int(min(positions, Double(TextEmbedder.mostTokens)))
    }

    private static func check(
        _ limit: Double, _ key: String, in file: SettingsFile
    ) throws(ModelFault) -> Int {
        let most = TextEmbedder.mostTokens
        guard limit >= 2, limit <= Double(most), let count = Int(exactly: limit) else {
            let value = Int(exactly: limit).map(String.init) ?? "\(limit)"
            throw file.fault(
                "\(key): \(value): a whole number from 2 to \(most) is what is supported")
        }
        return count
    }

    // MARK: config_sentence_transformers.json

    private static func checkWhole(_ folder: String) throws(ModelFault) {
        guard let file = try SettingsFile("config_sentence_transformers.json", in: folder) else {
            return
        }
        if let node = file.value("model_type"), file.string(node) != "SentenceTransformer" {
            throw file.unsupported("model_type", node, "\"SentenceTransformer\" is")
        }
        if let width = try file.number("truncate_dim"), width < Double(embeddingWidth) {
            throw file.unsupported(
                "truncate_dim", file.value("truncate_dim") ?? file.root,
                "null (embeddings keep their \(embeddingWidth) numbers) is")
        }
        guard let node = file.value("default_prompt_name") else { return }
        let name = file.string(node) ?? ""
        if let prompt = file.value("prompts", name), file.string(prompt) == "" { return }
        throw file.unsupported(
            "default_prompt_name", node,
            "null (texts come as they are, so put the prompt in front of them yourself) is")
    }
}

extension SettingsFile {
    /// How a Pooling module's file wants rows pooled.
    fileprivate func pooling() throws(ModelFault) -> EncoderConfiguration.Pooling {
        // The newer form names the mode; the older one has a key for each.
        if let node = value("pooling_mode") {
            let modes = elements(of: node)
            switch string(modes.count == 1 ? modes[0] : node) ?? "" {
            case "mean": return .mean
            case "cls": return .first
            default: throw unsupported("pooling_mode", node, "\"mean\" or \"cls\" is")
            }
        }
        let (first, mean) = ("pooling_mode_cls_token", "pooling_mode_mean_tokens")
        let isFirst = try bool(first) ?? false
        let isMean = try bool(mean) ?? false
        // Modes that have no name yet count as well.
        for key in names(of: root) where key.hasPrefix("pooling_mode_") {
            guard key != first, key != mean, try bool(key) ?? false else { continue }
            throw fault(
                "\(key): true: pooling_mode_mean_tokens or pooling_mode_cls_token is what is "
                    + "supported")
        }
        guard !(isFirst && isMean) else {
            throw fault(
                "pooling_mode_cls_token: true beside pooling_mode_mean_tokens: one of the two is "
                    + "what is supported")
        }
        return isFirst ? .first : .mean
    }

    /// Whether a Transformer module's file wants texts in lower case whatever the tokenizer does.
    fileprivate func lowers() throws(ModelFault) -> Bool {
        if let node = value("transformer_task"), string(node) != "feature-extraction" {
            throw unsupported("transformer_task", node, "\"feature-extraction\" is")
        }
        for part in ["model", "tokenizer", "processor", "config"] {
            for key in ["\(part)_args", "\(part)_kwargs"] {
                guard let node = value(key), !isEmptyObject(node) else { continue }
                throw unsupported(key, node, "{} is")
            }
        }
        return try bool("do_lower_case") ?? false
    }
}
