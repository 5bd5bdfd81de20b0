import API
import Glibc
import System

/// The keys in the file at `path`.
///
/// - Throws: if it cannot be read, if its mode lets others read or write it, or if a line is wrong.
func readKeys(_ path: String) throws(CommandFailure) -> AccessKeys {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
        let code = errno
        throw .configuration(
            "\(path): \(systemErrorText(code)) (--keys names it)",
            isPassing: CommandFailure.isPassing(code))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw .configuration("\(path) is no regular file; --keys takes a file of keys")
    }
    guard status.st_mode & 0o027 == 0 else {
        throw .configuration(
            "\(path): others than its owner may read or write it; chmod 600 \(path)")
    }
    let bytes: [UInt8]
    do throws(CommandFailure) { bytes = try readFile(path) } catch {
        throw .configuration(error.description, isPassing: error.isPassing)
    }
    let text = try textOfSettings(bytes, at: path)
    do throws(AccessKeys.Fault) {
        return try AccessKeys(parsing: text)
    } catch {
        throw .configuration("\(path): \(error)")
    }
}
