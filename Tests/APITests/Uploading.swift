import Foundation
import Inference
import StandIns
import TestSupport

@testable import API

/// The files that were recorded for these tests.
let fixtures = Fixtures(in: .module)

/// The answer to an upload.
func upload(
    _ body: [UInt8], contentType: String? = "multipart/form-data; boundary=X",
    pieces: [Int] = [.max], declares: Bool = true, limits: Limits = Limits(),
    to service: any DenoisingService = StandInService()
) -> Response {
    var source = PiecewiseBody(body, pieces: pieces, declares: declares)
    return Application(service: service, limits: limits).respond(
        to: Request(
            method: "POST", path: "/upload/",
            headers: contentType.map { ["content-type": $0] } ?? [:]),
        body: &source)
}

/// A form of one file.
func form(_ text: [UInt8], fileName: String = "a.txt") -> [UInt8] {
    let head =
        "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(fileName)\"\r\n\r\n"
    return Array(head.utf8) + text + Array("\r\n--X--\r\n".utf8)
}

/// The text of the answer's body.
func text(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }
