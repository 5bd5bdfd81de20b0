internal import ModelFiles
internal import Synchronization

/// The model requests are answered with: a snapshot, replaced whole when its file changes.
public final class LiveModel: Sendable {
    private struct State {
        var model: DenoiserModel?
        var identity: FileIdentity?
        var checked: ContinuousClock.Instant
        var fault: ModelFault?
    }

    /// The model's file.
    public let path: String

    /// How long a look at the file counts; other processes' versions are served that soon.
    private let interval = Duration.milliseconds(200)

    private let fallback: DenoiserModel?
    private let report: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// The model at `path`, or `fallback` while there is no file.
    ///
    /// - Parameter report: told in one line of every change and of every file that cannot be used.
    /// - Throws: where there is a file that cannot be used, or may be one that cannot be seen.
    public init(
        path: String, fallback: DenoiserModel?, report: @escaping @Sendable (String) -> Void
    ) throws(ModelFault) {
        self.path = path
        self.fallback = fallback
        self.report = report
        let identity = FileIdentity.of(path)
        if identity == nil, let obstacle = FileIdentity.obstacle(to: path) {
            throw ModelFault("\(path): \(obstacle)")
        }
        let model = identity == nil ? fallback : try DenoiserModel(reading: path)
        state = Mutex(State(model: model, identity: identity, checked: .now, fault: nil))
    }

    /// The model to answer with; nil while none is loaded.
    ///
    /// A request keeps the one it got. A file that cannot be used is reported once and changes nothing.
    public func current() -> DenoiserModel? {
        let now = ContinuousClock.now
        return state.withLock { state in
            guard now - state.checked >= interval else { return state.model }
            state.checked = now
            let identity = FileIdentity.of(path)
            if identity != state.identity { load(identity, into: &state) }
            return state.model
        }
    }

    /// Looks at the file now; called when this process has changed it.
    func refresh() {
        state.withLock { load(FileIdentity.of(path), into: &$0) }
    }

    /// Reads the file again, whether it seems to have changed or not.
    ///
    /// - Throws: where there is a file that cannot be used; the model served before stays.
    public func reload() throws(ModelFault) {
        refresh()
        if let fault { throw fault }
    }

    /// Why the file as it is now is not served, if so.
    public var fault: ModelFault? { state.withLock { $0.fault } }

    private func load(_ identity: FileIdentity?, into state: inout State) {
        state.identity = identity
        guard identity != nil else {
            state.fault = nil
            if let fallback, state.model == nil { state.model = fallback }
            return
        }
        do throws(ModelFault) {
            let model = try DenoiserModel(reading: path)
            if model.version != state.model?.version { report("model \(model.version) is live") }
            state.model = model
            state.fault = nil
        } catch {
            state.fault = error
            report("\(error); still serving \(state.model?.version ?? "no model")")
        }
    }
}
