/// The shortest decimal that reads back as a given float: digits · 10^exponent.
///
/// Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles", 2020), in single
/// precision. It takes one product instead of the paper's three; the digits of every float are the
/// same.
struct ShortestDecimal {
    /// At most nine decimal digits; the last ones may be zero.
    var digits: UInt32

    /// The power of ten that `digits` is a multiple of.
    var exponent: Int

    /// - Parameter value: finite and above 0.
    @inline(__always)
    init(_ value: Float) {
        let fraction = value.bitPattern & 0x7F_FFFF
        let biased = Int(value.bitPattern >> 23)
        // value = significand · 2^power
        let significand = UInt64(biased == 0 ? fraction : fraction | 0x80_0000)
        let power = max(biased, 1) &- 150

        // The interval of reals that round to `value` reaches half a unit in the last place up and
        // down. At a power of two the neighbour below is only half as far away.
        let isUneven = fraction == 0 && biased > 1

        // exponent = ⌊log₁₀ of the interval's length⌋
        exponent = (power &* 1_262_611 &- (isUneven ? 524_031 : 0)) >> 22
        let shift = power &+ ((exponent &* -1_741_647) >> 19) &+ 1
        let factor = powersOfTen[31 &- exponent]
        // value / 10^exponent = whole + part / 2⁶⁴
        let (whole, part) = factor.multipliedFullWidth(by: significand &<< UInt64(shift))

        // From here on in units of 2⁻⁵⁹. Ties go to even, so the interval's ends belong to it if
        // the significand is even. The error of the product is less than `doubt`.
        let doubt: Int64 = 1 << 26
        let isOdd = Int64(truncatingIfNeeded: significand & 1)
        let slack = doubt &- isOdd &* (2 * doubt)
        let reach = factor &>> UInt64(6 &- shift)
        let reachUp = Int64(truncatingIfNeeded: reach) &+ slack
        let reachDown = Int64(truncatingIfNeeded: reach &>> (isUneven ? 1 : 0)) &+ slack
        let part59 = Int64(truncatingIfNeeded: part &>> 5)
        let last = UInt32(truncatingIfNeeded: whole) % 10
        let tens = Int64(last) &<< 59

        // A processor cannot predict which candidate it is, so nothing here branches. Sign bits
        // stand for truth values, which the compiler would turn into branches.
        // One digit fewer if one of the two candidates lies in the interval:
        let roomDown = reachDown &- tens &- part59
        let roomUp = reachUp &+ tens &+ part59 &- 10 << 59
        let notShort = UInt32(truncatingIfNeeded: (roomDown & roomUp) &>> 63)
        let shortUp = ~UInt32(truncatingIfNeeded: roomUp &>> 63) & 10
        // Otherwise the nearer candidate inside it; of two equally near, the even one.
        let isUp = part >> 1 &+ whole & 1 > 1 << 62 || part59 > reachDown
        let up: UInt32 = isUp ? 1 : 0
        let step = up & notShort | (shortUp &- last) & ~notShort
        digits = UInt32(truncatingIfNeeded: whole) &+ (whole < 10 ? up : step)
    }
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
