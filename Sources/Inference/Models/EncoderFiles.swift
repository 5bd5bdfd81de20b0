public import ModelFiles
internal import Synchronization
internal import System

/// The files that an encoder was made from: which they were, and whether they still are.
public final class EncoderFiles: Sendable {
    /// What is read of every encoder's folder, or may be.
    private static let names =
        [
            "config.json", "vocab.txt", "model.safetensors", PackedWeights.fileName,
            EncoderSettings.modulesFile, "1_Pooling/config.json", "2_Normalize/config.json",
            "tokenizer.json", "tokenizer_config.json", "added_tokens.json",
            "special_tokens_map.json", "config_sentence_transformers.json",
        ] + EncoderSettings.transformerFiles

    /// The files of a folder as they are at one moment.
    public struct Look: Sendable, Equatable {
        fileprivate var files: [File]
        /// The list of sums: nothing is made from it, but it decides what may be taken up.
        fileprivate var sums: FileIdentity?

        /// Whether one was changed so lately that one more change might not show.
        var isFresh: Bool { files.contains { $0.identity?.isFresh == true } }
    }

    fileprivate struct File: Sendable, Equatable {
        var name: String
        var identity: FileIdentity?
    }

    /// A file that is not the one that was read.
    public struct Change: Sendable, Equatable {
        /// Its name in the folder.
        public let name: String
        /// What became of it; never `whole`.
        public let condition: MappingCondition
        /// Whether it is there at all.
        public let isThere: Bool
    }

    /// The folder.
    public let folder: String

    /// Whether a file was left out because the system refused to read it.
    public let isProvisional: Bool

    private let read: Look
    private let mapped: [SafetensorsFile]
    private let isSpoilt = Atomic<Bool>(false)

    init(folder: String, read: Look, mapped: [SafetensorsFile], isProvisional: Bool) {
        self.folder = folder
        self.read = read
        self.mapped = mapped
        self.isProvisional = isProvisional
    }

    /// The files as they are now.
    public func look() -> Look { Self.look(at: folder, after: read) }

    /// The files of `folder` as they are now.
    ///
    /// - Parameter earlier: spares reading again which folders the modules have, while their list
    ///   is the same.
    fileprivate static func look(at folder: String, after earlier: Look? = nil) -> Look {
        func file(_ name: String) -> File {
            File(name: name, identity: .of("\(folder)/\(name)"))
        }
        var files = names.map(file)
        if let earlier, files.first(where: isList) == earlier.files.first(where: isList) {
            files += earlier.files.dropFirst(names.count).map { file($0.name) }
        } else {
            let modules = EncoderSettings.moduleFiles(in: folder)
            files += modules.filter { !names.contains($0) }.map(file)
        }
        return Look(files: files, sums: .of("\(folder)/\(sums)"))
    }

    private static func isList(_ file: File) -> Bool { file.name == EncoderSettings.modulesFile }

    /// Whether the files in `look` are those that were read.
    public func isCurrent(_ look: Look) -> Bool {
        look.files == read.files && !isSpoilt.load(ordering: .relaxed)
    }

    /// How the files in `look` differ from those that were read.
    public func changes(in look: Look) -> [Change] {
        var changes: [Change] = []
        func identity(_ name: String, in look: Look) -> FileIdentity? {
            look.files.first { $0.name == name }?.identity
        }
        let added = look.files.filter { file in !read.files.contains { $0.name == file.name } }
        for name in (read.files + added).map(\.name) {
            let (then, now) = (identity(name, in: read), identity(name, in: look))
            guard now != then else { continue }
            let condition: MappingCondition =
                switch (then, now) {
                case (let then?, let now?) where now.hasContent(of: then): .touched
                case (let then?, let now?) where now.isSameFile(as: then): .overwritten
                default: .replaced
                }
            changes.append(Change(name: name, condition: condition, isThere: now != nil))
        }
        return changes
    }

    /// Whether what is mapped may not be what it was; once that is so, it stays.
    ///
    /// Asked after a computation, it tells whether that used any other bytes.
    public var areSpoilt: Bool {
        if isSpoilt.load(ordering: .relaxed) { return true }
        for file in mapped where [.touched, .overwritten].contains(file.condition) {
            isSpoilt.store(true, ordering: .relaxed)
            return true
        }
        return false
    }
}

// MARK: - Whole files

/// What is known of the content of a file that was written over.
public enum Wholeness: Sendable, Equatable {
    /// It has the SHA-256 that it should have.
    case whole
    /// It has another.
    case wrong
    /// Nothing says what it should be.
    case unknown
}

extension EncoderFiles {
    /// Files of this name in an encoder's folder hold the SHA-256 of others, as `sha256sum` prints
    /// them.
    public static let sums = "SHA256SUMS"

    /// What the published files have.
    private static let published = [
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    ]

    /// Whether the file `name` is whole, all of which is read.
    ///
    /// Packed weights carry a sum of their own, which is looked at when they are loaded.
    public func wholeness(of name: String) throws(ModelFault) -> Wholeness {
        if name == PackedWeights.fileName { return .whole }
        do throws(ModelFileError) {
            let sum = try SHA256.hex(ofFile: "\(folder)/\(name)")
            if let wanted = try wantedSum(of: name) { return sum == wanted ? .whole : .wrong }
            return Self.published[name] == sum ? .whole : .unknown
        } catch {
            throw ModelFault(error)
        }
    }

    /// The sum that the folder's own list gives; nil without list or entry.
    private func wantedSum(of name: String) throws(ModelFileError) -> String? {
        let list: [UInt8]
        do throws(ModelFileError) {
            list = try fileContents(at: "\(folder)/\(Self.sums)", limit: 1 << 20)
        } catch {
            if case .missing = error { return nil }
            throw error
        }
        for line in String(decoding: list, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            // `sha256sum` marks binary mode by a star.
            if words.count == 2, words[1] == name || words[1] == "*\(name)" {
                return words[0].lowercased()
            }
        }
        return nil
    }
}

// MARK: - Loading

/// The encoder in `folder` with its compute threads, made from files of one moment.
///
/// - Parameters:
///   - threads: compute threads, one a core.
///   - tokens: the most tokens of a text that count, if the folder's files ask for more.
///   - report: gets a line if it is slower than it could be.
/// - Throws: what cannot be used, or that the files never stood still while they were read.
public func loadEmbedder(
    folder: String, threads: Int, tokens: Int? = nil,
    report: (String) -> Void = { _ in }
) throws(ModelFault) -> TextEmbedder {
    var attempt = 1
    while true {
        let before = settledLook(at: folder)
        var note: String?
        do throws(ModelFault) {
            let settings = try EncoderSettings(folder: folder)
            let tokenizer = try loadTokenizer(folder: folder, settings: settings)
            let weights = try loadWeights(folder: folder, settings: settings) { note = $0 }
            if EncoderFiles.look(at: folder).files == before.files {
                let files = EncoderFiles(
                    folder: folder, read: before, mapped: weights.mapped,
                    isProvisional: weights.isProvisional)
                if let note { report(note) }
                return try TextEmbedder(
                    tokenizer: tokenizer, encoder: weights.encoder, threads: threads,
                    tokenLimit: min(tokens ?? .max, settings.tokenLimit), files: files)
            }
        } catch {
            // Files that are replaced one by one fit each other when the last is there.
            if EncoderFiles.look(at: folder).files == before.files { throw error }
        }
        guard attempt < 5 else {
            throw ModelFault("\(folder): files changed while they were read", isPassing: true)
        }
        attempt += 1
    }
}

/// The files of `folder`, none of which can change from now on with the same times.
private func settledLook(at folder: String) -> EncoderFiles.Look {
    var look = EncoderFiles.look(at: folder)
    // The clock of files ticks every few milliseconds.
    for _ in 0..<10 where look.isFresh {
        pause(milliseconds: 20)
        look = EncoderFiles.look(at: folder)
    }
    return look
}
