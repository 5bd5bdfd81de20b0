internal import JSON
internal import ModelFiles

/// A JSON file of the encoder's folder, read with reasons that name file, key, value and what is
/// supported.
///
/// Not through `JSONValue`: such files hold integers beyond 64 bits, and vocabularies of thousands
/// of members.
struct SettingsFile {
    /// Its path in the folder.
    let name: String
    private let folder: String
    private let tree: JSONTree

    /// The file `name` in `folder`, nil if there is none.
    init?(_ name: String, in folder: String) throws(ModelFault) {
        self.name = name
        self.folder = folder
        let path = "\(folder)/\(name)"
        let bytes: [UInt8]
        do throws(ModelFileError) {
            bytes = try fileContents(at: path, limit: 64 << 20)
        } catch {
            if case .missing = error { return nil }
            throw encoderFault("\(error)", isPassing: error.isOfSystem)
        }
        do throws(JSONError) {
            tree = try JSONTree(JSONText(decoding: bytes), depth: 64)
        } catch {
            throw encoderFault("\(path): not JSON: \(error)")
        }
    }

    /// The file's value.
    var root: JSONNode { tree.root }

    /// What a value is.
    func kind(of node: JSONNode) -> JSONNode.Kind { tree.kind(of: node) }

    /// The value under `keys`, one within the other; nil if it is missing or null.
    func value(_ keys: String..., in start: JSONNode? = nil) -> JSONNode? {
        var node = start ?? tree.root
        for key in keys {
            guard case .object = kind(of: node), let next = tree.member(key, of: node) else {
                return nil
            }
            node = next
        }
        if case .null = kind(of: node) { return nil }
        return node
    }

    /// The elements of an array; none of anything else.
    func elements(of node: JSONNode?) -> [JSONNode] {
        guard let node, case .array = kind(of: node) else { return [] }
        var elements: [JSONNode] = []
        tree.forEachElement(of: node) { _, element in
            elements.append(element)
            return true
        }
        return elements
    }

    /// Calls `body` with the name and the value of each member of an object, and never for anything
    /// else.
    func forEachMember(of node: JSONNode, _ body: (_ name: [UInt8], JSONNode) -> Void) {
        if case .object = kind(of: node) { tree.forEachNamed(of: node, body) }
    }

    /// The names of an object's members; none of anything else.
    func names(of node: JSONNode) -> [String] {
        var names: [String] = []
        forEachMember(of: node) { name, _ in names.append(String(decoding: name, as: UTF8.self)) }
        return names
    }

    /// Whether a value is an object without members.
    func isEmptyObject(_ node: JSONNode) -> Bool {
        guard case .object = kind(of: node) else { return false }
        return tree.isEmpty(node)
    }

    /// The truth value named `key`; nil if it is missing or null.
    func bool(_ key: String, in start: JSONNode? = nil) throws(ModelFault) -> Bool? {
        guard let node = value(key, in: start) else { return nil }
        guard case .bool(let value) = kind(of: node) else {
            throw unsupported(key, node, "true or false is")
        }
        return value
    }

    /// The text named `key`; nil if it is missing or null.
    func string(_ key: String, in start: JSONNode? = nil) throws(ModelFault) -> String? {
        guard let node = value(key, in: start) else { return nil }
        guard let text = string(node) else { throw unsupported(key, node, "a string is") }
        return text
    }

    /// A string's characters; nil of anything else.
    func string(_ node: JSONNode) -> String? {
        guard case .string = kind(of: node) else { return nil }
        return String(decoding: tree.string(of: node), as: UTF8.self)
    }

    /// A number's value.
    func number(of node: JSONNode) -> Double { tree.double(of: node) }

    /// The number named `key`, which may be beyond 64 bits; nil if it is missing or null.
    func number(_ key: String) throws(ModelFault) -> Double? {
        guard let node = value(key) else { return nil }
        switch kind(of: node) {
        case .integer, .float: return tree.double(of: node)
        default: throw unsupported(key, node, "a number is")
        }
    }

    /// That the value of `key` is not what is computed; `supported` ends in a verb.
    func unsupported(_ key: String, _ node: JSONNode, _ supported: String) -> ModelFault {
        let text = String(decoding: tree.text(of: node).prefix(80), as: UTF8.self)
        let value = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return fault("\(key): \(value): \(supported) what is supported")
    }

    /// That something is wrong with the file.
    func fault(_ reason: String) -> ModelFault { encoderFault("\(folder)/\(name): \(reason)") }
}
