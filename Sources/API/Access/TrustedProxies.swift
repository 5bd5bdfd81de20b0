/// The peers whose word on the client counts, as in uvicorn's `--forwarded-allow-ips`.
public struct TrustedProxies: Sendable, Equatable {
    /// The peers that uvicorn trusts, and Unix sockets, as nginx names them.
    public static let usual = "127.0.0.1,::1,unix:"

    private var trustsAll = false
    private var addresses: Set<IPAddress> = []
    private var networks: Set<IPNetwork> = []
    private var literals: Set<String> = []

    /// Why a list of peers cannot be used.
    public struct Fault: Error, CustomStringConvertible {
        public let description: String
    }

    /// Reads addresses, networks and other names of peers between commas, or `*` for all peers.
    ///
    /// - Throws: an address with a slash that is no network; uvicorn would silently trust no peer.
    public init(_ text: String = usual) throws(Fault) {
        if text == "*" {
            trustsAll = true
            return
        }
        for item in text.split(separator: ",").map(Self.trimmed) where !item.isEmpty {
            if let address = IPAddress(item) {
                addresses.insert(address.unmapped)
                continue
            }
            do throws(IPNetwork.Fault) {
                networks.insert(try IPNetwork(item))
            } catch {
                guard let reason = Self.reason(for: error) else {
                    literals.insert(item)
                    continue
                }
                throw Fault(description: "\"\(item)\" is no network: \(reason)")
            }
        }
    }

    /// What is wrong with a network; nil if the text is no network at all.
    private static func reason(for fault: IPNetwork.Fault) -> String? {
        switch fault {
        case .noAddress: nil
        case .noLength:
            "what follows the slash must be a number of bits, such as 10.0.0.0/8"
        case .bitsBeyond:
            "the address has bits beyond those of the prefix; "
                + "give the network's first address, such as 10.0.0.0/8"
        }
    }

    /// The scheme that the client used by `headers`; nil if they do not tell or `peer` is not
    /// trusted.
    ///
    /// - Parameter peer: the web server's own peer (DENOISER_PEER, otherwise REMOTE_ADDR).
    public func scheme(of headers: some HeaderFields, from peer: String?) -> String? {
        guard let value = headers["x-forwarded-proto"], trusts(peer) else { return nil }
        let scheme = PythonText.stripped(value)
        return ["http", "https", "ws", "wss"].contains(scheme) ? scheme : nil
    }

    private func trusts(_ peer: String?) -> Bool {
        if trustsAll { return true }
        guard let peer, !peer.isEmpty else { return false }
        guard let address = IPAddress(peer)?.unmapped else { return literals.contains(peer) }
        return addresses.contains(address) || networks.contains { $0.contains(address) }
    }

    private static func trimmed(_ text: Substring) -> String { PythonText.stripped(String(text)) }
}
