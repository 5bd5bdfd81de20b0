internal import Inference
internal import JSON

struct Limits { var uploadBytes = 1 << 30 }
struct ValidationIssue {
    var type: String, location: [JSONValue], message: String, input: JSONValue
    var context: JSONObject? = nil
}
extension Response {
    static func json(_ value: JSONValue, status: Int = 200) -> Response {
        Response(
            status: status, headers: [("Content-Type", "application/json")],
            body: Array(text(value).utf8))
    }
    static func detail(_ detail: String, status: Int) -> Response {
        var o = JSONObject(); o["detail"] = .string(detail)
        return json(.object(o), status: status)
    }
    static func validation(_ issues: [ValidationIssue]) -> Response {
        let list = issues.map { issue -> JSONValue in
            var o = JSONObject()
            o["type"] = .string(issue.type); o["loc"] = .array(issue.location)
            o["msg"] = .string(issue.message); o["input"] = issue.input
            if let c = issue.context { o["ctx"] = .object(c) }
            return .object(o)
        }
        var o = JSONObject(); o["detail"] = .array(list)
        return json(.object(o), status: 422)
    }
    static func failure(_ error: InferenceError) -> Response { detail("\(error)", status: 500) }
}
private func text(_ v: JSONValue) -> String {
    switch v {
    case .null: "null"
    case .bool(let b): b ? "true" : "false"
    case .integer(let i): "\(i)"
    case .bigInteger(let s): s
    case .double(let d): "\(d)"
    case .string(let s): quoted(s)
    case .array(let a): "[" + a.map(text).joined(separator: ",") + "]"
    case .object(let o):
        "{" + o.keys.map { quoted($0) + ":" + text(o[$0] ?? .null) }.joined(separator: ",") + "}"
    }
}
private func quoted(_ s: String) -> String {
    var r = "\""
    for u in s.unicodeScalars {
        switch u.value {
        case 0x22: r += "\\\""
        case 0x5C: r += "\\\\"
        case 0x0A: r += "\\n"
        case 0x0D: r += "\\r"
        case 0x09: r += "\\t"
        case 0x08: r += "\\b"
        case 0x0C: r += "\\f"
        case 0..<0x20: r += "\\u00" + (u.value < 16 ? "0" : "") + String(u.value, radix: 16)
        default: r.unicodeScalars.append(u)
        }
    }
    return r + "\""
}
