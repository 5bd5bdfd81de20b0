import Kernels

@testable import ModelFiles

/// `.pt` files, also with their checksums put right, which no mutation would survive otherwise.
func probeTorch(_ bytes: [UInt8]) throws {
    try readAndWriteBack(bytes)
    let repaired = withChecksums(bytes)
    if repaired != bytes { try readAndWriteBack(repaired) }
}

/// The pickle of a `.pt` file that is otherwise sound, with a few storages to point at.
func probePickle(_ bytes: [UInt8]) throws {
    var zip = ZipWriting()
    zip.append(bytes, named: "archive/data.pkl")
    for (name, count) in [("0", 4), ("1", 2), ("2", 64)] {
        zip.append([UInt8](repeating: 0x3F, count: 4 * count), named: "archive/data/\(name)")
    }
    try readAndWriteBack(zip.finish())
}

/// safetensors files; an input that begins with "{" is a header, to which length and data are added.
func probeSafetensors(_ bytes: [UInt8]) throws {
    guard bytes.first == UInt8(ascii: "{") else {
        try readAndWriteBack(bytes)
        try compareMapped(bytes)
        return
    }
    for dataCount in [0, 4, 8, 24, 64, 1024] {
        var file: [UInt8] = []
        file.append(littleEndian: UInt64(bytes.count))
        file += bytes
        file += (0..<dataCount).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        try readAndWriteBack(file)
        try compareMapped(file)
    }
}

/// What is read is written, and read again as the same model, in both formats.
private func readAndWriteBack(_ bytes: [UInt8]) throws {
    let checkpoint: Checkpoint
    do throws(ModelFileError) {
        checkpoint = try Checkpoint(decoding: bytes, file: "model")
    } catch {
        let line = error.description
        try require(line.hasPrefix("model: "), line)
        try require(!line.unicodeScalars.contains { $0.value < 0x20 }, "control characters")
        try require(line.utf8.count < 2000, "an error of \(line.utf8.count) bytes")
        return
    }
    for format in [Checkpoint.Format.pt, .safetensors] {
        let written = checkpoint.encoded(as: format)
        let again: Checkpoint
        do throws(ModelFileError) {
            again = try Checkpoint(decoding: written, file: "again")
        } catch {
            throw Disagreement(description: "written as \(format), refused: \(error)")
        }
        try require(again.embeddingDimension == checkpoint.embeddingDimension, "\(format)")
        try require(again.metadata == checkpoint.metadata, "\(format): \(again.metadata)")
        try require(again.version == checkpoint.version, "\(format): \(again.version)")
        try require(
            again.tensors.map(\.name) == checkpoint.tensors.map(\.name),
            "\(format): \(again.tensors.map(\.name))")
        for (mine, theirs) in zip(again.tensors, checkpoint.tensors) {
            try require(isSame(mine.tensor, theirs.tensor), "\(format): \(mine.name)")
        }
    }
}

/// A mapped file holds what a file read into memory holds.
private func compareMapped(_ bytes: [UInt8]) throws {
    let path = try unnamedFile(bytes)
    let read = try? Checkpoint(decoding: bytes, file: "model")
    do throws(ModelFileError) {
        let mapped = try SafetensorsFile(mapping: path)
        for name in mapped.names {
            guard let shape = mapped.shape(of: name),
                let tensor = try? mapped.tensor(name, shape: shape), let read
            else { continue }
            let other = try read.tensor(name, shape: shape, file: "model")
            guard isSame(tensor, other) else { throw .missing(file: name) }
        }
    } catch {
        if read != nil, bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
            throw Disagreement(description: "read but not mapped: \(error)")
        }
    }
}

private func isSame(_ a: Tensor, _ b: Tensor) -> Bool {
    guard a.shape == b.shape, a.count == b.count else { return false }
    return (0..<a.count).allSatisfy { a.span[$0].bitPattern == b.span[$0].bitPattern }
}
