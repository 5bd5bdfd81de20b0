import ArgumentParser
import Inference

/// Packs the encoder's weights.
struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pack the encoder's weights once, which makes texts faster.",
        discussion: """
            Writes model.packed.safetensors (42 MB) beside the encoder's model.safetensors, in the order in which \
            the weights are read; every process maps it. Do it again when the encoder is replaced: a file that does \
            not fit is not used. Does nothing where there is one that fits.

              denoiser pack
            """)

    @OptionGroup var encoder: EncoderOptions

    func run() throws {
        let folder = try encoder.folder()
        let (path, isNew) = try load { () throws(ModelFault) in
            try PackedWeights.write(folder: folder)
        }
        try printLine("\(path): \(isNew ? "written" : "fits already")")
    }
}
