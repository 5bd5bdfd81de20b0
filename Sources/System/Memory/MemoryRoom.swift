internal import Glibc

/// Whether the system gives `bytes` more of private memory now; nothing of it is kept.
///
/// What allocates has no way to fail but to end the process. So whoever is about to need much asks
/// first. Limits of a process (`ulimit -d`, `ulimit -v`) say no here; a control group does not.
///
/// - Throws: the system's reason if it gives less.
package func requireMemory(_ bytes: Int) throws(SystemError) {
    guard bytes > 0 else { return }
    let place = unsafe mmap(
        nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let place = unsafe place, unsafe place != MAP_FAILED else { throw .last }
    unsafe munmap(place, bytes)
}
