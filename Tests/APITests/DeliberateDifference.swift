/// A place where the answer is not the reference's, on purpose.
struct DeliberateDifference: Sendable {
    /// What comes in.
    let request: String

    /// What FastAPI makes of it.
    let reference: String

    /// What we answer.
    let answer: String

    /// Why.
    let reason: String

    /// All of them; the README shows this table.
    static let all = [
        DeliberateDifference(
            request: "`noise_level` that is infinite or, as a number, `NaN`",
            reference: "200 or 500",
            answer: "422 `finite_number`", reason: "noise must be finite"),
        DeliberateDifference(
            request: "an embedding value that is not finite in single precision",
            reference: "200 with `null` values", answer: "422 `finite_number`",
            reason: "nothing can be computed from it"),
        DeliberateDifference(
            request: "an embedding row whose length is not 384", reference: "500",
            answer: "422 `value_error` that says both lengths", reason: "the client's mistake"),
        DeliberateDifference(
            request: "`embeddings` or `texts` without elements", reference: "500 or 200",
            answer: "200 with shape `[0,384]`", reason: "no rows are an empty matrix"),
        DeliberateDifference(
            request: "values so large that denoising them overflows",
            reference: "200 with `null` values", answer: "422 `value_error`",
            reason: "an answer holds numbers"),
        DeliberateDifference(
            request: "`noise_level` above 1e30", reference: "200, perhaps with `null` values",
            answer: "computed with 1e30", reason: "nothing of the input is left either way"),
        DeliberateDifference(
            request: "an error whose `input` holds `NaN` or an infinity", reference: "500",
            answer: "the 422, with `null` in that place", reason: "JSON has no such number"),
        DeliberateDifference(
            request: "an error whose `input` holds an unpaired surrogate", reference: "500",
            answer: "the 422, with the surrogate escaped", reason: "UTF-8 has no such character"),
        DeliberateDifference(
            request: "a body that is not UTF-8 under a content type that is not JSON",
            reference: "500", answer: "the 422, with U+FFFD in `input`",
            reason: "the client's mistake"),
        DeliberateDifference(
            request: "an error whose `input` is nested too deep for Python's encoder",
            reference: "500", answer: "the 422", reason: "the client's mistake"),
        DeliberateDifference(
            request: "more texts or rows than the limit", reference: "200",
            answer: "422 `too_long`, as pydantic's `max_length` gives it, with `input` null",
            reason: "memory is bounded"),
        DeliberateDifference(
            request: "a body longer than the limit", reference: "200",
            answer: "413 that says both lengths", reason: "memory is bounded"),
        DeliberateDifference(
            request: "more than 1,000 errors in one body", reference: "all are listed",
            answer: "the first 1,000 are listed", reason: "memory is bounded"),
        DeliberateDifference(
            request: "errors that quote more than 256 KiB of the body", reference: "all is quoted",
            answer: "an `input` that would go beyond is `null`, and so are those after it",
            reason: "memory is bounded"),
        DeliberateDifference(
            request: "an upload that is not UTF-8", reference: "500",
            answer: "422 `value_error` with the first bad byte's offset and line",
            reason: "the client's mistake"),
        DeliberateDifference(
            request: "an upload without text", reference: "200",
            answer: "422 `value_error`", reason: "there is nothing to train on"),
        DeliberateDifference(
            request: "a form whose `charset` is one of several bytes a character (GBK, Big5, "
                + "Shift-JIS, EUC, ISO 2022, UTF-7 …) or one of Python's own (`punycode` …)",
            reference: "file names and texts in that set, or 500",
            answer: "file names and texts in Latin-1, as for a set that nobody knows",
            reason: "a file's name decides nothing, and tables for it would be large"),
        DeliberateDifference(
            request: "an upload from a page of another site, without keys", reference: "200",
            answer: "403", reason: "a page elsewhere could replace the model"),
        DeliberateDifference(
            request: "`/docs` and `/redoc`", reference: "scripts and styles from a CDN",
            answer: "from this server, else from the CDN with a digest",
            reason: "they work without the internet"),
        DeliberateDifference(
            request: "a path that ends in a line feed (`%0A`), slashes behind it left aside",
            reference: "that of the path without it", answer: "404",
            reason: "a web server's rules for a route must hold for every path of it"),
        DeliberateDifference(
            request: "the `file` of an upload in `/openapi.json`",
            reference: "`contentMediaType` alone", answer: "`\"format\":\"binary\"` beside it",
            reason: "clients made from the description can upload"),
        DeliberateDifference(
            request: "a target without a slash in front, with a broken `%` escape or with `%00`",
            reference: "an answer", answer: "400", reason: "nginx refuses it"),
        DeliberateDifference(
            request: "a path with `.` or `..` segments, a target with `#` or from `http://` on",
            reference: "404", answer: "that of the path it comes to",
            reason: "nginx resolves it and matches its own rules against that"),
        DeliberateDifference(
            request: "a method in small letters", reference: "405, 404 or 307", answer: "400",
            reason: "nginx refuses it"),
        DeliberateDifference(
            request: "an empty `Host` or one with a space, a slash or two dots in a row",
            reference: "an answer", answer: "400", reason: "nginx refuses it"),
        DeliberateDifference(
            request: "a target or a header line above 8 kB", reference: "an answer",
            answer: "414 or 400", reason: "nginx refuses it"),
    ]

    /// The same as a table in Markdown.
    static var table: String {
        let head = "| Request | FastAPI | denoiser | Why |\n|---|---|---|---|\n"
        return all.reduce(into: head) { table, row in
            table += "| \(row.request) | \(row.reference) | \(row.answer) | \(row.reason) |\n"
        }
    }
}
