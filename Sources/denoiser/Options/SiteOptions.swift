import API
import ArgumentParser

/// Which pages may upload, and under which names the service answers.
struct SiteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            An origin such as https://app.example.org whose pages may upload without a key; * stands \
            for all; repeatable (default: pages of the service's own host).
            """, valueName: "origin"))
    var uploadOrigin: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            A host name to answer under, *.example.org for all below one; repeatable (default: any). \
            Keeps pages whose name is made to lead here from being taken for pages of the service.
            """, valueName: "name"))
    var allowedHost: [String] = []

    func validate() throws {
        for origin in uploadOrigin where origin != "*" {
            let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, ["http:", "https:"].contains(parts[0]), parts[1].isEmpty,
                !parts[2].isEmpty
            else {
                throw ValidationError(
                    "--upload-origin is \"\(origin)\"; it looks like https://app.example.org, "
                        + "without a path.")
            }
        }
        for host in allowedHost
        where host.isEmpty || host.contains(where: { ":/ ".contains($0) }) && !host.hasPrefix("[") {
            throw ValidationError(
                "--allowed-host is \"\(host)\"; it is a name, such as example.org, without a port.")
        }
    }

    /// The options as a value.
    var sites: SitePolicy {
        var sites = SitePolicy()
        sites.origins = Set(uploadOrigin.map { $0.lowercased() })
        sites.hosts = allowedHost.map { $0.lowercased() }
        return sites
    }
}
