public import API

/// A request's body that comes in pieces.
public struct PiecewiseBody: BodySource {
    public var declaredLength: Int?
    private let bytes: [UInt8]
    private let piece: (_ number: Int, _ left: Int) -> Int
    private var reads = 0

    /// How many bytes were read so far.
    public private(set) var position = 0

    /// - Parameter pieces: the lengths of the pieces, over and over.
    public init(_ bytes: [UInt8], pieces: [Int] = [.max], declares: Bool = true) {
        self.init(bytes, declares: declares) { number, _ in pieces[number % pieces.count] }
    }

    /// - Parameter portion: how many of the bytes left come next.
    public init(
        _ bytes: some Sequence<UInt8>, declares: Bool, portion: @escaping (_ left: Int) -> Int
    ) {
        self.init(Array(bytes), declares: declares) { _, left in portion(left) }
    }

    private init(
        _ bytes: [UInt8], declares: Bool, piece: @escaping (_ number: Int, _ left: Int) -> Int
    ) {
        self.bytes = bytes
        self.piece = piece
        declaredLength = declares ? bytes.count : nil
    }

    public mutating func read(
        upTo limit: Int, into buffer: inout [UInt8]
    ) throws(BodyError) -> Int {
        let left = bytes.count - position
        guard left > 0 else { return 0 }
        let count = min(limit, piece(reads, left), left)
        buffer.append(contentsOf: bytes[position..<(position + count)])
        position += count
        reads += 1
        return count
    }
}
