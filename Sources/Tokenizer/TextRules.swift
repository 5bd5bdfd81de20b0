/// What BERT's normalisation does to a text before it is cut into words.
///
/// Accents are stripped only from text in small letters, as nearly every model has it.
public struct TextRules: Sendable, Equatable {
    /// What becomes of letters.
    public enum Letters: Sendable {
        /// As they stand.
        case kept
        /// In lower case, with their accents.
        case lowered
        /// In lower case, decomposed, without nonspacing marks.
        case loweredWithoutAccents
    }

    /// What becomes of letters.
    public var letters: Letters

    /// Whether each ideograph is a word of its own.
    public var spacesIdeographs: Bool

    /// BERT (uncased).
    public static let uncased = TextRules()

    public init(letters: Letters = .loweredWithoutAccents, spacesIdeographs: Bool = true) {
        self.letters = letters
        self.spacesIdeographs = spacesIdeographs
    }
}

/// Whether `tokenizers` takes a scalar for an ideograph; its ranges leave out a few.
func isIdeograph(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0xF900...0xFAFF, 0x2_0000...0x2_A6DF,
        0x2_A700...0x2_B81F, 0x2_B920...0x2_CEAF, 0x2_F800...0x2_FA1F:
        true
    default: false
    }
}
