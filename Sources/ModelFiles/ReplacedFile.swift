internal import Glibc

/// Puts a file of `bytes` at `path`; at every moment, whatever fails, there is the old one or the new, whole.
///
/// It gets mode and, where we may, owner of the one at `other`. What killed processes left of such a file is removed.
///
/// - Throws: `system`.
public func replaceFile(
    at path: String, with bytes: [UInt8], likeThatAt other: String
) throws(ModelFileError) {
    let (system, place) = (FileSystem(), HistoryPlace(path))
    let folder = directory(of: path)
    for name in fileNames(in: folder) where place.isTemporary(name) {
        system.removeIfPresent(folder + "/" + name)
    }
    try system.replace(
        path, with: bytes, through: place.temporary(for: path), for: path,
        like: try ReadableFile(opening: other).status)
    try system.syncDirectory(folder)
}
