internal import Glibc

/// Cores this process may use: what its affinity and its control group's quota allow.
public func availableCores() -> Int {
    var cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    if let allowed = allowedProcessors() { cores = min(cores, allowed) }
    if let quota = controlGroupQuota() { cores = min(cores, max(1, Int(quota.rounded(.up)))) }
    return max(cores, 1)
}

/// Processors in this process's affinity mask, which the kernel prints as hexadecimal digits.
private func allowedProcessors() -> Int? {
    guard let status = textOfFile("/proc/self/status"),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
    else { return nil }
    let count = line.dropFirst("Cpus_allowed:".count).reduce(0) {
        $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0)
    }
    return count > 0 ? count : nil
}

/// The smallest quota, in cores, of the control groups (version 2) this process is in or below.
private func controlGroupQuota() -> Double? {
    controlGroupFiles("cpu.max").compactMap { limit in
        let parts = limit.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]),
            period > 0
        else { return nil }
        return quota / period
    }.min()
}
