internal import Glibc

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

    /// A name beside `file` for what is not complete yet.
    func temporary(for file: String) -> String {
        "\(directory(of: file))/.\(name(of: model)).\(getpid()).new"
    }

    /// Whether `temporary(for:)` of any process gives this name.
    func isTemporary(_ name: String) -> Bool {
        let prefix = ".\(ModelFiles.name(of: model))."
        return name.hasPrefix(prefix) && name.hasSuffix(".new")
            && Int32(name.dropFirst(prefix.count).dropLast(4)) != nil
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

    /// Nil where there is no file.
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
