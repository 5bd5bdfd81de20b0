public import Denoisers
internal import JSON

/// How a model does on clean embeddings under noise, beside doing nothing and the Wiener filter.
public struct ModelJudgement: Sendable {
    /// The judgement on one set of rows.
    public struct Part: Sendable {
        /// The rows' name: "held-out lines".
        public let name: String
        /// How many they are.
        public let rows: Int
        /// Wiener filter and model at every level, in this order.
        public let levels: [JudgedLevel]
    }

    /// The sets, in order.
    public private(set) var parts: [Part] = []

    /// Judges `denoiser` on held-out rows and on the built-in set.
    ///
    /// - Parameters:
    ///   - heldOut: clean embeddings it was not trained on, [rows, 384]; too few of them judge
    ///     nothing.
    ///   - builtIn: the rows that every model is judged on.
    ///   - isCancelled: asked often; true leaves the rest out.
    init(
        of denoiser: any Denoiser, onHeldOut heldOut: [Float],
        builtIn: [Float] = BuiltInRows.forJudgement(), seed: UInt64, isCancelled: () -> Bool
    ) {
        for (name, rows) in [
            ("held-out lines", heldOut), ("built-in rows", builtIn),
        ] {
            let count = rows.count / embeddingWidth
            guard count >= Judge.leastRows, !isCancelled() else { continue }
            let levels = Judge(clean: rows).judge(
                Treatment.all(denoiser), seed: seed, isCancelled: isCancelled)
            parts.append(Part(name: name, rows: count, levels: levels))
        }
    }

    /// Why the model is worse than doing nothing, in one line of ASCII; nil if it is not beyond the
    /// error.
    ///
    /// Of some thirty comparisons one lies two standard errors off by chance, so three are asked
    /// for.
    public var objection: String? {
        var worst: (excess: Double, text: String)?
        for part in parts {
            for level in part.levels {
                guard let model = level.judged.last else { continue }
                for (index, name) in Self.names.enumerated() {
                    let loss = -model.gains[index]
                    let excess = loss - max(Self.tolerance, 3 * model.errors[index])
                    guard excess > worst?.excess ?? 0 else { continue }
                    worst = (
                        excess,
                        "worse than doing nothing: on \(part.rows) \(part.name) at noise \(level.noise) "
                            + "\(name) falls from \(short(level.nothing.all[index])) to "
                            + "\(short(model.measures.all[index]))"
                    )
                }
            }
        }
        return worst?.text
    }

    private static let names = [
        "the cosine to clean", "the part of neighbours kept", "the part of neighbours found",
    ]

    /// A loss below this is none.
    private static let tolerance = 0.004

    /// The judgement as JSON: for each set and level cosine, neighbours kept with both sides noisy,
    /// with noisy queries on clean rows, and recall@1.
    var json: JSONValue {
        func numbers(_ measures: Measures) -> JSONValue {
            .array(measures.all.map { .double(rounded($0)) })
        }
        return .array(
            parts.flatMap { part in
                part.levels.map { level in
                    var line = JSONObject()
                    line["rows"] = .string(part.name)
                    line["count"] = .integer(part.rows)
                    line["noise"] = .double(rounded(Double(level.noise)))
                    line["nothing"] = numbers(level.nothing)
                    for judged in level.judged { line[judged.name] = numbers(judged.measures) }
                    return .object(line)
                }
            })
    }
}

extension Treatment {
    /// The Wiener filter of the built-in model, and the model.
    public static func all(
        _ denoiser: any Denoiser, _ options: DenoisingOptions = DenoisingOptions()
    ) -> [Treatment] {
        var all: [Treatment] = []
        if let builtIn = DenoiserModel.builtIn?.denoiser as? AdaptiveDenoiser {
            all.append(Treatment("wiener") { builtIn.parameters.wiener($0) })
        }
        return all + [
            Treatment("model") { denoiser.denoise($0, options, team: nil).values }
        ]
    }
}

private func rounded(_ value: Double) -> Double { (value * 1e5).rounded() / 1e5 }

/// With three decimals.
private func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
