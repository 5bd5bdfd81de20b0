import ArgumentParser
import Denoisers
import FastCGI
import Glibc
import Inference
import System

/// Checks everything that `serve` needs, without starting it; prints one line for each part.
struct Check {
    private let configuration: ServiceConfiguration
    private var isFit = true

    init(of configuration: ServiceConfiguration) { self.configuration = configuration }

    /// Prints a line for every part.
    ///
    /// - Throws: exit status 78 (EX_CONFIG) if a part is wrong.
    consuming func run() throws {
        look("configuration") { () throws(CommandFailure) in
            configuration.file.map { "\($0) and the command line" } ?? "the command line"
        }
        var workspaceBytes = 0
        look("encoder") { () throws(CommandFailure) in
            let folder = try configuration.encoder.encoderFolder()
            var note = ""
            try load { () throws(ModelFault) in
                let settings = try EncoderSettings(folder: folder)
                let tokenizer = try loadTokenizer(folder: folder, settings: settings)
                let encoder = try loadEncoder(folder: folder, settings: settings) {
                    note = "; \($0)"
                }
                if !settings.differences.isEmpty {
                    note = ": \(settings.differences)\(note)"
                }
                try TextEmbedder.check(tokenizer, encoder)
                workspaceBytes = TextEmbedder.workspaceBytes(for: encoder)
            }
            return folder + note
        }
        look("model") { () throws(CommandFailure) in try model() }
        look("socket") { () throws(CommandFailure) in try socket() }
        if let path = configuration.logFile {
            look("log") { () throws(CommandFailure) in
                try LogFile.check(path)
                return path
            }
        }
        if let path = configuration.keyFile {
            look("keys") { () throws(CommandFailure) in
                _ = try readKeys(path)
                return path
            }
        }
        if let warning = configuration.accessWarning { look("keys") { warning } }
        look("limits") { () throws(CommandFailure) in try limits() }
        look("memory") { () throws(CommandFailure) in
            try MemoryPlan(
                configuration.limits, present: ProcessFigures.now().privateBytes,
                workspaceBytes: workspaceBytes,
                training: configuration.training.run(configuration.limits)
            ).summary
        }
        if !isFit { throw ExitCode(78) }
    }

    private mutating func look(
        _ part: String, _ work: () throws(CommandFailure) -> String
    ) {
        do throws(CommandFailure) {
            print("ok       \(part): \(try work())")
        } catch {
            isFit = false
            print("problem  \(part): \(error)")
        }
    }

    private func model() throws(CommandFailure) -> String {
        let path = configuration.model.path
        let live = try live()
        let isThere = unsafe access(path, F_OK) == 0
        let what =
            isThere
            ? "\(path), version \(live?.label ?? "none")"
            : "serving \(describe(live, configuration.model))"
        // The first training run makes a missing folder, if it can.
        var place = directory(of: path)
        while unsafe access(place, F_OK) != 0, place != directory(of: place) {
            place = directory(of: place)
        }
        let canWrite = unsafe access(place, W_OK | X_OK) == 0
        return canWrite ? what : what + "; uploads will fail, \(place) cannot be written"
    }

    /// The model that is served.
    ///
    /// - Throws: if the file cannot be used; the text tells which version is served instead.
    private func live() throws(CommandFailure) -> DenoiserModel? {
        do throws(CommandFailure) {
            return try loadLiveModel(configuration.model).current()
        } catch {
            let other = try? loadLiveModel(configuration.model, standsIn: true) { _ in }
            guard let other = other?.current() else { throw error }
            throw .configuration("\(error); serve would start with \(other.version) in its place")
        }
    }

    private func socket() throws(CommandFailure) -> String {
        let socket = configuration.socket
        _ = try socket.peers()
        guard let choice = socket.listener else {
            return "none named, so one from whoever starts the service (LISTEN_FDS, descriptor 0)"
                + (socket.idleNote.map { "; \($0)" } ?? "")
        }
        do throws(FastCGIError) { try choice.check() } catch { throw .configuration("\(error)") }
        return socket.path ?? socket.address ?? ""
    }

    private func limits() throws(CommandFailure) -> String {
        let server = configuration.limits.serverLimits
        // A thread has a pair of sockets. A few dozen are files, pipes and the poller's.
        let wanted = server.connections + 2 * server.threadCount + 32
        var files = rlimit()
        // The imported constant's type differs between platforms; the number does not.
        guard unsafe getrlimit(__rlimit_resource_t(7), &files) == 0, files.rlim_cur < wanted else {
            return "\(configuration.limits.threads) compute threads, "
                + "\(server.threadCount) request threads"
        }
        throw .configuration(
            "\(files.rlim_cur) open files are allowed, \(wanted) may be needed; "
                + "raise `ulimit -n` or lower --request-threads")
    }
}
