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
        let expected =
            [Array("FCGI_ROLE=RESPONDER".utf8)]
            + ParameterPairs(parameters[...])
            .map { Array($0.name) + [UInt8(ascii: "=")] + Array($0.value) }
        let environment = request.environment
        try require(environment == expected, "libfcgi reads \(environment), not \(expected)")
        try examine(Parameters(environment: environment))
        request.finish()
    }
}

private func examine(_ parameters: Parameters) throws {
    let slash = UInt8(ascii: "/")
    try require(parameters.path.utf8.first == slash, "path \(parameters.path)")
    try require(parameters.rootPath.utf8.last != slash, "root path \(parameters.rootPath)")
    try require(!parameters.method.isEmpty, "an empty method")
    if (try? parameters.check()) != nil, let length = parameters.contentLength {
        try require(length >= 0, "length \(length)")
    }
    for name in parameters.headers.keys {
        try require(
            !name.utf8.contains { (0x41...0x5A).contains($0) || $0 == UInt8(ascii: "_") },
            "header \(name)")
    }
    try require(parameters.headers["proxy"] == nil, "the header Proxy is passed on")
    _ = (parameters.query, parameters.scheme, parameters.server)
}
