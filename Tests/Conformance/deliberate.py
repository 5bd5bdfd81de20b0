"""Where the service answers otherwise than FastAPI on purpose: a rule for every row of README.md's table.

Each rule looks at the request and computes what the service has to answer; one that merely allowed a
difference would hide others.
"""
import asyncio
import dataclasses
import email.message
import json
import math
import pathlib
import re
import sys
import unicodedata

import numpy
import pydantic
import starlette.requests

import charsets
import compare
import front
import reference_app

README = pathlib.Path(__file__).resolve().parent / "README.md"
COLUMNS = 384
# The defaults of `denoiser serve`.
ROWS = 2048
BODY_BYTES, UPLOAD_BYTES = 16 << 20, (64 << 20) + (64 << 10)
ISSUES, QUOTED_BYTES = 1000, 256 << 10
# What nginx takes, so that the service's own answer is the usual one.
NGINX_BYTES = {True: 65 << 20, False: 17 << 20}


def table():
    """The first column of README.md's table of differences."""
    text = README.read_text().split("| Request | FastAPI | denoiser | Why |\n|---|---|---|---|\n")[1]
    return [row.split(" | ")[0].lstrip("| ") for row in text.split("\n\n")[0].splitlines()]


class Body:
    """A JSON route's body as the reference reads it, and the answer due where we differ."""

    def __init__(self, request):
        self.is_text = request.path == b"/denoise/text"
        self.model = reference_app.TextDenoiseRequest if self.is_text else reference_app.EmbeddingDenoiseRequest
        self.name = "texts" if self.is_text else "embeddings"
        kind = request.value(b"content-type")
        self.is_json = bool(kind) and names_json(kind.decode("latin-1"))
        self.data = request.body.decode("utf-8", "replace")
        if self.is_json:
            self.data = json.loads(request.body)

    def issues(self):
        """The errors due: the reference's own if it has any, else those that only we find."""
        data, found = self.data, []
        if self.is_too_long():
            limit, given = ROWS, len(data[self.name])
            found.append({"type": "too_long", "loc": ["body", self.name], "input": None,
                          "msg": f"List should have at most {limit} items after validation, not {given}",
                          "ctx": {"field_type": "List", "max_length": limit, "actual_length": given}})
            data = {**data, self.name: []}
        try:
            checked = self.model.model_validate(data, from_attributes=True)
        except pydantic.ValidationError as error:
            return [ordered(entry) for entry in found] + [self.shared(entry) for entry in error.errors(include_url=False)]
        return [ordered(entry) for entry in found] or list(self.own(checked))

    def is_too_long(self):
        rows = self.data.get(self.name) if isinstance(self.data, dict) else None
        return isinstance(rows, list) and len(rows) > ROWS

    def shared(self, entry):
        entry = ordered({**entry, "loc": ["body", *entry["loc"]]})
        given = entry["input"]
        if entry["type"] == "greater_than_equal" and isinstance(given, float) and not math.isfinite(given):
            return not_finite(entry["loc"], given)
        return entry

    def own(self, checked):
        if not self.is_text:
            for number, (row, given) in enumerate(zip(checked.embeddings, self.data["embeddings"])):
                loc = ["body", "embeddings", number]
                with numpy.errstate(over="ignore"):
                    wrong = numpy.flatnonzero(~numpy.isfinite(numpy.array(row, dtype=numpy.float32)))
                yield from (not_finite(loc + [int(i)], given[i]) for i in wrong)
                if not len(wrong) and len(row) != COLUMNS:
                    yield {"type": "value_error", "loc": loc,
                           "msg": f"Value error, expected {COLUMNS} values, got {len(row)}", "input": given}
        if not math.isfinite(checked.noise_level):
            yield not_finite(["body", "noise_level"], self.data["noise_level"])

    def answer(self):
        """The 422 due, to the byte."""
        return printed({"detail": shortened(self.issues())})


def shortened(issues):
    """The errors listed, and no more of the request quoted than allowed; sizes are those of bodies without spaces."""
    left = QUOTED_BYTES
    for entry in issues[:ISSUES]:
        size = len(printed(entry["input"]))
        fits = size <= left
        left = left - size if fits else 0
        if not fits: entry["input"] = None
    return issues[:ISSUES]


def ordered(entry):
    """The members of an error in FastAPI's order."""
    return {name: entry[name] for name in ("type", "loc", "msg", "input", "ctx") if name in entry}


def names_json(kind):
    message = email.message.Message()
    message["content-type"] = kind
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def not_finite(loc, given):
    return {"type": "finite_number", "loc": loc, "msg": "Input should be a finite number", "input": given}


def finite(value):
    """The value with null for what JSON cannot hold."""
    if isinstance(value, float): return value if math.isfinite(value) else None
    if isinstance(value, dict): return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list): return [finite(v) for v in value]
    return value


def printed(value):
    text = json.dumps(finite(value), ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\ud800-\udfff]", lambda unit: "\\u%04x" % ord(unit[0]), text).encode()


def numbers(value):
    if isinstance(value, float): yield value
    elif isinstance(value, (list, dict)):
        for element in value.values() if isinstance(value, dict) else value: yield from numbers(element)


def uploaded(request):
    """What Starlette finds under `file`: the file's name and bytes."""
    async def receive(): return {"type": "http.request", "body": request.body, "more_body": False}

    async def read():
        headers = [(name.lower(), value) for name, value in request.headers]
        scope = {"type": "http", "method": "POST", "path": "/upload/", "headers": headers, "query_string": b""}
        async with starlette.requests.Request(scope, receive).form() as form:
            return form["file"].filename, await form["file"].read()
    return asyncio.run(read())


def is_json_route(request):
    return request.method == b"POST" and request.path in (b"/denoise/text", b"/denoise/embedding")


def answers_422(rule):
    """A rule for the JSON routes: our answer is the 422 that `Body` computes."""
    def applies(request, theirs, ours):
        if not is_json_route(request) or ours.status != 422: return False
        sys.setrecursionlimit(10_000)
        try:
            body = Body(request)
            return rule(body, theirs) and ours.body == body.answer()
        finally:
            sys.setrecursionlimit(1000)
    return applies


def types_at(body, type, depth):
    return any(issue["type"] == type and len(issue["loc"]) == depth for issue in body.issues())


def upload_refusal(message, given):
    return printed({"detail": [{"type": "value_error", "loc": ["body", "file"], "msg": "Value error, " + message, "input": given}]})


def not_utf8(request, theirs, ours):
    if theirs.status != 500 or ours.status != 422 or request.path != b"/upload/": return False
    name, content = uploaded(request)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", content[:error.start])) + 1
        place = f"byte {error.start}" + (f", line {line}" if line > 1 else "")
        return ours.body == upload_refusal(f"the file is not UTF-8 text ({place})", name)
    return False


def without_text(request, theirs, ours):
    if theirs.status != 200 or ours.status != 422 or request.path != b"/upload/": return False
    name, content = uploaded(request)
    is_blank = all(left_out(c) for c in content.decode())
    return is_blank and ours.body == upload_refusal("the file holds no text to train on", name)


def left_out(character):
    """Whether BERT's normalisation leaves nothing of a character: spaces, controls, marks without width."""
    category = unicodedata.category(character)
    return character == "\ufffd" or category == "Mn" or category[0] in "CZ"


def empty_matrix(request, theirs, ours):
    if not is_json_route(request) or theirs.status != 500 or ours.status != 200: return False
    answer = json.loads(ours.body)
    return Body(request).data["embeddings"] == [] and answer["shape"] == [0, COLUMNS] and answer["denoised_embeddings"] == []


def overflowing(request, theirs, ours):
    if not is_json_route(request) or theirs.status != 200 or ours.status != 422: return False
    (issue,) = json.loads(ours.body)["detail"]
    row = Body(request).model.model_validate(Body(request).data).embeddings[issue["loc"][2]]
    return issue["msg"] == "Value error, the values are too large to denoise" and max(map(abs, row)) > 1e30


def fails_on_echo(condition):
    """A rule for errors that repeat what came, where FastAPI's encoder fails on it."""
    return answers_422(lambda body, theirs: theirs.status == 500 and condition(body))


def too_long(request, theirs, ours):
    """Our 413: the service's up to what nginx takes, above that nginx's."""
    is_upload, length = request.path == b"/upload/", len(request.body)
    limit = UPLOAD_BYTES if is_upload else BODY_BYTES
    if theirs.status >= 500 or ours.status != 413 or length <= limit: return False
    by_us = printed({"detail": f"Request body too large: {length} bytes, at most {limit}"})
    return ours.body == (b'{"detail":"Request body too large"}' if length > NGINX_BYTES[is_upload] else by_us)


def format_of_the_file(request, theirs, ours):
    if request.path != b"/openapi.json" or ours.status != 200: return False
    document = json.loads(ours.body)
    file = document["components"]["schemas"]["Body_upload_file_upload__post"]["properties"]["file"]
    if file.pop("format") != "binary": return False
    without = dataclasses.replace(ours, body=json.dumps(document).encode())
    return not compare.differences(request, theirs, without)


def is_shortened(of):
    """A rule for long lists: ours is the reference's, shortened as `of` says it must have been."""
    def applies(request, theirs, ours):
        if theirs.status != 422 or ours.status != 422: return False
        issues = json.loads(theirs.body)["detail"]
        return of(issues) and ours.body == printed({"detail": shortened(issues)})
    return applies


def nesting(value):
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [e for v in level if isinstance(v, (list, dict)) for e in (v.values() if isinstance(v, dict) else v)]
    return depth


def has_surrogate(body):
    return any("\ud800" <= c <= "\udfff" for issue in body.issues() for c in json.dumps(issue["input"], ensure_ascii=False))


RULES = {
    "`noise_level` that is infinite or, as a number, `NaN`":
        answers_422(lambda body, theirs: theirs.status in (200, 500) and types_at(body, "finite_number", 2)),
    "an embedding value that is not finite in single precision":
        answers_422(lambda body, theirs: theirs.status in (200, 500) and types_at(body, "finite_number", 4)),
    "an embedding row whose length is not 384":
        answers_422(lambda body, theirs: theirs.status == 500 and types_at(body, "value_error", 3)),
    "`embeddings` or `texts` without elements": empty_matrix,
    "values so large that denoising them overflows": overflowing,
    "an error whose `input` holds `NaN` or an infinity":
        fails_on_echo(lambda body: any(not math.isfinite(x) for issue in body.issues() for x in numbers(issue["input"]))),
    "an error whose `input` holds an unpaired surrogate": fails_on_echo(has_surrogate),
    "a body that is not UTF-8 under a content type that is not JSON":
        fails_on_echo(lambda body: not body.is_json and "\ufffd" in body.data),
    "an error whose `input` is nested too deep for Python's encoder":
        fails_on_echo(lambda body: max(nesting(issue["input"]) for issue in body.issues()) > 100),
    "more texts or rows than the limit":
        answers_422(lambda body, theirs: body.is_too_long()),
    "a body longer than the limit": too_long,
    "more than 1,000 errors in one body": is_shortened(lambda issues: len(issues) > ISSUES),
    "errors that quote more than 256 KiB of the body":
        is_shortened(lambda issues: sum(len(printed(entry["input"])) for entry in issues) > QUOTED_BYTES),
    "an upload that is not UTF-8": not_utf8,
    "an upload without text": without_text,
    "the `file` of an upload in `/openapi.json`": format_of_the_file,
}


def explanation(request, theirs, ours, ask):
    """The row of the table that holds for these two answers, None where there is none.

    `ask` gives the reference's answer to another request.
    """
    for row, rule in RULES.items():
        try:
            if rule(request, theirs, ours): return row
        except (ValueError, LookupError, TypeError, RecursionError, AttributeError):
            continue  # Not a request this rule is about.
    asking = {**charsets.RULES, **front.RULES}
    return next((row for row, rule in asking.items() if rule(request, theirs, ours, ask, explanation)), None)
