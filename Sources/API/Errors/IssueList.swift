/// Issues while they are found, bounded: a hostile body can hold millions.
struct IssueList {
    /// The issues that are told.
    private(set) var issues: [ValidationIssue] = []

    /// Issues found, told or not.
    private(set) var count = 0

    private let limit: Int
    private var quotable: Int

    /// A list that tells at most `limit` issues and quotes at most `quotable` bytes of the request.
    init(limit: Int, quoting quotable: Int = .max) {
        self.limit = limit
        self.quotable = quotable
    }

    var isEmpty: Bool { count == 0 }

    /// Adds an issue that quotes nothing.
    mutating func add(_ type: IssueType, at location: [LocationPart]) {
        count += 1
        guard count <= limit else { return }
        issues.append(ValidationIssue(type: type, location: location))
    }

    /// Adds an issue that quotes `size` bytes of the request, which `input` prints as JSON.
    ///
    /// An issue that would quote too much quotes nothing, and so do all after it.
    mutating func add(
        _ type: IssueType, at location: [LocationPart], size: Int,
        input: (inout [UInt8]) -> Void
    ) {
        guard count < limit, size <= quotable else {
            if count < limit { quotable = 0 }
            add(type, at: location)
            return
        }
        quotable -= size
        add(type, at: location)
        var text: [UInt8] = []
        input(&text)
        issues[issues.count - 1].input = text
    }
}
