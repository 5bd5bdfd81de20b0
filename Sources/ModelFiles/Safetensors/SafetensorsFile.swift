public import Tensors

/// A mapped safetensors file: tensors by name, without a copy.
///
/// Every process that maps the file shares its pages, and a page is read when it is first touched.
public struct SafetensorsFile: Sendable {
    private let mapping: MappedFile
    private let header: SafetensorsHeader

    /// Maps the file at `path` and checks its whole header, but reads no tensor.
    ///
    /// - Throws: `missing`, `system`, or `damaged` with what is wrong.
    public init(mapping path: String) throws(ModelFileError) {
        mapping = try MappedFile(mapping: path)
        let size = mapping.count
        let length = try SafetensorsHeader.jsonLength(
            prefix: mapping.bytes(in: 0..<min(8, size)), fileSize: size, file: path)
        header = try SafetensorsHeader(
            json: mapping.bytes(in: 8..<8 + length), fileSize: size, file: path)
    }

    /// Takes what was read so far out of this process's memory; what is touched again comes back.
    public func releasePages() { mapping.releasePages() }

    /// What became of the file since.
    public var condition: MappingCondition { mapping.condition }

    /// Where the file was when it was mapped.
    public var path: String { mapping.path }

    /// Tensor names in the order of their bytes.
    public var names: [String] { header.names }

    /// The string map under `__metadata__`; empty if there is none.
    public var metadata: [String: String] { header.metadata }

    /// The extents of tensor `name`, outermost first; nil if there is no such tensor.
    public func shape(of name: String) -> [Int]? { header[name]?.shape }

    /// The tensor `name`, which must be of type F32 and of exactly this shape.
    ///
    /// It views the mapping and keeps it alive.
    ///
    /// - Throws: `damaged`, naming the file and the tensor.
    public func tensor(_ name: String, shape: [Int]) throws(ModelFileError) -> Tensor {
        let entry = try header.entry(name, shape: shape, file: path)
        guard let base = unsafe mapping.floats(at: entry.range.lowerBound, count: entry.count)
        else { return Tensor(shape: shape, bytes: mapping.bytes(in: entry.range)[...]) }
        return unsafe Tensor(shape: shape, base: base, owner: mapping)
    }
}

extension SafetensorsHeader {
    /// The entry of tensor `name`, which must be of type F32 and, if one is asked for, of `shape`.
    func entry(
        _ name: String, shape: [Int]? = nil, file: String
    ) throws(ModelFileError) -> Entry {
        guard let entry = self[name] else {
            throw .damaged(file: file, reason: "no tensor \(printable(name))")
        }
        guard entry.dtype == "F32" else {
            throw .damaged(
                file: file,
                reason: "tensor \(printable(name)) is of type \(entry.dtype), needs F32")
        }
        guard shape == nil || entry.shape == shape else {
            throw .damaged(
                file: file,
                reason: "tensor \(printable(name)) has shape \(entry.shape), needs \(shape ?? [])")
        }
        return entry
    }
}

extension SafetensorsHeader.Entry {
    /// The number of elements of an F32 tensor.
    var count: Int { range.count / 4 }
}

extension Tensor {
    /// Floats in single precision from half-precision ones, lowest byte first.
    init(shape: [Int], halves bytes: ArraySlice<UInt8>) {
        self.init(shape: shape, elements: bytes) { (half: UInt16) in
            // Without a call for each number, which conversion is on processors of the oldest kind
            // we build for.
            let half = UInt32(half)
            let scaled = Float(bitPattern: (half & 0x7FFF) << 13) * 0x1p112
            let special: UInt32 = half & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0
            return Float(bitPattern: scaled.bitPattern | special | (half & 0x8000) << 16)
        }
    }

    /// Floats from 8-bit integers.
    init(shape: [Int], integers bytes: ArraySlice<UInt8>) {
        self.init(shape: shape, elements: bytes) { Float(Int8(bitPattern: $0)) }
    }

    /// Floats from their bytes, lowest first.
    init(shape: [Int], bytes: ArraySlice<UInt8>) {
        self.init(shape: shape, elements: bytes) { Float(bitPattern: $0) }
    }

    /// Floats from little-endian integers, which may lie unaligned in `bytes`.
    @inline(__always)
    private init<Element: FixedWidthInteger & BitwiseCopyable>(
        shape: [Int], elements bytes: ArraySlice<UInt8>, _ float: (Element) -> Float
    ) {
        let size = MemoryLayout<Element>.size
        let bytes = unsafe bytes.span.bytes
        self.init(shape: shape) { elements in
            precondition(elements.count * size == bytes.byteCount)
            for i in elements.indices {
                let element = unsafe bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: size * i, as: Element.self)
                elements[i] = float(Element(littleEndian: element))
            }
        }
    }
}
