/// Element types of PyTorch, by their names there.
enum TorchElement: String, CaseIterable {
    case float32, float64, float16, bfloat16
    case float8_e4m3fn, float8_e5m2, float8_e4m3fnuz, float8_e5m2fnuz, float8_e8m0fnu
    case int64, int32, int16, int8, uint64, uint32, uint16, uint8, bool
    case complex128, complex64, complex32
    case quint8, qint8, qint32, quint4x2, quint2x4
    /// Bytes without a type, as tensors of the newer types are stored.
    case untyped

    /// The type of the storage class of that name, such as `FloatStorage`.
    init?(storage name: String) {
        guard let element = Self.storages[name] else { return nil }
        self = element
    }

    /// PyTorch's classes for storages; types without one are stored as bytes.
    private static let storages: [String: TorchElement] = [
        "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
        "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
        "ComplexDoubleStorage": .complex128, "ComplexFloatStorage": .complex64,
        "QUInt8Storage": .quint8, "QInt8Storage": .qint8, "QInt32Storage": .qint32,
        "QUInt4x2Storage": .quint4x2, "QUInt2x4Storage": .quint2x4, "UntypedStorage": .untyped,
    ]

    /// Bytes of an element.
    var width: Int {
        switch self {
        case .complex128: 16
        case .float64, .int64, .uint64, .complex64: 8
        case .float32, .int32, .uint32, .complex32, .qint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        default: 1
        }
    }

    /// Bytes of the number that is read of an element: the real part of a complex one.
    var numberWidth: Int {
        switch self {
        case .complex128, .complex64, .complex32: width / 2
        default: width
        }
    }

    /// Whether PyTorch copies such elements into parameters of type float32.
    var isConvertible: Bool {
        switch self {
        case .quint8, .qint8, .qint32, .quint4x2, .quint2x4, .untyped: false
        default: true
        }
    }

    /// The float32 that PyTorch's `copy_` makes of the number with these `bits`, to the nearest,
    /// ties to even.
    func float(bits: UInt64) -> Float {
        switch self {
        case .float32, .complex64: Float(bitPattern: UInt32(truncatingIfNeeded: bits))
        case .float64, .complex128: Float(Double(bitPattern: bits))
        case .float16, .complex32: Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits)))
        case .bfloat16: Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16)
        case .float8_e5m2: Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits) << 8))
        case .float8_e4m3fn: small(bits, mantissa: 3, bias: 7, nan: bits & 0x7F == 0x7F)
        case .float8_e4m3fnuz: small(bits, mantissa: 3, bias: 8, nan: bits == 0x80)
        case .float8_e5m2fnuz: small(bits, mantissa: 2, bias: 16, nan: bits == 0x80)
        case .float8_e8m0fnu:
            bits == 0xFF ? .nan : Float(sign: .plus, exponent: Int(bits) - 127, significand: 1)
        case .int64: Float(Int64(bitPattern: bits))
        case .int32: Float(Int32(truncatingIfNeeded: bits))
        case .int16: Float(Int16(truncatingIfNeeded: bits))
        case .int8: Float(Int8(truncatingIfNeeded: bits))
        case .bool: bits == 0 ? 0 : 1
        case .uint64, .uint32, .uint16, .uint8: Float(bits)
        case .quint8, .qint8, .qint32, .quint4x2, .quint2x4, .untyped:
            preconditionFailure("\(rawValue) has no value as a float")
        }
    }

    /// An eight-bit float with a sign, the rest of the exponent, and `mantissa` bits; none is
    /// infinite.
    private func small(_ bits: UInt64, mantissa: Int, bias: Int, nan: Bool) -> Float {
        if nan { return .nan }
        let exponent = Int(bits & 0x7F) >> mantissa
        let fraction = Int(bits) & (1 << mantissa - 1)
        // Without an exponent the numbers are evenly spaced down to 0.
        let digits = exponent == 0 ? fraction : fraction + 1 << mantissa
        let power = max(exponent, 1) - bias - mantissa
        return Float(
            sign: bits & 0x80 == 0 ? .plus : .minus, exponent: power, significand: Float(digits))
    }
}
