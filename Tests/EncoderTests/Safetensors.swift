import Encoder
import Foundation
import Tensors
import TestSupport

/// A safetensors file, mapped; a plain reader for these tests, apart from the product's own.
final class Safetensors {
    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private let entries: [String: Entry]
    private let data: Data

    init(_ file: URL) throws {
        let bytes = try Data(contentsOf: file, options: .alwaysMapped)
        let header = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        data = bytes.dropFirst(8 + header)
        let members =
            try JSONSerialization.jsonObject(with: bytes.dropFirst(8).prefix(header))
            as? [String: Any] ?? [:]
        entries = try members.filter { $0.key != "__metadata__" }.mapValues {
            try JSONDecoder().decode(Entry.self, from: JSONSerialization.data(withJSONObject: $0))
        }
    }

    /// The tensors' names, sorted.
    var names: [String] { entries.keys.sorted() }

    private func values<Element>(_ name: String, _ dtype: String, as: Element.Type) -> [Element]? {
        guard let entry = entries[name], entry.dtype == dtype else { return nil }
        let slice = data.dropFirst(entry.data_offsets[0])
            .prefix(entry.data_offsets[1] - entry.data_offsets[0])
        return unsafe slice.withUnsafeBytes { raw in
            (0..<raw.count / MemoryLayout<Element>.stride).map {
                unsafe raw.loadUnaligned(
                    fromByteOffset: $0 * MemoryLayout<Element>.stride, as: Element.self)
            }
        }
    }

    func floats(_ name: String) -> [Float]? { values(name, "F32", as: Float.self) }

    func ids(_ name: String) -> [Int32]? { values(name, "I64", as: Int64.self)?.map(Int32.init) }

    /// A weight for the encoder, in the mapped file; the mapping lives as long as the tensor.
    func tensor(_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor {
        guard let entry = entries[name] else { throw .weight(name: name, reason: "missing") }
        guard entry.dtype == "F32" else { throw .weight(name: name, reason: entry.dtype) }
        let slice = data.dropFirst(entry.data_offsets[0])
        return unsafe slice.withUnsafeBytes { raw in
            guard
                let base = unsafe raw.baseAddress?.assumingMemoryBound(to: Float.self)
            else { return Tensor(shape: [0], copying: [Float]().span) }
            return unsafe Tensor(shape: entry.shape, base: base, owner: self)
        }
    }
}

/// What PyTorch and sentence-transformers give.
let fixtures = Fixtures(in: .module)
