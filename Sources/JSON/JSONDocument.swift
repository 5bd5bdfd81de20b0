internal import CJSONC

extension JSONValue {
    /// The value that `text` (UTF-8) holds, read through json-c.
    ///
    /// - Throws: `JSONError` where the text is not JSON.
    public init(parsing text: [UInt8]) throws(JSONError) {
        guard let tokener = unsafe json_tokener_new_ex(64) else {
            throw JSONError(message: "Out of memory", position: 0)
        }
        defer { unsafe json_tokener_free(tokener) }
        let terminated = text + [0]
        let root = unsafe terminated.withUnsafeBytes { bytes in
            unsafe json_tokener_parse_ex(
                tokener, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count))
        }
        guard unsafe json_tokener_get_error(tokener) == json_tokener_success else {
            throw JSONError(
                message: unsafe String(
                    cString: json_tokener_error_desc(json_tokener_get_error(tokener))),
                position: unsafe json_tokener_get_parse_end(tokener))
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
