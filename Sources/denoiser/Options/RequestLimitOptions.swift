import API
import ArgumentParser
import FastCGI
import Inference

/// What one request may hold.
struct RequestLimitOptions: ParsableArguments {
    @Option(
        .bodyBytes, help: "The largest body, in bytes, except of an upload.")
    var bodyBytes = Limits().bodyBytes

    @Option(
        1...(1 << 40), help: "The largest upload, in bytes, with what a form puts around the text.")
    var uploadBytes = Limits().uploadBytes

    @Option(
        1...10_000_000, help: "The most texts in a request.")
    var texts = Limits().texts

    @Option(
        help: """
            The most tokens of a text that count, with the two at its ends; from 2 to 512 (default: \
            what the encoder's folder says, 256 if it says nothing).
            """,
        transform: whole(2...TextEmbedder.mostTokens))
    var tokens: Int?

    @Option(
        1...10_000_000, help: "The most rows of embeddings in a request.")
    var rows = Limits().rows

    @Option(
        1...1_000_000_000,
        help: "The most lines in an upload; each takes 1.5 KB while it is trained on.")
    var lines = Limits().trainingLines

    // Printing a value is a recursion; deeper than this Python refuses, too.
    @Option(
        1...Limits().jsonDepth,
        help: "How many arrays and objects of JSON may lie within each other; at most 961.")
    var jsonDepth = Limits().jsonDepth

    @Option(
        1...1_000_000_000, help: "The most errors listed in an answer.")
    var errors = Limits().issues

    @Option(
        .bodyBytes, help: "The most bytes of a request that errors quote.")
    var quotedBytes = Limits().quotedBytes

    @Option(
        1...1_000_000, help: "The most files, and the most other fields, in a form.")
    var formParts = FormLimits().files

    @Option(
        .bodyBytes, help: "The largest field of a form that is no file, in bytes.")
    var formFieldBytes = FormLimits().fieldBytes

    @Option(
        1...1_000_000, help: "The most header lines of a part of a form.")
    var formHeaders = FormLimits().headers

    @Option(
        .bodyBytes, help: "The longest such line, in bytes.")
    var formHeaderBytes = FormLimits().headerBytes

    @Option(
        1024...131_072, help: "The most bytes of a request's CGI variables; at most 131072.")
    var parameterBytes = ServerLimits().parameterBytes

    /// Names and values.
    var all: [(name: String, value: Int)] {
        [
            ("body-bytes", bodyBytes), ("upload-bytes", uploadBytes), ("texts", texts),
            ("tokens", tokens ?? TextEmbedder.tokenLimit), ("rows", rows), ("lines", lines),
            ("json-depth", jsonDepth),
            ("errors", errors), ("quoted-bytes", quotedBytes), ("form-parts", formParts),
            ("form-field-bytes", formFieldBytes), ("form-headers", formHeaders),
            ("form-header-bytes", formHeaderBytes), ("parameter-bytes", parameterBytes),
        ]
    }

    /// The limits the routes check.
    var limits: Limits {
        var limits = Limits()
        limits.bodyBytes = bodyBytes
        limits.uploadBytes = uploadBytes
        limits.texts = texts
        limits.rows = rows
        limits.trainingLines = lines
        limits.jsonDepth = jsonDepth
        limits.issues = errors
        limits.quotedBytes = quotedBytes
        limits.form.files = formParts
        limits.form.fields = formParts
        limits.form.fieldBytes = formFieldBytes
        limits.form.headers = formHeaders
        limits.form.headerBytes = formHeaderBytes
        return limits
    }
}
