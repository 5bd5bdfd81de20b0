internal import Glibc

/// Cores this process may use: what its affinity and its control group's quota allow.
public func availableCores() -> Int {
    var mask = cpu_set_t()
    var cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    if unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &mask) == 0 {
        let allowed = unsafe withUnsafeBytes(of: &mask) { bytes in
            unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        }
        if allowed > 0 { cores = allowed }
    }
    if let quota = controlGroupQuota() { cores = min(cores, max(1, Int(quota.rounded(.up)))) }
    return max(cores, 1)
}

/// The quota in cores of the control group (version 2) this process is in or below, if it has one.
private func controlGroupQuota() -> Double? {
    guard let membership = readSmallFile("/proc/self/cgroup") else { return nil }
    guard
        let line = membership.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
    else { return nil }
    var folder = String(line.dropFirst(3))
    var smallest: Double?
    while true {
        if let limit = readSmallFile("/sys/fs/cgroup\(folder)/cpu.max") {
            let parts = limit.split(whereSeparator: { $0 == " " || $0 == "\n" })
            if parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]),
                period > 0
            {
                smallest = min(smallest ?? .infinity, quota / period)
            }
        }
        guard let slash = folder.lastIndex(of: "/"), folder.count > 1 else { return smallest }
        folder = String(folder[..<slash])
    }
}

/// The first 4 KiB of a file as text, nil where it cannot be read.
private func readSmallFile(_ path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        unsafe count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
    return String(decoding: bytes, as: UTF8.self)
}
