internal import JSON

/// What a client asks of a denoise route: rows, and how much noise to add to them first.
struct DenoiseRequest<Rows> {
    var rows: Rows

    /// Standard deviation of the noise: finite, at least 0.
    var noiseLevel: Float
}

/// Reads a route's list of rows; the rest of the body is common to both routes.
protocol RowReading {
    associatedtype Rows

    /// The member that holds the rows: "texts".
    static var name: String { get }

    /// Whether `fastRows` accepts only ASCII, so that the body's encoding needs no check first.
    static var takesOnlyASCII: Bool { get }

    /// How many rows one request may hold.
    var limit: Int { get }

    /// The rows of the list that is next in `text`, in one pass; nil if anything about it is
    /// unusual.
    func fastRows(_ reader: inout JSONReader, in text: JSONText) -> Rows?

    /// The rows of `list`, of whatever shape; what makes them unusable goes into `issues`.
    func rows(_ list: JSONNode, in tree: JSONTree, issues: inout RequestIssues) -> Rows?
}

/// What is wrong with a request.
struct RequestIssues {
    /// What FastAPI finds too; if there is any, the answer tells only this.
    var shared: IssueList

    /// What only this service objects to.
    var own: IssueList

    init(limit: Int, quoting quotable: Int = .max) {
        shared = IssueList(limit: limit, quoting: quotable)
        own = IssueList(limit: limit, quoting: quotable)
    }

    var isEmpty: Bool { shared.isEmpty && own.isEmpty }

    /// The error that tells them.
    var error: APIError { APIError(shared.isEmpty ? own.issues : shared.issues) }
}

extension RowReading {
    /// The request in `body`.
    ///
    /// - Throws: why it cannot be used.
    func request(
        from body: JSONBody, limits: Limits
    ) throws(APIError) -> DenoiseRequest<Rows> {
        var issues = RequestIssues(limit: limits.issues, quoting: limits.quotedBytes)
        if Self.takesOnlyASCII, case .json(let bytes) = body,
            let request = fastRequest(JSONText(unchecked: bytes))
        {
            return request
        }
        guard let text = try body.text(&issues) else { throw issues.error }
        // A second try of the same bytes would fail again.
        if !Self.takesOnlyASCII || text.bytes.count != body.count,
            let request = fastRequest(text)
        {
            return request
        }
        guard let tree = try text.object(limits, &issues),
            let request = slowRequest(tree, &issues)
        else { throw issues.error }
        return request
    }

    /// Whether `list` holds no more than `limit` elements; if not, that is an issue.
    func isShortEnough(
        _ list: JSONNode, in tree: JSONTree, issues: inout RequestIssues
    ) -> Bool {
        let given = tree.count(of: list)
        if given <= limit { return true }
        issues.shared.add(
            .tooManyItems(given: given, limit: limit), at: ["body", .name(Self.name)])
        return false
    }

    /// Reads in one pass the body that nearly every client sends: each member once, of the plain
    /// type.
    func fastRequest(_ text: JSONText) -> DenoiseRequest<Rows>? {
        var reader = JSONReader(text)
        var rows: Rows?
        var noise: Double?
        guard reader.skip(UInt8(ascii: "{")) else { return nil }
        repeat {
            let name = reader.string()
            guard reader.skip(UInt8(ascii: ":")) else { return nil }
            if name == Self.name, rows == nil {
                rows = fastRows(&reader, in: text)
                guard rows != nil else { return nil }
            } else if name == NoiseLevel.name, noise == nil {
                noise = reader.double()
                guard let noise, noise >= 0 else { return nil }
            } else {
                return nil
            }
        } while reader.skip(UInt8(ascii: ","))
        guard reader.skip(UInt8(ascii: "}")), reader.isAtEnd(), let rows else { return nil }
        return DenoiseRequest(rows: rows, noiseLevel: NoiseLevel.single(noise ?? 0))
    }

    /// The request in an object of any shape.
    func slowRequest(
        _ tree: JSONTree, _ issues: inout RequestIssues
    ) -> DenoiseRequest<Rows>? {
        var rows: Rows?
        if let list = tree.member(Self.name, of: tree.root) {
            if case .array = tree.kind(of: list) {
                rows = self.rows(list, in: tree, issues: &issues)
            } else {
                let size = tree.length(of: list)
                issues.shared.add(.notAList, at: ["body", .name(Self.name)], size: size) {
                    tree.write(list, into: &$0)
                }
            }
        } else {
            let size = tree.length(of: tree.root)
            issues.shared.add(.missing, at: ["body", .name(Self.name)], size: size) {
                tree.write(tree.root, into: &$0)
            }
        }
        let noise = NoiseLevel.value(in: tree, issues: &issues)
        guard let rows, issues.isEmpty else { return nil }
        return DenoiseRequest(rows: rows, noiseLevel: NoiseLevel.single(noise))
    }
}
