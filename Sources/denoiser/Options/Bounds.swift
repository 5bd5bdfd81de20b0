import ArgumentParser

/// What an option's number must be, told to a user who gives another.
private struct Misfit: Error, CustomStringConvertible {
    let description: String
}

/// Reads a whole number within `bounds`.
///
/// Every option has both bounds. So sums and products of several options stay far below what an
/// `Int` holds, and no later step checks them again.
func whole(_ bounds: ClosedRange<Int>) -> @Sendable (String) throws -> Int {
    { text in
        guard let number = Int(text), bounds ~= number else {
            throw Misfit(
                description: "it must be a whole number from \(bounds.lowerBound) to "
                    + "\(bounds.upperBound)")
        }
        return number
    }
}

/// Reads a decimal number within `bounds`.
///
/// - Parameter other: a word that the option takes as well, for the message.
func decimal<Number>(
    _ bounds: ClosedRange<Number>, or other: String? = nil
) -> @Sendable (String) throws -> Number
where Number: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
    { text in
        guard let number = Number(text), bounds ~= number else {
            throw Misfit(
                description: "it must be \(other.map { "\($0) or " } ?? "")a number from "
                    + "\(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }
}

/// Reads the seed of random numbers.
let seedNumber: @Sendable (String) throws -> UInt64 = { text in
    guard let number = UInt64(text) else {
        throw Misfit(description: "it must be a whole number from 0 to \(UInt64.max)")
    }
    return number
}

/// Bounds that several options share.
extension ClosedRange<Int> {
    /// A time in any unit; the longest in seconds is more than thirty years.
    static let time = 1...1_000_000_000

    /// A time, or 0 for none.
    static let timeOrNone = 0...1_000_000_000

    /// Bytes of a request other than an upload; offsets into it have 32 bits.
    static let bodyBytes = 1...(1 << 30)
}

/// Standard deviations of noise; the highest leaves nothing of the input.
let noiseLevels: ClosedRange<Float> = 0...1e30

extension Option {
    /// A whole number within `bounds`; the help tells the default, which the library leaves out of
    /// numbers that are read so.
    init(
        wrappedValue: Int, _ bounds: ClosedRange<Int>, help: String, valueName: String? = nil
    ) where Value == Int {
        self.init(
            wrappedValue: wrappedValue,
            help: ArgumentHelp("\(help) (default: \(wrappedValue))", valueName: valueName),
            transform: whole(bounds))
    }

    /// A decimal number within `bounds`; the help tells the default.
    init(wrappedValue: Value, _ bounds: ClosedRange<Value>, help: String)
    where Value: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
        self.init(
            wrappedValue: wrappedValue,
            help: ArgumentHelp("\(help) (default: \(wrappedValue))"), transform: decimal(bounds))
    }
}
