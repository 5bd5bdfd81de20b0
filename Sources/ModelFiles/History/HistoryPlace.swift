internal import Glibc
internal import System

/// The names of a model's files on disk.
struct HistoryPlace {
    /// The live model's file, links resolved.
    let model: String

    init(_ model: String) { self.model = model }

    /// The folder of the kept versions.
    var versions: String { model + ".versions" }

    /// The file of a kept version.
    func file(of version: ModelVersion) -> String { "\(versions)/\(version)\(suffix)" }

    /// Where a live file goes whose content was lost when another took its place.
    var damaged: String { "\(versions)/damaged\(suffix)" }

    /// The versions that there are files of.
    func keptVersions() -> [ModelVersion] {
        fileNames(in: versions).compactMap { name in
            name.hasSuffix(suffix) ? ModelVersion(name.dropLast(suffix.count)) : nil
        }
    }

    /// What may be noted of a version beside its file.
    enum Mark: String, CaseIterable {
        /// A user keeps it.
        case pinned
        /// A user put it live again.
        case restored
    }

    /// The file that notes `mark` of a version; it is empty.
    func mark(_ mark: Mark, of version: ModelVersion) -> String {
        "\(versions)/\(version).\(mark.rawValue)"
    }

    /// The versions of which `mark` is noted.
    func marked(_ mark: Mark) -> Set<ModelVersion> {
        let suffix = "." + mark.rawValue
        return Set(
            fileNames(in: versions).compactMap { name in
                name.hasSuffix(suffix) ? ModelVersion(name.dropLast(suffix.count)) : nil
            })
    }

    /// A name beside `file` for what is not complete yet.
    func temporary(for file: String) -> String {
        "\(directory(of: file))/.\(name(of: model)).\(getpid()).new"
    }

    /// Whether `temporary(for:)` of any process gives this name.
    func isTemporary(_ name: String) -> Bool {
        let prefix = ".\(System.name(of: model))."
        return name.hasPrefix(prefix) && name.hasSuffix(".new")
            && Int32(name.dropFirst(prefix.count).dropLast(4)) != nil
    }

    /// Removes from `folder` what killed processes left half written; what a live one writes stays.
    func sweep(_ folder: String, _ system: FileSystem) {
        for name in fileNames(in: folder) where isTemporary(name) {
            guard !isWrittenByAnother(name) else { continue }
            let file = folder + "/" + name
            let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            // Also of a process that only its lock tells of: one in another container.
            if descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                system.removeIfPresent(file)
            }
            if descriptor >= 0 { close(descriptor) }
        }
    }

    /// Whether the process in a temporary file's name lives and is not this one.
    private func isWrittenByAnother(_ name: String) -> Bool {
        guard let process = name.dropLast(4).split(separator: ".").last.flatMap({ Int32($0) }),
            process > 0, process != getpid()
        else { return false }
        return kill(process, 0) == 0 || errno == EPERM
    }

    /// The model's extension with its dot.
    private var suffix: String {
        Checkpoint.Format(path: model) == .safetensors ? ".safetensors" : ".pt"
    }
}

/// A model's file as it was read: content, meaning, mode and owner.
struct LiveFile {
    let bytes: [UInt8]
    let checkpoint: Checkpoint
    let status: stat

    /// Nil if there is no file.
    init?(at path: String) throws(ModelFileError) {
        do {
            let file = try ReadableFile(opening: path)
            bytes = try file.contents(limit: Checkpoint.sizeLimit)
            status = file.status
        } catch .missing {
            return nil
        }
        checkpoint = try Checkpoint(decoding: bytes, file: path)
    }
}
