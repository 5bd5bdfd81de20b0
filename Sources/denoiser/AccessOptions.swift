import ArgumentParser

/// Who may use the service, beyond who may connect.
struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file of bearer keys, one `use KEY` or `train KEY` a line; only with one of them the \
            denoise routes, only with one to train the upload (default: open to all).
            """, valueName: "file"))
    var keys: String?
}
