/// What normalising and splitting do with one Unicode scalar.
enum CharacterClass {
    /// Part of a word, as it stands.
    case letter
    /// Left out.
    case removed
    /// Left out, but marks before and after it keep their order.
    case removedStarter
    /// The end of a word.
    case space
    /// A word of its own: punctuation or an ideograph.
    case alone
    /// A syllable that decomposes by arithmetic.
    case hangul
    /// A mark that is kept, with the rank of its canonical combining class, from 1.
    case mark(Int)
    /// Replaced by the scalars of a mapping.
    case mapped(Mapping)
}

/// A scalar that another one becomes: decomposed, without accents, in lower case.
struct Mapping {
    /// The scalar that stands in the text.
    fileprivate let source: UInt32
    fileprivate let entry: Int
    // 21 bits of value, then: the value is a difference; another scalar follows; a word of its own.
    private let bits: Int

    fileprivate init(of source: UInt32, entry: Int) {
        self.source = source
        self.entry = entry
        bits = CharacterTable.mapping(entry)
    }

    /// What it becomes.
    var scalar: UInt32 {
        let value = UInt32(bits & 0x1F_FFFF)
        return bits & 1 << 21 == 0 ? value : (source &+ value) & 0x1F_FFFF
    }

    /// The scalar that follows, if it becomes several.
    var next: Mapping? {
        bits & 1 << 22 == 0 ? nil : Mapping(of: source, entry: entry + 1)
    }

    /// Whether it is a word of its own.
    var isAlone: Bool { bits & 1 << 23 != 0 }
}

/// Reads the generated tables: scalar → block → leaf → record.
enum CharacterTable {
    private static let firstMark = 8
    private static let firstMapped = 32

    /// The class of a scalar below 0x110000.
    static func characterClass(of scalar: UInt32) -> CharacterClass {
        precondition(scalar < 0x11_0000, "scalar \(scalar)")
        let index = Int(scalar)
        let block = unsafe sextet(UnicodeTables.top.utf8Start, index >> 10)
        let leaf = unsafe pair(UnicodeTables.middle.utf8Start, block << 6 | index >> 4 & 63)
        let record = unsafe pair(UnicodeTables.leaves.utf8Start, leaf << 4 | index & 15)
        switch record {
        case 0: return .letter
        case 1: return .removed
        case 2: return .removedStarter
        case 3: return .space
        case 4: return .alone
        case 5: return .hangul
        case ..<firstMapped: return .mark(record - firstMark + 1)
        default: return .mapped(Mapping(of: scalar, entry: record - firstMapped))
        }
    }

    /// The rank of a kept mark's combining class; 0 for all other scalars.
    static func markRank(of scalar: UInt32) -> Int {
        if case .mark(let rank) = characterClass(of: scalar) { rank } else { 0 }
    }

    fileprivate static func mapping(_ entry: Int) -> Int {
        let base = unsafe UnicodeTables.mappings.utf8Start
        return unsafe pair(base, entry * 2) << 12 | pair(base, entry * 2 + 1)
    }

    // Unchecked reads: indices come from the tables themselves, and every scalar is tried in the
    // tests.
    private static func sextet(_ base: UnsafePointer<UInt8>, _ index: Int) -> Int {
        unsafe Int(base[index] &- 63)
    }

    private static func pair(_ base: UnsafePointer<UInt8>, _ index: Int) -> Int {
        unsafe sextet(base, index * 2) << 6 | sextet(base, index * 2 + 1)
    }
}
