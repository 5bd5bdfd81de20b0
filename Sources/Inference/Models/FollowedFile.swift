internal import System
internal import ModelFiles

/// A model's file under the eyes of one thread, and the model that was read last.
final class FollowedFile: Sendable {
    /// What a look is for.
    enum Wish: Int, Comparable {
        /// To read the file if it seems to have changed.
        case look
        /// To read it in any case.
        case read
        /// The same; and that it is gone counts.
        case reload

        static func < (a: Wish, b: Wish) -> Bool { a.rawValue < b.rawValue }
    }

    fileprivate struct State {
        var model: DenoiserModel?
        /// The file that was looked at last; nil if there was none.
        var identity: FileIdentity?
        var fault: ModelFault?
        /// Looks at this file that ended in a fault.
        var failures = 0
        var nextTry: ContinuousClock.Instant?

        var wish: Wish?
        /// Since when a look is asked for or under way.
        var pendingSince: ContinuousClock.Instant?
        var isLooking = false
        var looks = 0
        var lookedAt = ContinuousClock.now
        var isFollowed = false
        var isOver = false
    }

    /// What a look found.
    fileprivate enum Finding {
        case unchanged
        case gone
        case model(DenoiserModel)
        case fault(ModelFault)
    }

    private let path: String
    private let fallback: DenoiserModel?
    private let report: @Sendable (String) -> Void
    private let state: Monitor<State>

    /// How long a look at the file counts; other processes' versions are served that soon.
    private static let interval = Duration.milliseconds(200)

    /// How long a request waits for a look if none came by for long.
    private static let grace = Duration.milliseconds(50)

    /// How long the thread rests between looks that nobody asks for.
    ///
    /// A large model takes longer to read than a request waits. Without such looks the first
    /// request after a quiet hour would be answered by the model before.
    private static let rest = Duration.milliseconds(500)

    /// How often a damaged file is read that does not change: a slow copy may end within one tick
    /// of its clock.
    private static let damagedReads = 3

    init(
        path: String, fallback: DenoiserModel?, standsIn: Bool,
        report: @escaping @Sendable (String) -> Void
    ) throws(ModelFault) {
        self.path = path
        self.fallback = fallback
        self.report = report
        var state = State()
        do throws(ModelFault) {
            state.identity = try Self.identity(of: path)
            state.model = state.identity == nil ? fallback : try DenoiserModel(reading: path)
        } catch {
            guard standsIn, let other = Self.standIn(at: path, fallback) else { throw error }
            report("\(error); serving \(other.version) in its place")
            state.model = other
            state.note(error, after: Self.pause(error, 1))
        }
        self.state = Monitor(state)
    }

    /// What is served in the place of a file that cannot be used.
    ///
    /// A folder or a device without a kept version is no damaged model, but a wrong name.
    private static func standIn(at path: String, _ fallback: DenoiserModel?) -> DenoiserModel? {
        if let kept = newestWhole(of: path) { return kept }
        return FileIdentity.of(path) == nil || isRegularFile(path) ? fallback : nil
    }

    // MARK: Requests

    /// The model to answer with.
    func current() -> DenoiserModel? {
        let now = ContinuousClock.now
        let (model, isAsked, target) = state.withLock { state in
            let age = now - state.lookedAt
            guard state.isFollowed, age >= Self.interval else {
                return (state.model, false, nil as Int?)
            }
            let isAsked = state.pendingSince == nil
            if isAsked { state.ask(.look, now) }
            // Under steady traffic nobody waits for a look, and for a slow one only the first who
            // come.
            let waits = age >= Self.interval * 2 && now - (state.pendingSince ?? now) < Self.grace
            return (state.model, isAsked, waits ? state.looks + 1 : nil)
        }
        if isAsked { state.wakeAll() }
        guard let target else { return model }
        return wait(for: target, until: now + Self.grace)
    }

    var fault: ModelFault? { state.withLock { $0.fault } }

    /// Has the file looked at and waits for that, for so long at most.
    func look(_ wish: Wish, waiting patience: Duration?) {
        let now = ContinuousClock.now
        let target = state.withLock { state -> Int? in
            guard state.isFollowed else { return nil }
            state.ask(wish, now)
            // A look under way may have seen the file as it was before.
            return state.looks + (state.isLooking ? 2 : 1)
        }
        guard let target else {
            perform(wish)
            return
        }
        state.wakeAll()
        if let patience {
            _ = wait(for: target, until: now + patience)
        } else {
            state.wait { $0.looks >= target || $0.isOver ? () : nil }
        }
    }

    private func wait(
        for target: Int, until deadline: ContinuousClock.Instant
    ) -> DenoiserModel? {
        _ = state.wait(before: deadline) { $0.looks >= target ? () : nil }
        return state.withLock { $0.model }
    }

    // MARK: The thread

    /// Requests have looks made from now on.
    func begin() { state.withLock { $0.isFollowed = true } }

    /// Ends `follow`.
    func end() {
        state.withLock { $0.isOver = true }
        state.wakeAll()
    }

    /// Looks whenever that is asked for or due, and after every rest, until `end`.
    func follow() {
        while let wish = nextWish() { perform(wish) }
    }

    private func nextWish() -> Wish? {
        func asked(_ state: inout State) -> Wish?? {
            if state.isOver { return .some(nil) }
            guard let wish = state.wish else { return nil }
            state.wish = nil
            return wish
        }
        let rested = ContinuousClock.now + Self.rest
        guard let due = state.withLock({ $0.nextTry }), due <= rested else {
            return state.wait(before: rested, until: asked) ?? .look
        }
        // The time is over: read it, though it looks the same.
        return state.wait(before: due, until: asked) ?? .read
    }

    private func perform(_ wish: Wish) {
        let before = state.withLock { state in
            state.isLooking = true
            return (state.identity, state.failures)
        }
        var identity: FileIdentity?
        var finding: Finding
        do throws(ModelFault) {
            identity = try Self.identity(of: path)
            if identity == nil {
                finding = before.0 == nil && before.1 == 0 && wish < .reload ? .unchanged : .gone
            } else if identity == before.0, wish == .look {
                finding = .unchanged
            } else {
                finding = .model(try DenoiserModel(reading: path))
            }
        } catch {
            finding = .fault(error)
        }
        let lines = state.withLock { state in
            let lines = state.take(finding, identity, wish, path, fallback)
            state.isLooking = false
            state.looks += 1
            state.lookedAt = .now
            if state.wish == nil { state.pendingSince = nil }
            return lines
        }
        state.wakeAll()
        for line in lines { report(line) }
    }

    private static func identity(of path: String) throws(ModelFault) -> FileIdentity? {
        do throws(ModelFileError) { return try FileIdentity.seen(at: path) } catch {
            throw ModelFault(error)
        }
    }

    /// How long to wait after so many failures; nil if only a change helps.
    fileprivate static func pause(_ fault: ModelFault, _ failures: Int) -> Duration? {
        guard fault.isPassing || failures < damagedReads else { return nil }
        return .seconds(min(60, 1 << min(failures - 1, 6)))
    }
}

extension FollowedFile.State {
    fileprivate mutating func ask(_ wish: FollowedFile.Wish, _ now: ContinuousClock.Instant) {
        self.wish = max(self.wish ?? wish, wish)
        if pendingSince == nil { pendingSince = now }
    }

    fileprivate mutating func note(_ fault: ModelFault, after pause: Duration?) {
        self.fault = fault
        failures += 1
        nextTry = pause.map { .now + $0 }
    }

    /// Takes over what a look found; returns what is to be reported.
    fileprivate mutating func take(
        _ finding: FollowedFile.Finding, _ found: FileIdentity?, _ wish: FollowedFile.Wish,
        _ path: String, _ fallback: DenoiserModel?
    ) -> [String] {
        if found != identity { failures = 0 }
        let name = model?.version ?? "no model"
        switch finding {
        case .unchanged: return []
        case .gone: return lose(wish, path, fallback)
        case .model(let new):
            let isNew = new.version != model?.version
            let wasLost = fault != nil
            (model, identity, fault, failures, nextTry) = (new, found, nil, 0, nil)
            if isNew { return ["model \(new.label) is live"] }
            return wasLost ? ["\(path) is whole again: model \(new.label) is live"] : []
        case .fault(let new):
            let isTold = fault == new && wish < .reload
            identity = found
            note(new, after: FollowedFile.pause(new, failures + 1))
            return isTold ? [] : ["\(new); still serving \(name)"]
        }
    }

    /// The file is gone: for a moment, as when another is copied there, or for good, which a reload
    /// says.
    private mutating func lose(
        _ wish: FollowedFile.Wish, _ path: String, _ fallback: DenoiserModel?
    ) -> [String] {
        let name = model?.version ?? "no model"
        let wasSeen = fault?.description != FollowedFile.goneText(path)
        (identity, failures, nextTry) = (nil, 0, nil)
        guard wish == .reload else {
            fault = ModelFault(FollowedFile.goneText(path))
            let next = fallback.map { "the built-in model \($0.version)" } ?? "no model"
            return wasSeen
                ? ["\(path) is gone; still serving \(name), and after SIGHUP or a restart \(next)"]
                : []
        }
        fault = nil
        guard fallback?.version != model?.version else { return [] }
        model = fallback
        return ["\(path) is gone: \(fallback?.version ?? "no model") is live in place of \(name)"]
    }
}

extension FollowedFile {
    fileprivate static func goneText(_ path: String) -> String { "\(path): no such file" }
}

/// The newest kept version of the model at `path` that can be used.
private func newestWhole(of path: String) -> DenoiserModel? {
    for record in ModelHistory(path: path).records() where record.problem == nil && !record.isLive {
        guard let file = record.path else { continue }
        if let model = try? DenoiserModel(reading: file) { return model }
    }
    return nil
}
