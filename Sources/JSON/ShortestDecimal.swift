/// The shortest decimal that reads back as a given float: digits · 10^exponent.
///
/// Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles", 2020), in single
/// precision: one table look-up and three multiplications, where `Float.description` spends 49 ns.
struct ShortestDecimal {
    /// At most nine decimal digits; the last may be zero.
    var digits: UInt32

    /// The power of ten that `digits` counts.
    var exponent: Int

    /// - Parameter value: finite and above 0.
    @inline(__always)
    init(_ value: Float) {
        let fraction = value.bitPattern & 0x7F_FFFF
        let biased = Int(value.bitPattern >> 23)
        // value = significand · 2^power
        let significand = biased == 0 ? fraction : fraction | 0x80_0000
        let power = max(biased, 1) - 150

        // The interval of all reals that round to `value`, in quarters of a unit in the last place;
        // just above a power of two the neighbour below is only half as far away. Its ends belong
        // to it where ties, which go to even, come here.
        let isUneven = fraction == 0 && biased > 1
        let isOdd = significand & 1
        let left = 4 * significand - (isUneven ? 1 : 2)
        let middle = 4 * significand
        let right = 4 * significand + 2

        // exponent = ⌊log₁₀ of the interval's length⌋
        let tens = (power * 1_262_611 - (isUneven ? 524_031 : 0)) >> 22
        let shift = UInt32(power + ((-tens * 1_741_647) >> 19) + 1)
        let factor = powersOfTen[31 - tens]
        let lower = roundedToOdd(factor, left << shift) + isOdd
        let scaled = roundedToOdd(factor, middle << shift)
        let upper = roundedToOdd(factor, right << shift) - isOdd

        // Which of the candidates it is looks random to a processor, so nothing here branches.
        let whole = scaled / 4
        // One digit fewer, if exactly one of the two candidates lies in the interval.
        let shorter = whole / 10
        let isShortLowerInside = lower <= 40 &* shorter
        let isShortUpperInside = 40 &* shorter &+ 40 <= upper
        let isShort = (whole >= 10) && (isShortLowerInside != isShortUpperInside)
        // Else the one that lies inside; of two the nearer one, the even one of two equally near.
        let isLowerInside = lower <= 4 &* whole
        let isUpperInside = 4 &* whole &+ 4 <= upper
        let half = 4 &* whole &+ 2
        let isNearerUp = scaled > half || (scaled == half && whole & 1 == 1)
        let isUp = isLowerInside != isUpperInside ? isUpperInside : isNearerUp
        let up: UInt32 = isUp ? 1 : 0
        let shortUp: UInt32 = isShortUpperInside ? 1 : 0
        digits = isShort ? shorter &+ shortUp : whole &+ up
        exponent = isShort ? tens &+ 1 : tens
    }
}

/// The product's upper third, its last bit set if anything was cut off.
@inline(__always)
private func roundedToOdd(_ factor: UInt64, _ value: UInt32) -> UInt32 {
    let product = factor.multipliedFullWidth(by: UInt64(value))
    let cut = UInt32(truncatingIfNeeded: product.low >> 32)
    return UInt32(truncatingIfNeeded: product.high) | (cut > 1 ? 1 : 0)
}

/// ⌈10^k · 2^(63 − ⌊log₂ 10^k⌋)⌉ for k from −31 to 45.
private let powersOfTen: [77 of UInt64] = [
    0x81CEB32C_4B43FCF5, 0xA2425FF7_5E14FC32, 0xCAD2F7F5_359A3B3F, 0xFD87B5F2_8300CA0E,
    0x9E74D1B7_91E07E49, 0xC6120625_76589DDB, 0xF79687AE_D3EEC552, 0x9ABE14CD_44753B53,
    0xC16D9A00_95928A28, 0xF1C90080_BAF72CB2, 0x971DA050_74DA7BEF, 0xBCE50864_92111AEB,
    0xEC1E4A7D_B69561A6, 0x9392EE8E_921D5D08, 0xB877AA32_36A4B44A, 0xE69594BE_C44DE15C,
    0x901D7CF7_3AB0ACDA, 0xB424DC35_095CD810, 0xE12E1342_4BB40E14, 0x8CBCCC09_6F5088CC,
    0xAFEBFF0B_CB24AAFF, 0xDBE6FECE_BDEDD5BF, 0x89705F41_36B4A598, 0xABCC7711_8461CEFD,
    0xD6BF94D5_E57A42BD, 0x8637BD05_AF6C69B6, 0xA7C5AC47_1B478424, 0xD1B71758_E219652C,
    0x83126E97_8D4FDF3C, 0xA3D70A3D_70A3D70B, 0xCCCCCCCC_CCCCCCCD, 0x80000000_00000000,
    0xA0000000_00000000, 0xC8000000_00000000, 0xFA000000_00000000, 0x9C400000_00000000,
    0xC3500000_00000000, 0xF4240000_00000000, 0x98968000_00000000, 0xBEBC2000_00000000,
    0xEE6B2800_00000000, 0x9502F900_00000000, 0xBA43B740_00000000, 0xE8D4A510_00000000,
    0x9184E72A_00000000, 0xB5E620F4_80000000, 0xE35FA931_A0000000, 0x8E1BC9BF_04000000,
    0xB1A2BC2E_C5000000, 0xDE0B6B3A_76400000, 0x8AC72304_89E80000, 0xAD78EBC5_AC620000,
    0xD8D726B7_177A8000, 0x87867832_6EAC9000, 0xA968163F_0A57B400, 0xD3C21BCE_CCEDA100,
    0x84595161_401484A0, 0xA56FA5B9_9019A5C8, 0xCECB8F27_F4200F3A, 0x813F3978_F8940985,
    0xA18F07D7_36B90BE6, 0xC9F2C9CD_04674EDF, 0xFC6F7C40_45812297, 0x9DC5ADA8_2B70B59E,
    0xC5371912_364CE306, 0xF684DF56_C3E01BC7, 0x9A130B96_3A6C115D, 0xC097CE7B_C90715B4,
    0xF0BDC21A_BB48DB21, 0x96769950_B50D88F5, 0xBC143FA4_E250EB32, 0xEB194F8E_1AE525FE,
    0x92EFD1B8_D0CF37BF, 0xB7ABC627_050305AE, 0xE596B7B0_C643C71A, 0x8F7E32CE_7BEA5C70,
    0xB35DBF82_1AE4F38C,
]
