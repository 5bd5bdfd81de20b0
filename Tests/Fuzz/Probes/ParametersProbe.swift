@testable import FastCGI

/// Parameters: what passes our check, libfcgi reads as the same pairs; all that is asked of them
/// afterwards has an answer.
func probeParameters(_ bytes: [UInt8]) throws {
    let content = bytes.prefix(LibraryRequest.longestParameters)
    // Iterating must end on any bytes, checked or not.
    _ = ParameterPairs(content).contains(name: "FCGI_MPXS_CONNS")
    guard (try? ParameterPairs(content).check()) != nil else { return }
    try passThroughLibrary(Array(content))
}

/// Reads parameters through libfcgi and compares what comes out with what went in.
func passThroughLibrary(_ parameters: [UInt8]) throws {
    try Library.prepare()
    let request = try LibraryRequest()
    for _ in 0..<2 {
        try request.begin(parameters: parameters)
        // libfcgi puts one of its own in front.
        let pairs = Array(ParameterPairs(parameters[...]))
        let expected = pairs.reduce(into: Array("FCGI_ROLE=RESPONDER\0".utf8)) { text, pair in
            text += pair.name + [UInt8(ascii: "=")] + pair.value + [0]
        }
        let environment = request.environment
        try require(environment == expected, "libfcgi reads \(environment), not \(expected)")
        try examine(Parameters(environment: environment), of: pairs)
        request.finish()
    }
}

private func examine(
    _ parameters: Parameters, of pairs: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)]
) throws {
    let slash = UInt8(ascii: "/")
    try require(parameters.path.utf8.first == slash, "path \(parameters.path)")
    try require(parameters.rootPath.utf8.last != slash, "root path \(parameters.rootPath)")
    try require(!parameters.method.isEmpty, "an empty method")
    if (try? parameters.check()) != nil, let length = parameters.contentLength {
        try require(length >= 0, "length \(length)")
    }
    let own = ["proxy", "content-type", "content-length", "authorization"]
    for (name, _) in pairs where name.starts(with: "HTTP_".utf8) {
        let text = String(decoding: name.dropFirst(5), as: UTF8.self)
        let field = text.lowercased().replacing("_", with: "-")
        guard text.utf8.allSatisfy({ $0 < 0x80 }), !own.contains(field) else { continue }
        let variable = Array("HTTP_".utf8) + field.uppercased().replacing("-", with: "_").utf8
        let value = pairs.last { $0.name.elementsEqual(variable) }?.value
        let expected = value.map { String(String.UnicodeScalarView($0.map { Unicode.Scalar($0) })) }
        try require(
            parameters.header(field) == expected, "header \(field) is not \(expected ?? "none")")
    }
    try require(parameters.header("proxy") == nil, "the header Proxy is passed on")
    _ = (parameters.query, parameters.scheme, parameters.server(under: parameters.scheme))
}
