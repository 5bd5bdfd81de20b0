import Foundation
import Tensors
import Testing

@testable import Denoisers

/// The tensors of a safetensors fixture whose elements are floats of 32 or 16 bits.
struct FixtureTensors {
    private let header: [String: [String: Any]]
    private let data: Data

    init(_ name: String) throws {
        let url = try #require(
            Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "safetensors"))
        let bytes = try Data(contentsOf: url)
        let length = bytes.prefix(8).enumerated().reduce(0) {
            $0 | Int($1.element) << (8 * $1.offset)
        }
        let object = try JSONSerialization.jsonObject(with: bytes[8..<8 + length])
        header = (object as? [String: Any] ?? [:]).compactMapValues { $0 as? [String: Any] }
        data = Data(bytes[(8 + length)...])
    }

    func tensor(_ name: String) -> Tensor? {
        guard let entry = header[name], let shape = entry["shape"] as? [Int],
            let offsets = entry["data_offsets"] as? [Int]
        else { return nil }
        let part = data[offsets[0]..<offsets[1]]
        let values: [Float] =
            entry["dtype"] as? String == "F16"
            ? part.chunked(2).map { Float(Float16(bitPattern: UInt16($0))) }
            : part.chunked(4).map { Float(bitPattern: UInt32($0)) }
        return Tensor(shape: shape, copying: values.span)
    }

    func values(_ name: String) throws -> [Float] {
        floats(try #require(tensor(name), "no tensor \(name)"))
    }

    /// The recipe's trained network, whose encoder has three pilots.
    static let model = Result {
        let file = try FixtureTensors("adaptive-model")
        return try AdaptiveParameters(prefix: "") { name in
            if name == "pilots" {
                let pilots: [Float] = [127, 223, 319]
                return Tensor(shape: [3], copying: pilots.span)
            }
            return file.tensor(name)
        }
    }
}

extension Data {
    /// Little-endian numbers of `width` bytes.
    fileprivate func chunked(_ width: Int) -> [UInt64] {
        let bytes = [UInt8](self)
        return stride(from: 0, to: bytes.count, by: width).map { start in
            (0..<width).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
        }
    }
}
