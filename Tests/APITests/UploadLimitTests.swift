import Inference
import Testing
import StandIns

@testable import API

@Suite struct `The limits of an upload` {
    @Test(arguments: [(1000, 422), (1001, 400)])
    func `a thousand fields are read and one more is not`(count: Int, status: Int) {
        let part = "--X\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n1\r\n"
        let body = String(repeating: part, count: count) + "--X--\r\n"
        let answer = upload(Array(body.utf8))
        #expect(answer.status == status)
        if status == 400 {
            let message = "Too many fields. Maximum number of fields is 1000."
            #expect(text(answer) == #"{"detail":"\#(message)"}"#)
        }
    }

    @Test func `an upload of unknown length asks for no memory that is not there`() {
        var limits = Limits()
        limits.uploadBytes = 1 << 46
        let body = form(Array("one\n".utf8))
        #expect(upload(body, declares: false, limits: limits).status == 200)
    }

    @Test(arguments: [(1000, 200), (1001, 400)])
    func `a thousand files are read and one more is not`(count: Int, status: Int) {
        let part =
            "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n1\r\n"
        let body = String(repeating: part, count: count) + "--X--\r\n"
        let answer = upload(Array(body.utf8))
        #expect(answer.status == status)
        if status == 400 {
            let message = "Too many files. Maximum number of files is 1000."
            #expect(text(answer) == #"{"detail":"\#(message)"}"#)
        }
    }

    @Test(arguments: ["x", "file"], [0, 1])
    func `a field may hold a mebibyte`(name: String, beyond: Int) {
        let head = "--X\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n"
        let value = [UInt8](repeating: UInt8(ascii: "a"), count: 1_048_576 + beyond)
        let answer = upload(Array(head.utf8) + value + Array("\r\n--X--".utf8), pieces: [1000])
        #expect(answer.status == (beyond == 0 ? 422 : 400))
        if beyond > 0 {
            #expect(text(answer) == #"{"detail":"Part exceeded maximum size of 1024KB."}"#)
        }
    }

    @Test(arguments: [(8, 200), (9, 400)])
    func `a part has at most eight header lines`(count: Int, status: Int) {
        let more = String(repeating: "X-A: 1\r\n", count: count - 1)
        let head = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n"
        #expect(upload(Array((head + more + "\r\none\r\n--X--").utf8)).status == status)
    }

    @Test(arguments: [(4224, 200), (4225, 400)])
    func `a header line has at most 4,224 bytes`(count: Int, status: Int) {
        let line = "X-A: " + String(repeating: "v", count: count - 5) + "\r\n"
        let head = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n"
        #expect(upload(Array((head + line + "\r\none\r\n--X--").utf8)).status == status)
    }

    @Test(arguments: [(256, 200), (257, 400)])
    func `a boundary has at most 256 bytes`(count: Int, status: Int) {
        let boundary = String(repeating: "b", count: count)
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\none"
        let body = "--\(boundary)\r\n\(head)\r\n--\(boundary)--"
        let answer = upload(
            Array(body.utf8), contentType: "multipart/form-data; boundary=\(boundary)")
        #expect(answer.status == status)
    }

    @Test(arguments: ["multipart/form-data; boundary=X", "application/x-www-form-urlencoded"])
    func `a text in the file's place is quoted only where it is short`(type: String) {
        var limits = Limits()
        limits.quotedBytes = 10
        for (length, quoted) in [(10, "\"\(String(repeating: "a", count: 10))\""), (11, "null")] {
            let value = String(repeating: "a", count: length)
            let body =
                type.hasPrefix("multipart")
                ? "--X\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\(value)\r\n--X--\r\n"
                : "file=\(value)"
            let answer = upload(Array(body.utf8), contentType: type, limits: limits)
            #expect(answer.status == 422)
            #expect(text(answer).contains("\"input\":\(quoted)"))
        }
    }

    @Test func `a body declared too large is refused unread`() {
        var limits = Limits()
        limits.uploadBytes = 100
        let body = form(Array(repeating: 97, count: 200))
        var source = PiecewiseBody(body)
        let answer = Application(service: StandInService(), limits: limits).respond(
            to: Request(
                method: "POST", path: "/upload/",
                headers: ["content-type": "multipart/form-data; boundary=X"]),
            body: &source)
        #expect(answer.status == 413)
        let detail = "Request body too large: \(body.count) bytes, at most 100"
        #expect(text(answer) == #"{"detail":"\#(detail)"}"#)
        #expect(source.position == 0)
    }

    @Test(arguments: ["multipart/form-data; boundary=X", "application/x-www-form-urlencoded"])
    func `a body that declares no length is refused once it is too large`(type: String) {
        var limits = Limits()
        let body = form(Array("one two".utf8))
        limits.uploadBytes = body.count
        #expect(upload(body, contentType: type, declares: false, limits: limits).status != 413)
        limits.uploadBytes -= 1
        let answer = upload(body, contentType: type, pieces: [9], declares: false, limits: limits)
        #expect(answer.status == 413)
    }

    @Test func `a body that breaks off is told from one that ends`() {
        struct BrokenBody: BodySource {
            var declaredLength: Int? { 1000 }
            mutating func read(
                upTo limit: Int, into buffer: inout [UInt8]
            ) throws(BodyError) -> Int { throw .wrongLength }
        }
        var source = BrokenBody()
        let answer = Application(service: StandInService(), limits: Limits()).respond(
            to: Request(
                method: "POST", path: "/upload/",
                headers: ["content-type": "multipart/form-data; boundary=X"]),
            body: &source)
        #expect(answer.status == 400)
        #expect(text(answer) == #"{"detail":"There was an error parsing the body"}"#)
    }
}
