import TestSupport
import Testing

@testable import FastCGI
@testable import denoiser

@Suite struct `Admission of requests` {
    /// The line that a request is sorted into.
    private func lane(
        _ path: String, _ count: Int, of declared: Int? = nil, type: String = "application/json"
    ) throws -> Errand.Lane {
        try withFolder { folder in
            let service = try TestedService(in: folder)
            let admission = AdmissionControl(
                current: Replaceable(try service.snapshot()), metrics: service.state.metrics)
            var gate = RecordGate(parameterLimit: 65_536)
            let records = Wire.request(
                path, body: [UInt8](repeating: 0x20, count: count), length: declared ?? count,
                more: [("CONTENT_TYPE", type)])
            // Of a longer body the end record is not there yet.
            _ = try gate.take(declared == nil ? records[...] : records.dropLast(8))
            return admission.triage.errand(RequestHead(gate)).lane
        }
    }

    @Test func `takes forms for forms, in any case, however short they are`() throws {
        #expect(try lane("/upload/", 10, type: "Multipart/Form-Data; boundary=X") == .form)
        #expect(try lane("/upload/", 10, type: "application/x-www-form-urlencoded") == .form)
    }

    @Test func `takes a text of a few sentences for short, and a longer one for long`() throws {
        #expect(try lane("/denoise/text", 1024) == .short)
        #expect(try lane("/denoise/text", 1025) == .long)
        #expect(try lane("/denoise/text", 10, of: 5000) == .long)
    }

    @Test func `takes some rows of embeddings for short: they need no encoder`() throws {
        #expect(try lane("/denoise/embedding", 16 << 10) == .short)
        #expect(try lane("/api/v1/denoise/embedding", 16 << 10) == .short)
        #expect(try lane("/denoise/embedding", (16 << 10) + 1) == .long)
    }
}
