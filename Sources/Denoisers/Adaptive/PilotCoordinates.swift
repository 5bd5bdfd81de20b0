/// Elements that are 0 in every embedding whatever the text, since the gain and the shift of the
/// encoder's last layer norm are 0 there.
///
/// Noise shows there undisturbed, and without noise they are 0 at any scale. An encoder may have
/// none.
///
/// - Parameters:
///   - gain: the last layer norm's weight, [width].
///   - bias: its bias, [width].
///   - bound: what counts as 0; elements of an embedding are about 0.05.
/// - Returns: their indices in rising order; empty if there are none, or if there are so many that
///   the layer norm is not that of an encoder which tells texts apart.
public func pilotCoordinates(
    gain: Span<Float>, bias: Span<Float>, bound: Float = 1e-6
) -> [Int] {
    precondition(gain.count == bias.count, "\(gain.count) gains, \(bias.count) biases")
    let pilots = gain.indices.filter { abs(gain[$0]) < bound && abs(bias[$0]) < bound }
    return pilots.count * 4 <= gain.count ? Array(pilots) : []
}
