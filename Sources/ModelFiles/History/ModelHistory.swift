internal import Glibc
internal import System

/// The model at one path, and the versions that were live there before.
///
/// Replaced versions are kept in the folder `<path>.versions` as `<version>.<extension>`. A version
/// is never altered: switching back puts the same file live again under the same version, and the
/// next publication counts on from the highest number.
public struct ModelHistory: Sendable {
    /// The live model's file.
    public let path: String

    /// How many replaced versions are kept whatever they are; see `Retention` for those kept
    /// besides.
    public let keeping: Int

    /// The model that is served if there is no file; it can be restored as if it were kept.
    private let builtIn: Checkpoint?

    private let system: FileSystem

    /// The history of the model at `path`; nothing is touched yet.
    public init(path: String, keeping: Int = 10, builtIn: Checkpoint? = nil) {
        self.init(path: path, keeping: keeping, builtIn: builtIn, system: FileSystem())
    }

    init(path: String, keeping: Int = 10, builtIn: Checkpoint? = nil, system: FileSystem) {
        precondition(keeping >= 1, "keeping \(keeping) versions")
        self.path = path
        self.keeping = keeping
        self.builtIn = builtIn
        self.system = system
    }

    /// Takes the right to train and publish here, waiting up to `patience` for another owner.
    ///
    /// - Throws: `busy`, `lockingUnsupported`, or `system`.
    public func lock(waiting patience: Duration = .zero) throws(ModelFileError) -> TrainingLock {
        try TrainingLock(for: path, waiting: patience)
    }

    /// The live model; nil if there is no file.
    ///
    /// - Throws: `damaged` or `system`.
    public func live() throws(ModelFileError) -> Checkpoint? {
        do { return try Checkpoint(reading: path) } catch .missing { return nil }
    }

    /// The model that a new version is made from: the live one; nil if there is no file, or one
    /// whose content is lost.
    ///
    /// - Throws: `system`.
    public func parent() throws(ModelFileError) -> Checkpoint? {
        do { return try live() } catch {
            guard error.isLoss, isRegularFile(resolvedPath(path)) else { throw error }
            return nil
        }
    }

    /// Puts `checkpoint` live and keeps the model it replaces; returns it with its version and
    /// parent.
    ///
    /// At every moment, whatever fails, the path holds the old file or the new one, whole. A file
    /// whose content is lost is replaced as none; what there is of it is kept beside the versions.
    ///
    /// - Parameters:
    ///   - expected: the version of `parent`, which must still be live; nil for no file, or a lost
    ///     one.
    ///   - lock: held since `expected` was read, so that nobody else publishes in between.
    /// - Throws: `superseded`, `damaged` if something else than a file stands there, `system`;
    ///   nothing has changed then. `unconfirmed` if it is live but may not survive a power cut.
    public func publish(
        _ checkpoint: Checkpoint, replacing expected: ModelVersion?,
        under lock: borrowing TrainingLock
    ) throws(ModelFileError) -> Checkpoint {
        let place = HistoryPlace(lock.modelPath)
        let renewed = try renewal(of: lock)
        defer { withExtendedLifetime(renewed) {} }
        sweep(place)
        let (current, published) = try successor(of: expected, checkpoint, place)
        try replace(
            place, current,
            with: published.encoded(as: .init(path: place.model)), version: published.version)
        return published
    }

    /// Keeps `checkpoint` as a version that is not live; returns it with its version and parent.
    ///
    /// - Parameters:
    ///   - expected: the version that is live, as for `publish`.
    ///   - lock: held since `expected` was read.
    /// - Throws: `superseded`, `damaged`, `system`; nothing has changed then.
    public func shelve(
        _ checkpoint: Checkpoint, beside expected: ModelVersion?,
        under lock: borrowing TrainingLock
    ) throws(ModelFileError) -> Checkpoint {
        let place = HistoryPlace(lock.modelPath)
        let renewed = try renewal(of: lock)
        defer { withExtendedLifetime(renewed) {} }
        sweep(place)
        let (current, published) = try successor(of: expected, checkpoint, place)
        try system.makeDirectories(place.versions)
        let file = place.file(of: published.version)
        try system.replace(
            file, with: published.encoded(as: .init(path: place.model)),
            through: place.temporary(for: file), for: file, like: current?.status)
        try system.syncDirectory(place.versions)
        prune(place, live: current?.checkpoint.version, spared: published.version)
        return published
    }

    /// Puts a kept version live again and keeps the model it replaces; returns what is live then.
    ///
    /// A live file whose content is lost is replaced; what there is of it is kept beside the
    /// versions.
    ///
    /// - Throws: `unknownVersion`, `damaged` if the kept file is, `system`, `unconfirmed`.
    public func restore(
        _ version: ModelVersion, under lock: borrowing TrainingLock
    ) throws(ModelFileError) -> Checkpoint {
        let place = HistoryPlace(lock.modelPath)
        let renewed = try renewal(of: lock)
        defer { withExtendedLifetime(renewed) {} }
        sweep(place)
        let current = try whole(place)
        if let current, current.checkpoint.version == version { return current.checkpoint }
        let file = place.file(of: version)
        if let builtIn, builtIn.version == version {
            let bytes = builtIn.encoded(as: .init(path: place.model))
            try replace(place, current, with: bytes, version: version)
            return builtIn
        }
        guard let kept = try LiveFile(at: file) else {
            throw .unknownVersion(file: path, version: version.description)
        }
        guard kept.checkpoint.version == version else {
            throw .damaged(file: file, reason: "holds version \(kept.checkpoint.version)")
        }
        try mark(version, .restored, in: place)
        // Copied, not linked: writing over the live file in place must not alter the kept one.
        try replace(place, current, with: kept.bytes, version: version)
        return kept.checkpoint
    }

    /// Keeps a version for good, or lets it go with the others of its age.
    ///
    /// - Throws: `unknownVersion`, `tooManyPinned`, `system`.
    public func pin(
        _ version: ModelVersion, _ isPinned: Bool, under lock: borrowing TrainingLock
    ) throws(ModelFileError) {
        let place = HistoryPlace(lock.modelPath)
        guard isPinned else {
            system.removeIfPresent(place.mark(.pinned, of: version))
            return
        }
        let live = try LiveFile(at: place.model)?.checkpoint.version
        guard version == live || place.keptVersions().contains(version) else {
            throw .unknownVersion(file: path, version: version.description)
        }
        let pinned = place.marked(.pinned).subtracting([version])
        guard pinned.count < Retention.mostPinned else {
            throw .tooManyPinned(file: path, limit: Retention.mostPinned)
        }
        try mark(version, .pinned, in: place)
    }

    /// The live model and the kept ones, highest number first; a damaged live file is left out.
    ///
    /// The built-in model is the last, and live if there is no file.
    public func records() -> [ModelRecord] {
        let place = HistoryPlace(resolvedPath(path))
        let live = try? LiveFile(at: place.model)
        var records: [ModelRecord] = []
        if let live {
            records.append(ModelRecord(live.checkpoint, path: place.model, isLive: true))
        }
        let pinned = place.marked(.pinned)
        for version in place.keptVersions()
        where version != live?.checkpoint.version && version != builtIn?.version {
            records.append(ModelRecord(version, path: place.file(of: version)))
        }
        for index in records.indices {
            records[index].isPinned = pinned.contains(records[index].version)
        }
        records.sort {
            ($0.version.number, $0.version.digest) > ($1.version.number, $1.version.digest)
        }
        guard let builtIn, live?.checkpoint.version != builtIn.version else { return records }
        let isServed = FileIdentity.of(place.model) == nil
        return records + [ModelRecord(builtIn, path: nil, isLive: isServed)]
    }
}

// MARK: - Steps

extension ModelHistory {
    /// The live file; nil if there is none, or one whose content is lost.
    private func whole(_ place: HistoryPlace) throws(ModelFileError) -> LiveFile? {
        do { return try LiveFile(at: place.model) } catch {
            // A folder or a device is nothing to be replaced.
            guard error.isLoss, isRegularFile(place.model) else { throw error }
            return nil
        }
    }

    /// The live file, and `checkpoint` under the number that comes next.
    ///
    /// - Throws: `superseded` if `expected` is not live any more.
    private func successor(
        of expected: ModelVersion?, _ checkpoint: Checkpoint, _ place: HistoryPlace
    ) throws(ModelFileError) -> (current: LiveFile?, published: Checkpoint) {
        let current = try whole(place)
        guard current?.checkpoint.version == expected else {
            throw .superseded(
                file: path, expected: expected?.description ?? "no file",
                live: current?.checkpoint.version.description ?? "no file")
        }
        let counted = place.keptVersions().filter(\.isCounted).map(\.number)
        let highest = max(counted.max() ?? 0, expected?.number ?? 0)
        // A file whose content is lost had the number after the highest kept, most likely.
        let isLost = current == nil && isRegularFile(place.model)
        let published = checkpoint.published(
            as: highest + (isLost ? 2 : 1), parent: expected, at: Int(time(nil)))
        return (current, published)
    }

    /// Gives a live file whose content is lost another name: it may be no model at all, but
    /// somebody's text.
    private func setAside(_ place: HistoryPlace) throws(ModelFileError) {
        guard isRegularFile(place.model) else { return }
        try system.makeDirectories(place.versions)
        let temporary = place.temporary(for: place.damaged)
        do throws(ModelFileError) {
            if try !system.link(place.model, to: temporary, for: place.damaged) {
                try system.copy(place.model, toNew: temporary, for: place.damaged)
            }
            try system.rename(temporary, to: place.damaged)
        } catch {
            system.removeIfPresent(temporary)
            throw error
        }
        system.removeIfPresent(temporary)
        try system.syncDirectory(place.versions)
    }

    private func replace(
        _ place: HistoryPlace, _ current: LiveFile?, with bytes: [UInt8], version: ModelVersion
    ) throws(ModelFileError) {
        try system.replace(
            place.model, with: bytes, through: place.temporary(for: place.model), for: path,
            like: current?.status
        ) { () throws(ModelFileError) in
            if let current { try keep(current, in: place) } else { try setAside(place) }
        }
        do throws(ModelFileError) {
            try system.syncDirectory(directory(of: place.model))
        } catch {
            guard case .system(_, _, let code) = error else { throw error }
            throw .unconfirmed(file: path, version: version.description, code: code)
        }
        prune(place, live: version, spared: current?.checkpoint.version)
    }

    /// Gives the live file its name among the versions, while it is still live.
    private func keep(_ current: LiveFile, in place: HistoryPlace) throws(ModelFileError) {
        try system.makeDirectories(place.versions)
        let file = place.file(of: current.checkpoint.version)
        let temporary = place.temporary(for: file)
        do throws(ModelFileError) {
            if try !system.link(place.model, to: temporary, for: file) {
                try system.write(
                    current.bytes, toNew: temporary, for: file, like: current.status)
            }
            try system.rename(temporary, to: file)
        } catch {
            system.removeIfPresent(temporary)
            throw error
        }
        // Two names of one file: the rename then does nothing and leaves both.
        system.removeIfPresent(temporary)
        try system.syncDirectory(place.versions)
    }

    /// Removes what `Retention` does not keep, but not `spared`, the version just replaced or made.
    private func prune(_ place: HistoryPlace, live: ModelVersion?, spared: ModelVersion?) {
        let others = place.keptVersions().filter { $0 != live && $0 != spared }
        let places = keeping - (spared == nil ? 0 : 1)
        if others.count > places {
            let kept = Retention(in: place).kept(of: others, newest: places)
            for version in others where !kept.contains(version) {
                system.removeIfPresent(place.file(of: version))
            }
        }
        let present = Set(place.keptVersions()).union(live.map { [$0] } ?? [])
        for mark in HistoryPlace.Mark.allCases {
            for version in place.marked(mark) where !present.contains(version) {
                system.removeIfPresent(place.mark(mark, of: version))
            }
        }
    }

    /// Notes something of a version beside its file, which is never altered.
    private func mark(
        _ version: ModelVersion, _ mark: HistoryPlace.Mark, in place: HistoryPlace
    ) throws(ModelFileError) {
        let file = place.mark(mark, of: version)
        guard FileIdentity.of(file) == nil else { return }
        try system.makeDirectories(place.versions)
        try system.write([], toNew: file, for: file, like: nil)
    }

    /// A new lock if somebody removed the lock's file meanwhile; nil if it is in force.
    private func renewal(
        of lock: borrowing TrainingLock
    ) throws(ModelFileError) -> TrainingLock? {
        lock.isInForce ? nil : try TrainingLock(for: lock.modelPath)
    }

    /// Removes what killed processes left half written.
    private func sweep(_ place: HistoryPlace) {
        for folder in [directory(of: place.model), place.versions] { place.sweep(folder, system) }
    }
}
