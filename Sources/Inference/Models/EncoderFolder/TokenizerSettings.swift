internal import JSON
internal import Tokenizer

/// What `tokenizer_config.json`, `tokenizer.json` and the lists of tokens ask for.
///
/// transformers makes BERT's tokenizer from the first and its defaults, whatever the second says;
/// only a tokenizer that is named as generic comes from the second.
struct TokenizerSettings {
    /// `tokenizer_config.json`.
    let file: SettingsFile?

    /// `tokenizer.json`.
    private let whole: SettingsFile?

    init(folder: String) throws(ModelFault) {
        file = try SettingsFile("tokenizer_config.json", in: folder)
        whole = try SettingsFile("tokenizer.json", in: folder)
        try file?.checkTokenizerConfig()
        try whole?.checkTokenizer()
        if let added = try SettingsFile("added_tokens.json", in: folder) {
            try added.checkNames(of: added.root)
        }
        // Read by transformers as well, unless the newer list of tokens is there.
        if file?.value("added_tokens_decoder") == nil,
            let map = try SettingsFile("special_tokens_map.json", in: folder)
        {
            try map.checkSpecialTokens()
        }
    }

    /// Whether there is a file that says anything.
    var isThere: Bool { file != nil || whole != nil }

    /// The rules the files ask for; `lowered` lowers letters first, whatever they say.
    func rules(lowered: Bool) throws(ModelFault) -> TextRules {
        let lowers = try setting("do_lower_case", "lowercase", standard: true)
        let strips = try setting("strip_accents", "strip_accents", standard: lowers)
        let spaces = try setting("tokenize_chinese_chars", "handle_chinese_chars", standard: true)
        switch (lowers || lowered, strips) {
        case (true, true): return TextRules(spacesIdeographs: spaces)
        case (true, false): return TextRules(letters: .lowered, spacesIdeographs: spaces)
        case (false, false): return TextRules(letters: .kept, spacesIdeographs: spaces)
        case (false, true):
            throw (isGeneric ? whole : file ?? whole)?.fault(
                "strip_accents: true without lower case: accents stripped from text in lower case "
                    + "are what is supported")
                ?? ModelFault("strip_accents without lower case")
        }
    }

    /// Whether `tokenizer.json` alone decides.
    private var isGeneric: Bool {
        guard whole != nil, let node = file?.value("tokenizer_class"),
            let name = file?.string(node)
        else { return false }
        return genericClasses.contains(name)
    }

    /// A setting under its two names, `standard` if it is left to the default.
    private func setting(
        _ key: String, _ normalizerKey: String, standard: Bool
    ) throws(ModelFault) -> Bool {
        let inWhole = try whole?.bool(normalizerKey, in: whole?.value("normalizer"))
        if isGeneric { return inWhole ?? standard }
        if let given = try file?.bool(key) { return given }
        // Read as sentence-transformers reads it, this would be ignored without a word.
        if let whole, let inWhole, inWhole != standard {
            throw whole.fault(
                "normalizer: \(normalizerKey): \(inWhole): tokenizer_config.json decides, and "
                    + "does not name \(key); say \"\(key)\": \(inWhole) there")
        }
        return standard
    }
}

private let bertClasses: Set<String> = [
    "BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast",
]
private let genericClasses: Set<String> = ["PreTrainedTokenizerFast", "TokenizersBackend"]

/// The tokens that BERT gives a meaning of their own, by the names of their settings.
private let specialTokens = [
    ("unk_token", "[UNK]"), ("cls_token", "[CLS]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"),
    ("mask_token", "[MASK]"),
]

extension SettingsFile {
    fileprivate func checkTokenizerConfig() throws(ModelFault) {
        if let node = value("tokenizer_class") {
            let name = string(node) ?? ""
            guard bertClasses.contains(name) || genericClasses.contains(name) else {
                throw unsupported("tokenizer_class", node, "\"BertTokenizer\" is")
            }
        }
        try checkSpecialTokens()
        if let node = value("truncation_side"), string(node) != "right" {
            throw unsupported("truncation_side", node, "\"right\" is")
        }
        if try bool("split_special_tokens") == true {
            throw fault("split_special_tokens: true: false is what is supported")
        }
        guard let added = value("added_tokens_decoder") else { return }
        var tokens: [JSONNode] = []
        forEachMember(of: added) { _, node in tokens.append(node) }
        for node in tokens { try checkAdded("added_tokens_decoder", node) }
    }

    fileprivate func checkSpecialTokens() throws(ModelFault) {
        for (key, token) in specialTokens {
            guard let node = value(key) else { continue }
            // A token stands as its text or as an object that holds it.
            let text = string(node) ?? value("content", in: node).flatMap { string($0) }
            guard text == token else { throw unsupported(key, node, "\"\(token)\" is") }
        }
    }

    fileprivate func checkTokenizer() throws(ModelFault) {
        for (part, type) in [
            ("model", "WordPiece"), ("normalizer", "BertNormalizer"),
            ("pre_tokenizer", "BertPreTokenizer"),
        ] {
            guard let node = value(part) else { throw fault("\(part): missing") }
            let found = value("type", in: node)
            guard let found, string(found) == type else {
                throw unsupported("\(part): type", found ?? node, "\"\(type)\" is")
            }
        }
        let normalizer = value("normalizer")
        if try bool("clean_text", in: normalizer) == false {
            throw fault("normalizer: clean_text: false: true is what is supported")
        }
        if let node = value("truncation", "direction"), string(node) != "Right" {
            throw unsupported("truncation: direction", node, "\"Right\" is")
        }
        for node in elements(of: value("added_tokens")) { try checkAdded("added_tokens", node) }
    }

    /// A token beside those of the vocabulary would be looked for in texts.
    private func checkAdded(_ key: String, _ node: JSONNode) throws(ModelFault) {
        guard let content = value("content", in: node) else { return }
        let text = string(content)
        guard specialTokens.contains(where: { $0.1 == text }) else {
            throw unsupported("\(key): content", content, "BERT's five special tokens are")
        }
    }

    /// The same for an object whose members are named as tokens.
    fileprivate func checkNames(of node: JSONNode) throws(ModelFault) {
        for name in names(of: node) where !specialTokens.contains(where: { $0.1 == name }) {
            throw fault("\"\(name)\": BERT's five special tokens are what is supported")
        }
    }
}
