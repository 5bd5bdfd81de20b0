import Inference
import Testing
import StandIns

@testable import API

@Suite struct `The metrics` {
    @Test func `labels are escaped and whole numbers have no point`() {
        var text = MetricsText()
        text.begin("a_total", .counter, "What it counts.")
        text.add("a_total", [("path", "a\\b\"c\nd")], 3)
        text.add("a_total", 0.25)
        text.one("b", .gauge, "Another.", 7)
        #expect(
            text.text == """
                # HELP a_total What it counts.
                # TYPE a_total counter
                a_total{path="a\\\\b\\"c\\nd"} 3
                a_total 0.25
                # HELP b Another.
                # TYPE b gauge
                b 7

                """)
    }

    @Test func `requests are counted by route and status, and paths that are none together`() {
        let metrics = RequestMetrics()
        let application = Application(service: StandInService())
        for path in ["/health", "/health", "/a", "/b\"", "/denoise/text"] {
            let response = ask("GET", path, to: application)
            metrics.count(response, time: .milliseconds(3), stages: [Stage("read", .seconds(1))])
        }
        var text = MetricsText()
        metrics.write(into: &text)
        let lines = text.text.split(separator: "\n").map(String.init)
        for line in [
            #"denoiser_requests_total{route="/health",status="200"} 2"#,
            #"denoiser_requests_total{route="none",status="404"} 2"#,
            #"denoiser_requests_total{route="/denoise/text",status="405"} 1"#,
            #"denoiser_request_duration_seconds_bucket{route="/health",le="0.0025"} 0"#,
            #"denoiser_request_duration_seconds_bucket{route="/health",le="0.005"} 2"#,
            #"denoiser_request_duration_seconds_bucket{route="/health",le="+Inf"} 2"#,
            #"denoiser_request_duration_seconds_count{route="/health"} 2"#,
            #"denoiser_stage_seconds_total{route="none",stage="read"} 2"#,
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        // Each figure is described once, before its values.
        #expect(lines.count { $0.hasPrefix("# TYPE denoiser_requests_total ") } == 1)
    }
}
