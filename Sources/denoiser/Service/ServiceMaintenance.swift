import Inference
import Synchronization

/// What the maintenance thread does to a running service.
extension Service {
    /// Does a task, or what is due by now.
    func work(on task: MaintenanceThread.Task?) {
        switch task {
        case .reload: reload()
        case .reopenLog: reopenLog()
        case nil:
            if let due = reloadRetry.withLock({ $0 })?.due, due <= .now { reload() }
            if let due = logRetry.withLock({ $0 })?.due, due <= .now { reopenLog() }
            refreshEncoder()
        }
    }

    /// Reads the encoder again if its files have changed and are whole.
    private func refreshEncoder() {
        guard !isStopping else { return }
        let before = current.value
        guard let files = before.embedder.files else { return }
        let look = files.look()
        let (lines, isDue) = encoderWatch.withLock { $0.step(files, look) }
        for line in lines { log(line) }
        guard isDue else { return }
        do throws(CommandFailure) {
            try EncoderWatch.check(files, look)
            let next = try ServiceSnapshot(
                before.configuration, after: before, state, onlyEncoder: true)
            current.replace(with: next)
            if next.embedder.files?.isProvisional == true {
                encoderWatch.withLock { $0.tryAgain() }
            } else {
                log("reloaded the encoder in \(files.folder), whose files had changed")
            }
        } catch {
            if let line = encoderWatch.withLock({ $0.fail(error) }) { log(line) }
        }
    }

    /// Reads configuration and model again; what cannot be used changes nothing.
    private func reload() {
        guard !isStopping else { return }
        notifier.reloading()
        do throws(CommandFailure) {
            try replaceSnapshot()
        } catch {
            let pause = reloadRetry.withLock { retry in
                retry = error.isPassing ? Retry(after: retry) : nil
                return retry?.pause
            }
            log(
                "not reloaded, all stays as it was: \(error)"
                    + (pause.map { "; tried again in \($0 / .seconds(1)) s" } ?? ""))
        }
        if !isStopping { notifier.ready(status) }
    }

    private func replaceSnapshot() throws(CommandFailure) {
        guard first.file != "-" else {
            throw .configuration(
                "--config - is standard input, which is read at the start only; a file of "
                    + "options is read again")
        }
        let configuration = try Serve.configuration(reading: arguments)
        let before = current.value
        // Opened first: reading the model again cannot be undone.
        var file: LogFile?
        if let path = configuration.logFile { file = try LogFile(opening: path) }
        let next = try ServiceSnapshot(configuration, after: before, state)
        var late = configuration.optionsNeedingRestart(since: first)
        file?.becomeStandardError()
        if let path = configuration.logFile {
            logPath.withLock { $0 = path }
        } else if logPath.withLock({ $0 != nil }) {
            late.append("log")
        }
        current.replace(with: next)
        reloadRetry.withLock { $0 = nil }
        for name in late {
            log("--\(name) has changed, which counts from the next start on")
        }
        if let warning = configuration.accessWarning, before.configuration.accessWarning == nil {
            log(warning)
        }
        log("reloaded: \(status)")
        log(next.summary)
    }

    private func reopenLog() {
        guard let path = logPath.withLock({ $0 }) else {
            log("nothing to open again: the log is standard error, without --log")
            return
        }
        do throws(CommandFailure) {
            try LogFile(opening: path).becomeStandardError()
            logRetry.withLock { $0 = nil }
        } catch {
            logRetry.withLock { $0 = error.isPassing ? Retry(after: $0) : nil }
            log("\(error); logging to the file opened before")
        }
    }
}
