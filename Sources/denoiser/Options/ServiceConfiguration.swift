import API
import Denoisers
import FastCGI

/// All that decides how the service runs, as one value: two readings of it can be compared.
struct ServiceConfiguration: Equatable, Sendable {
    /// The file of options, "-" for standard input; nil if only the command line gave options.
    var file: String?

    /// The file that takes the log; nil leaves standard error as given.
    var logFile: String?

    /// Requests after which the service ends; nil never ends it.
    var maxRequests: Int?

    /// Seconds without a request after which the service ends; nil never ends it.
    var idleExit: Int?

    /// The socket to serve.
    var socket: SocketChoice

    /// The file of keys; nil opens the service to everybody.
    var keyFile: String?

    /// The peers whose X-Forwarded-Proto counts.
    var proxies: TrustedProxies

    /// Which pages may upload, and under which names the service answers.
    var sites: SitePolicy

    /// The models that clients below `/v1/` may name.
    var models: ServedModels

    /// The encoder's folder.
    var encoder: NamedPath

    /// The denoiser's file.
    var model: ModelChoice

    /// How far rows may move.
    var strength: DenoisingStrength

    /// What requests may hold and take.
    var limits: ServiceLimits

    /// How uploads are trained on.
    var training: TrainingChoice

    /// What the operator should know of access; nil if training needs a key.
    var accessWarning: String? {
        keyFile == nil
            ? "no --keys: whoever reaches the service may train, and so replace its model" : nil
    }

    /// The options whose values differ from `start` and count from the next start on.
    func optionsNeedingRestart(since start: ServiceConfiguration) -> [String] {
        var names: [String] = []
        func compare<Value: Equatable>(
            _ name: String, _ member: KeyPath<ServiceConfiguration, Value>
        ) {
            if self[keyPath: member] != start[keyPath: member] { names.append(name) }
        }
        compare("socket", \.socket.path)
        compare("socket-mode", \.socket.mode)
        compare("socket-group", \.socket.group)
        compare("listen", \.socket.address)
        compare("allow-user", \.socket.allowedUsers)
        compare("request-threads", \.limits.requestThreads)
        compare("queue", \.limits.queue)
        compare("connections", \.limits.connections)
        compare("parameter-bytes", \.limits.parameterBytes)
        compare("stop-timeout", \.limits.stopTimeout)
        return names
    }
}
