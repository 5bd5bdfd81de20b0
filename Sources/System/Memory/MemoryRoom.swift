internal import Glibc

/// Fails if the limits of this process (`ulimit -d`, `ulimit -v`) leave less than `bytes` of memory.
///
/// An allocation has no way to fail but to end the process. Code that needs much asks first. The
/// memory is not taken for a try: another thread that allocates meanwhile would find none. Limits of
/// a control group are not looked at, and without `/proc` nothing is.
///
/// - Throws: the system's error for too little memory.
package func requireMemory(_ bytes: Int) throws(SystemError) {
    for (limit, use) in [(dataLimit, "VmData:"), (addressSpaceLimit, "VmSize:")] {
        var values = rlimit()
        guard unsafe getrlimit(limit, &values) == 0, values.rlim_cur < rlim_t(Int.max),
            let used = kibibytes(use)
        else { continue }
        if used * 1024 + bytes > Int(values.rlim_cur) { throw SystemError(code: ENOMEM) }
    }
}

/// A figure of `/proc/self/status` in KiB; nil if the kernel does not tell it.
private func kibibytes(_ name: String) -> Int? {
    textOfFile("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(name) }
        .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
}

// Glibc's own names for these are no numbers in Swift.
private let dataLimit = __rlimit_resource_t(2)
private let addressSpaceLimit = __rlimit_resource_t(9)
