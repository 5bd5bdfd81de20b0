internal import ModelFiles
internal import System

/// The model requests are answered with: a snapshot, replaced whole when its file changes.
///
/// From `follow` on, one thread of its own looks at the file. Requests go on with the model there
/// is, however long the storage takes.
public final class LiveModel: Sendable {
    /// The model's file.
    public let path: String

    private let file: FollowedFile

    /// The model at `path`, or `fallback` while there is no file.
    ///
    /// - Parameters:
    ///   - standsIn: whether the newest whole version, else `fallback`, is served while the file
    ///     cannot be used.
    ///   - report: told in one line of every change and of every file that cannot be used.
    /// - Throws: if there is a file that cannot be used, or may be one that cannot be seen, and
    ///   nothing stands in for it.
    public init(
        path: String, fallback: DenoiserModel?, standsIn: Bool = false,
        report: @escaping @Sendable (String) -> Void
    ) throws(ModelFault) {
        self.path = path
        file = try FollowedFile(
            path: path, fallback: fallback, standsIn: standsIn, report: report)
    }

    deinit { file.end() }

    /// Looks at the file from now on: for requests, twice a second without any, and after a fault
    /// again and again.
    ///
    /// - Throws: if the system gives no thread.
    public func follow() throws(ModelFault) {
        do throws(ThreadRefusal) {
            try SystemThread { [file] in file.follow() }.detach()
        } catch {
            throw ModelFault("\(error)", isPassing: true)
        }
        file.begin()
    }

    /// The model to answer with; nil while none is loaded.
    ///
    /// A request keeps the one it got. A file that cannot be used is reported once and changes
    /// nothing.
    public func current() -> DenoiserModel? { file.current() }

    /// Looks at the file now; called when this process has changed it.
    func refresh() { file.look(.read, waiting: .seconds(5)) }

    /// Reads the file again, whether it seems to have changed or not; if there is none any more,
    /// the fallback is served.
    ///
    /// - Throws: if there is a file that cannot be used; the model served before stays.
    public func reload() throws(ModelFault) {
        file.look(.reload, waiting: nil)
        if let fault { throw fault }
    }

    /// Why the model served is not the one of the file as it is now, if so.
    public var fault: ModelFault? { file.fault }
}
