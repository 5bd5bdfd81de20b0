internal import Glibc
internal import System

/// Puts a file of `bytes` at `path`; at every moment, whatever fails, there is the old one or the
/// new, whole.
///
/// It gets mode and, if we may, owner of the one at `other`; links are followed. What killed
/// processes left of such a file is removed.
///
/// - Throws: `system`.
public func replaceFile(
    at path: String, with bytes: [UInt8], likeThatAt other: String
) throws(ModelFileError) {
    let target = resolvedPath(path)
    let (system, place) = (FileSystem(), HistoryPlace(target))
    let folder = directory(of: target)
    place.sweep(folder, system)
    try system.replace(
        target, with: bytes, through: place.temporary(for: target), for: path,
        like: try ReadableFile(opening: other).status)
    try system.syncDirectory(folder)
}
