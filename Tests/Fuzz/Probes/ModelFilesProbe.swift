import Tensors

@testable import ModelFiles

/// `.pt` files, also with their checksums put right, which no mutation would survive otherwise.
func probeTorch(_ bytes: [UInt8]) throws {
    try readAndWriteBack(bytes)
    let repaired = withChecksums(bytes)
    if repaired != bytes { try readAndWriteBack(repaired) }
}

/// The pickle of a `.pt` file that is otherwise sound, with a few storages to point at.
///
/// It is also read in the format from before PyTorch 1.6, and with numbers highest byte first.
func probePickle(_ bytes: [UInt8]) throws {
    var zip = ZipWriting()
    zip.append(bytes, named: "archive/data.pkl")
    for (name, count) in [("0", 4), ("1", 2), ("2", 64)] {
        zip.append([UInt8](repeating: 0x3F, count: 4 * count), named: "archive/data/\(name)")
    }
    var swapped = zip
    swapped.append(Array("big".utf8), named: "archive/byteorder")
    try readAndWriteBack(zip.finish())
    try readAndWriteBack(swapped.finish())

    // Magic number, protocol 1001 and facts of the machine; then the pickle and the key of a
    // storage.
    var old: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50]
    old += [0x19, 0x2E, 0x4D, 0xE9, 0x03, 0x2E, 0x4E, 0x2E] + bytes
    old += [0x5D, 0x58, 1, 0, 0, 0, UInt8(ascii: "0"), 0x61, 0x2E]
    old.append(littleEndian: UInt64(4))
    try readAndWriteBack(old + [UInt8](repeating: 0x3F, count: 16))
}

/// A DEFLATE stream behind the size it is said to unfold to; what comes out has that size.
func probeInflate(_ bytes: [UInt8]) throws {
    guard bytes.count >= 2 else { return }
    let size = Int(littleEndian16(bytes.span, at: 0))
    guard let output = try? Inflate.decompress(bytes, in: 2..<bytes.count, size: size) else {
        return
    }
    try require(output.count == size, "\(output.count) bytes in place of \(size)")
}

/// safetensors files; an input that begins with "{" is a header, to which length and data are
/// added.
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
