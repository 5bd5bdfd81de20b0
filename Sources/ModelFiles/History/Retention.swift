internal import JSON

/// Which replaced versions are kept when new ones come: the newest, and those that took work.
///
/// Apart from the newest none can be pushed out by a loop of small uploads. All together they are
/// at most `newest` + `made` + 2 · `best` + `mostPinned`.
struct Retention {
    /// How many that the command `train` or a restoration made.
    static let made = 10

    /// How many of the best judged, and of those trained on the most lines.
    ///
    /// Judged are those of `fewestLines` or more, and those that `train` or a restoration made.
    static let best = 3

    /// How many a user may pin.
    static let mostPinned = 20

    /// The fewest distinct lines of a training run whose judgement says something.
    ///
    /// A few lines that are nearly the same are denoised almost perfectly by a model of them alone.
    static let fewestLines = 1000.0

    private let place: HistoryPlace

    init(in place: HistoryPlace) { self.place = place }

    /// Those of `versions` that are kept, `newest` of them whatever they are.
    func kept(of versions: [ModelVersion], newest: Int) -> Set<ModelVersion> {
        // A number near the last that a name may have is nobody's count, and holds no place.
        let counted = versions.filter(\.isCounted).sorted { $0.number > $1.number }
        var kept = Set(counted.prefix(newest))
        kept.formUnion(place.marked(.pinned))
        let restored = place.marked(.restored)
        let judged = counted.map { version in
            Judged(version, path: place.file(of: version))
        }
        let worked = judged.filter { $0.isMadeByCommand || restored.contains($0.version) }
        kept.formUnion(worked.prefix(Self.made).map(\.version))
        let many = judged.filter { $0.lines >= Self.fewestLines }
        kept.formUnion(best(of: many + worked.filter { $0.lines < Self.fewestLines }, by: \.cosine))
        kept.formUnion(best(of: judged, by: \.lines))
        return kept
    }

    private func best(
        of judged: [Judged], by measure: KeyPath<Judged, Double>
    ) -> [ModelVersion] {
        judged.filter { $0[keyPath: measure] > 0 }
            .sorted { $0[keyPath: measure] > $1[keyPath: measure] }
            .prefix(Self.best).map(\.version)
    }
}

/// What a version's file says of the work in it; zero if it says nothing.
private struct Judged {
    let version: ModelVersion
    let isMadeByCommand: Bool
    /// Mean cosine to clean of denoised held-out lines.
    var cosine = 0.0
    /// Distinct lines trained on.
    var lines = 0.0

    init(_ version: ModelVersion, path: String) {
        self.version = version
        // Each publication reads all kept files, and none is served from here: their words do.
        let checkpoint = try? Checkpoint(reading: path, isVersionTrusted: true)
        isMadeByCommand = checkpoint?.origin == .command
        guard let text = checkpoint?.report, let value = try? JSONValue(parsing: Array(text.utf8)),
            case .object(let report) = value
        else { return }
        lines = number(report["distinct_lines"])
        if case .object(let heldOut)? = report["held_out"] {
            cosine = number(heldOut["denoised_cosine"])
        }
    }
}

private func number(_ value: JSONValue?) -> Double {
    switch value {
    case .integer(let number): Double(number)
    case .double(let number): number
    default: 0
    }
}
