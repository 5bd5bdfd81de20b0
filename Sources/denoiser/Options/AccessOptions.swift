import API
import ArgumentParser
import System

/// Which clients may use the service, among those that may connect.
struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file of bearer keys, one `use KEY` or `train KEY` a line; only with one of them the \
            denoise routes, only with one to train the upload (default: open to all).
            """, valueName: "file"))
    var keys: String?

    @Option(
        help: ArgumentHelp(
            """
            Whose X-Forwarded-Proto counts, as for uvicorn: addresses, networks and other names of \
            the web server's peers between commas, or * for all \
            (environment: FORWARDED_ALLOW_IPS; default: \(TrustedProxies.usual)).
            """, valueName: "peers"))
    var forwardedAllowIps: String?

    func validate() throws {
        do throws(CommandFailure) { _ = try proxies() } catch {
            throw ValidationError(error.description)
        }
    }

    /// The peers of the web server whose word on the client's scheme counts.
    func proxies() throws(CommandFailure) -> TrustedProxies {
        let variable = "FORWARDED_ALLOW_IPS"
        if forwardedAllowIps == nil, let fault = faultOfEnvironment(variable) {
            throw .configuration(fault)
        }
        let given = forwardedAllowIps ?? environment(variable)
        do throws(TrustedProxies.Fault) {
            return try TrustedProxies(given ?? TrustedProxies.usual)
        } catch {
            let name = forwardedAllowIps == nil ? variable : "--forwarded-allow-ips"
            throw .configuration("\(name): \(error)")
        }
    }
}
