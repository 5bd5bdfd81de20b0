import Glibc

/// The path of a file that holds `bytes`; the next call replaces its content.
func unnamedFile(_ bytes: [UInt8]) throws -> String {
    let descriptor = onlyFile
    guard descriptor >= 0, ftruncate(descriptor, 0) == 0,
        unsafe bytes.withUnsafeBytes({ unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) })
            == bytes.count
    else { throw Disagreement(description: "no file to map: error \(errno)") }
    return "/proc/self/fd/\(descriptor)"
}

private let onlyFile: Int32 = {
    var path = Array("/tmp/probe-XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&path)
    unsafe unlink(path)
    return descriptor
}()
