import Kernels
import Tensors
import TestSupport
import Testing

@testable import Denoisers

/// The recipe's numbers for 16 rows at three noise levels, computed with NumPy from the same
/// weights.
@Suite struct `Agreement with the recipe's numbers` {
    let model: AdaptiveParameters
    let golden: FixtureTensors

    init() throws {
        var tables = StrengthTables()
        tables.profiles = [
            [0, 0.1, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.7],
            [0, 0.15, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.85, 0.8],
            [0, 0.15, 0.3, 0.6, 0.85, 0.95, 1, 1, 0.95, 0.9],
            [0, 0.3, 0.9, 0.95, 1, 1, 1, 1, 1, 1],
        ]
        model = try FixtureTensors.model.get().with(tables)
        golden = try FixtureTensors("adaptive-golden")
    }

    private func check(
        _ name: String, _ ours: [Float], _ theirs: [Float], within tolerance: Float = 2e-5
    ) {
        let difference = largestDifference(ours, theirs)
        print("\(name): largest difference \(difference)")
        #expect(difference <= tolerance, "\(name)")
    }

    @Test(arguments: ["0.02", "0.1", "0.3"])
    func `levels, the network's answer and the profiles`(level: String) throws {
        let x = try golden.values("x_\(level)")
        let estimate = model.estimateNoise(x.span)
        #expect(estimate.scales == Array(repeating: 1, count: 16))
        check("sigma at \(level)", estimate.levels, try golden.values("sigma_\(level)"))
        check(
            "network at \(level)", model.answers(x, estimate, Array(0..<16)),
            try golden.values("net_\(level)"))
        for profile in [AdaptiveProfile.safe, .balanced, .indomain, .restore] {
            let answer = model.denoise(x, profile: profile)
            check(
                "\(profile) at \(level)", answer.values, try golden.values("\(profile)_\(level)"))
        }
    }

    @Test func `what the layers between make`() throws {
        var workspace = AdaptiveWorkspace(rows: 16, shape: model.shape)
        let (x, sigma) = (try golden.values("x_0.1"), try golden.values("sigma_0.1"))
        var rows = workspace.rows.mutableSpan
        copy(x.span, into: &rows)
        var levels = workspace.levels.mutableSpan
        copy(sigma.span, into: &levels)
        workspace.run(16, model)
        let (input, both, residual) = (
            values(workspace.input.span), values(workspace.both.span),
            values(workspace.residual.span)
        )
        let stride = model.shape.inputs
        check(
            "z", (0..<16).flatMap { input[$0 * stride..<$0 * stride + 384] },
            try golden.values("z"))
        check("h", Array(both[..<(4 * 1600)]), try golden.values("h"))
        check("r", residual, try golden.values("r"))
    }

    @Test func `rows that were scaled to one length after the noise came`() throws {
        let x = try golden.values("x_0.1")
        var scaled = x
        for row in 0..<16 {
            let range = row * 384..<(row + 1) * 384
            let length = x[range].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            for i in range { scaled[i] = Float(Double(x[i]) / length) }
        }
        let answer = model.denoise(scaled, profile: .safe)
        check("sigma", answer.estimate.levels, try golden.values("renorm_sigma"))
        check("safe", answer.values, try golden.values("renorm_safe"))
    }

    @Test(arguments: [Float(1), 2, 0.3, 1e-18, 1e18])
    func `clean rows come back to the bit at any scale`(scale: Float) throws {
        let clean = try golden.values("clean").map { $0 * scale }
        for profile in [AdaptiveProfile?.none, .safe, .restore] {
            let answer = model.denoise(clean, profile: profile)
            #expect(answer.values == clean)
            #expect(answer.estimate.meanLevel == 0)
        }
        if scale == 2 { #expect(try clean == golden.values("clean_x2_out")) }
    }

    @Test func `clean rows rounded to half precision come back to the bit`() throws {
        let rounded = try golden.values("clean").map { Float(Float16($0)) }
        #expect(model.denoise(rounded).values == rounded)
    }
}

func values(_ span: Span<Float>) -> [Float] { span.indices.map { span[$0] } }
