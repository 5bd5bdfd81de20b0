internal import CJSONC

extension JSONValue {
    /// The value of a small document, such as a file's header or a configuration, read by json-c.
    ///
    /// Our own check reads the text first. json-c alone accepts `-01` and single quotes, clamps
    /// integers beyond 64 bits, cuts names at a NUL and spends up to 900 bytes on `{"a":0}`.
    /// Request bodies are never read by it.
    ///
    /// - Parameter depth: the most arrays and objects inside one another.
    /// - Throws: `JSONError` if the text is not JSON, or holds what json-c cannot represent.
    public init(parsing text: [UInt8], depth: Int = 64) throws(JSONError) {
        let tree = try JSONTree(JSONText(decoding: text), depth: depth)
        if let node = tree.firstBeyondDocuments(tree.root) {
            throw JSONError(
                message: "Unsupported value",
                position: characters(in: tree.text.span, before: node.start), cause: .unsupported)
        }
        // json-c counts the value itself as a level. Our check finds the wrong depth first.
        guard let tokener = unsafe json_tokener_new_ex(Int32(depth + 2)) else {
            throw JSONError(message: "Out of memory", position: 0, cause: .unsupported)
        }
        defer { unsafe json_tokener_free(tokener) }
        let terminated = tree.text + [0]
        let root = unsafe terminated.withUnsafeBytes { bytes in
            unsafe json_tokener_parse_ex(
                tokener, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count))
        }
        guard unsafe json_tokener_get_error(tokener) == json_tokener_success else {
            throw JSONError(
                message: unsafe String(
                    cString: json_tokener_error_desc(json_tokener_get_error(tokener))),
                position: unsafe json_tokener_get_parse_end(tokener), cause: .unsupported)
        }
        defer { unsafe json_object_put(root) }
        unsafe self.init(copying: root)
    }

    private init(copying node: OpaquePointer?) {
        switch unsafe json_object_get_type(node) {
        case json_type_boolean: self = unsafe .bool(json_object_get_boolean(node) != 0)
        case json_type_int: self = unsafe .integer(Int(json_object_get_int64(node)))
        case json_type_double: self = unsafe .double(json_object_get_double(node))
        case json_type_string:
            let length = unsafe Int(json_object_get_string_len(node))
            let start = unsafe UnsafeRawPointer(json_object_get_string(node))
            self = unsafe .string(
                String(
                    decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self))
        case json_type_array:
            self = .array(
                (0..<(unsafe json_object_array_length(node))).map {
                    unsafe JSONValue(copying: json_object_array_get_idx(node, $0))
                })
        case json_type_object:
            var object = JSONObject()
            var step = unsafe json_object_iter_begin(node)
            var end = unsafe json_object_iter_end(node)
            while unsafe json_object_iter_equal(&step, &end) == 0 {
                let key = unsafe String(cString: json_object_iter_peek_name(&step))
                object[key] = unsafe JSONValue(copying: json_object_iter_peek_value(&step))
                unsafe json_object_iter_next(&step)
            }
            self = .object(object)
        default: self = .null
        }
    }
}

extension JSONTree {
    /// The first value that json-c would change: an integer beyond 64 bits, a number that is not
    /// finite, a name with a NUL, an unpaired surrogate.
    fileprivate func firstBeyondDocuments(_ node: JSONNode) -> JSONNode? {
        var found: JSONNode?
        switch kind(of: node) {
        case .null, .bool: break
        case .integer:
            if Int(String(decoding: text[integerText(of: node)], as: UTF8.self)) == nil {
                found = node
            }
        case .float: if !double(of: node).isFinite { found = node }
        case .string: if String(validating: string(of: node), as: UTF8.self) == nil { found = node }
        case .array:
            forEachElement(of: node) { _, element in
                found = firstBeyondDocuments(element)
                return found == nil
            }
        case .object:
            forEachMember(of: node) { key, value in
                guard found == nil else { return }
                let name = string(at: key)
                let isWhole = !name.contains(0) && String(validating: name, as: UTF8.self) != nil
                found = isWhole ? firstBeyondDocuments(value) : JSONNode(start: key, container: 0)
            }
        }
        return found
    }
}
