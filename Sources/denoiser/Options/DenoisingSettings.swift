public import ArgumentParser
public import Denoisers
public import Inference

extension DenoiserKind: ExpressibleByArgument {}
extension DenoisingStrength: ExpressibleByArgument {}
extension TrainingRun.Activation: ExpressibleByArgument {}

/// What training makes, and when that is put live.
struct KindSettings: ParsableArguments {
    @Option(
        help: """
            The kind of denoiser that training makes: adaptive, or autoencoder as the original \
            application does.
            """)
    var denoiser = DenoiserKind.adaptive

    @Option(
        help: """
            When a new model is put live: judged, if it is not worse than doing nothing, or always. A model \
            that is not put live is kept as a version.
            """)
    var activate = TrainingRun.Activation.judged
}

/// How far rows are moved.
struct StrengthSettings: ParsableArguments {
    @Option(
        help: """
            How far an adaptive denoiser moves rows: safe for text of any kind, balanced further, restore \
            as near to the clean rows as possible, whatever becomes of their ranking; auto as far as each \
            row allows.
            """)
    var strength = DenoisingStrength.auto
}

/// What is known of the noise in rows.
struct NoiseSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The standard deviation of the noise that an adaptive denoiser removes; auto estimates it \
            (default: auto).
            """, valueName: "auto|number"), transform: levelOrAuto)
    var noise = DenoisingOptions.Noise.automatic
}

private let levelOrAuto: @Sendable (String) throws -> DenoisingOptions.Noise = { text in
    text == "auto" ? .automatic : .given(try decimal(noiseLevels, or: "auto")(text))
}
