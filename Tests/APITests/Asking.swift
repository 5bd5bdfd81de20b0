import StandIns

@testable import API

/// The answer to a request.
func ask(
    _ method: String, _ path: String, _ body: String = "", type: String? = "application/json",
    to application: Application = Application(service: StandInService())
) -> Response {
    var source = PiecewiseBody(Array(body.utf8), pieces: [1000])
    return application.respond(
        to: Request(
            method: method, path: path, headers: type.map { ["content-type": $0] } ?? [:]),
        body: &source)
}

extension Response {
    /// The header named `name`, if there is one.
    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A 200 body of the denoise routes.
struct DenoisedBody: Decodable {
    var denoised_embeddings: [[Float]]
    var shape: [Int]
    var processing_time_ms: Double
}

/// An embedding of 384 numbers, with some of them replaced.
func embedding(_ changes: [Int: String] = [:]) -> String {
    let numbers = (0..<384).map { changes[$0] ?? "0.\(100 + $0)" }
    return "[\(numbers.joined(separator: ","))]"
}
