extension Double {
    /// A JSON number's value, correctly rounded; Python's `float` of the same text.
    ///
    /// - Parameter text: a number of Python's JSON, `NaN` and the infinities included.
    init(jsonNumber text: Span<UInt8>) {
        switch text[text.count - 1] {
        case UInt8(ascii: "N"): self = .nan
        case UInt8(ascii: "y"): self = text[0] == UInt8(ascii: "-") ? -.infinity : .infinity
        default:
            if text.count <= 15, let value = Double(shortDecimal: text) {
                self = value
                return
            }
            self =
                unsafe text.withUnsafeBufferPointer {
                    unsafe Double(String(decoding: $0, as: UTF8.self))
                } ?? .nan
        }
    }
}

extension Double {
    /// At most fifteen digits with or without a point; nil for any other text.
    ///
    /// For these one division gives the correctly rounded double.
    private init?(shortDecimal text: Span<UInt8>) {
        var digits = 0
        var fraction: Int?
        let isNegative = text[0] == UInt8(ascii: "-")
        for i in (isNegative ? 1 : 0)..<text.count {
            if text[i] == UInt8(ascii: ".") {
                fraction = 0
            } else {
                guard isDigit(text[i]) else { return nil }
                digits = digits * 10 + Int(text[i] - UInt8(ascii: "0"))
                if let places = fraction { fraction = places + 1 }
            }
        }
        let magnitude = Double(digits) / powersOfTen[fraction ?? 0]
        self = isNegative ? -magnitude : magnitude
    }
}

extension JSONScanner {
    /// A finite number rounded to double, then to float, as NumPy does; nil for any other text.
    ///
    /// Nearly every number takes the short way: its digits in one integer, multiplied or divided by
    /// an exact power of ten. This double may be two units off the correctly rounded one. That
    /// changes the float only if the double lies next to the middle between two floats, about once
    /// in 10⁷. Those numbers and very long ones take the long way.
    mutating func float() -> Float? {
        let start = position
        let isNegative = sees(UInt8(ascii: "-"))
        if isNegative { position += 1 }
        var digits: UInt64 = 0
        let firstDigit = position
        gather(into: &digits)
        let integerDigits = position - firstDigit
        // JSON allows no leading zeros.
        guard integerDigits > 0, integerDigits == 1 || text[firstDigit] != UInt8(ascii: "0")
        else { return nil }
        var gathered = integerDigits
        var exponent = 0
        if sees(UInt8(ascii: ".")) {
            position += 1
            let fraction = position
            gather(into: &digits)
            exponent = fraction - position
            guard exponent < 0 else { return nil }
            gathered -= exponent
        }
        if sees(UInt8(ascii: "e")) || sees(UInt8(ascii: "E")) {
            guard let power = exponentPart() else { return nil }
            exponent += power
        }
        if gathered > 19 { gathered -= leadingZeros(from: firstDigit) }
        if gathered <= 19, let magnitude = scale(digits, byTens: exponent) {
            if isSafelySingle(magnitude) {
                let value = Float(magnitude)
                return isNegative ? -value : value
            }
        }
        guard integerDigits <= Self.integerDigits else { return nil }
        let value = Float(Double(jsonNumber: text.extracting(start..<position)))
        return value.isFinite ? value : nil
    }

    /// Reads digits into `digits`, which wraps beyond 19 of them.
    @inline(__always)
    private mutating func gather(into digits: inout UInt64) {
        var i = position
        // Eight at once is faster than one by one for the long numbers of embeddings.
        while i &+ 8 <= text.count {
            let next = unsafe eightDigits(uncheckedAt: i)
            guard next.isFull else {
                digits = next.appended(to: digits)
                position = i &+ next.count
                return
            }
            digits = digits &* 100_000_000 &+ next.eight
            i &+= 8
        }
        while i < text.count {
            let digit = text[i] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            i &+= 1
        }
        position = i
    }

    /// The number of zeros before the first other digit of the number at `i`.
    private func leadingZeros(from i: Int) -> Int {
        var i = i
        var count = 0
        while i < text.count, text[i] == UInt8(ascii: "0") || text[i] == UInt8(ascii: ".") {
            if text[i] == UInt8(ascii: "0") { count += 1 }
            i += 1
        }
        return count
    }

    /// Steps from "e" behind the exponent's digits; the value is limited to ±100,000.
    private mutating func exponentPart() -> Int? {
        position += 1
        let isNegative = sees(UInt8(ascii: "-"))
        if isNegative || sees(UInt8(ascii: "+")) { position += 1 }
        let firstDigit = position
        var power = 0
        while position < text.count, isDigit(text[position]) {
            power = min(power * 10 + Int(text[position] - UInt8(ascii: "0")), 100_000)
            position += 1
        }
        guard position > firstDigit else { return nil }
        return isNegative ? -power : power
    }
}

/// Whether every double within four units of `magnitude` rounds to the same normal float.
@inline(__always)
private func isSafelySingle(_ magnitude: Double) -> Bool {
    // A double has 29 more bits than a float. Exactly between two floats only the highest is set.
    let dropped = Int64(truncatingIfNeeded: magnitude.bitPattern & 0x1FFF_FFFF)
    let isNormal = magnitude >= 1.2e-38 && magnitude <= 3.4e38
    return (isNormal && abs(dropped - 0x1000_0000) > 4) || magnitude == 0
}

/// digits · 10^exponent within two units in the last place; nil for far exponents.
@inline(__always)
private func scale(_ digits: UInt64, byTens exponent: Int) -> Double? {
    switch exponent {
    case -22...0: Double(digits) / powersOfTen[-exponent]
    case 1...22: Double(digits) * powersOfTen[exponent]
    case -44 ..< -22: Double(digits) / powersOfTen[22] / powersOfTen[-exponent - 22]
    default: nil
    }
}

/// 10^0 … 10^22, which doubles hold exactly.
private let powersOfTen: [23 of Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]
