"""Generated bodies of the two JSON routes: texts well made and broken, values right and wrong."""
import json
import random

from exchange import Request

ROUTES = [(b"/denoise/text", "texts"), (b"/denoise/embedding", "embeddings")]
SPACE = ["", "", "", " ", "\n", "\t", "\r\n", "  "]
TOKENS = list('{}[]",:\\/+-.eE0159 \t\n') + [
    "\x00", "\x0b", "\x0c", "\x1f", "\x7f", "\u00a0", "\u2028", "\ufeff", "é", "文", "😀", "'", "//", "/**/", "#", "NaN",
    "Infinity", "-Infinity", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "1_0", "nul", "true", "False", "None",
    "undefined", '""', "\\u", "\\u12", "\\ud800", "\\ud83d\\ude00", "\\x41", "\\'", "[]", "{}", ",,", ": :", "null",
]
STRINGS = [
    "", "a", "hello world", "文字 與 詞", "😀", "é", "e\u0301", "\u0000", "\u001f", "\u007f", "\u0080", "\u2028", "\ufffd", "\uffff",
    "\ud800", "x\udc00y", "\udc00\ud800", '"', "\\", "/", "\b\f\n\r\t", "<b>&amp;</b>", "null", "1", "a" * 300, "\U0010ffff", "\u00ad\u200b",
]
NUMBER_TEXTS = [
    "0", "-0", "1", "0.5", " 1", "1 ", "\t2\n", "\u00a03\u00a0", "\u30004", "\u20285", "\x1c6", "\x1f7", "\x858", "\ufeff9", "\u200b1", "1_0", "1__0",
    "_1", "1_", "1_.5", "1._5", "1e1_0", "1_e1", " 1_0", "1_0 ", "1e5", "1E5", "1e+5", "1e-5", "1e", "e1", "1.", ".5", ".", "+1", "++1", "+-1", "--1",
    "-1", "- 1", "0x10", "0b1", "0o7", "1,5", "1 2", "1e400", "-1e400", "1e-400", "1e1000000", "inf", "Inf", "INF", "-inf", "+inf", "infinity", "iNfInItY",
    "infinit", "nan", "NaN", "-nan", "+nan", "nan(1)", "", " ", "x", "true", "True", "null", "１", "٣", "½", "1e５", "−1", "1d", "1f", "1.0L", "0" * 500 + "1",
    "1" * 400, "0." + "3" * 500, "\x00", "1\x00", "\ud800", "1\udc00", "😀", "1e0_1", "00", "0_0", "-_1", "+_1", "1_000_000.5",
]
NUMBERS = [
    "0", "-0", "1", "-1", "0.25", "-0.5", "1e-2", "1E2", "-0.0", "0e0", "1.5e300", "1e308", "-1e308", "1e400", "-1e400", "1e-400", "3.4e38", "3.5e38",
    "3.4028235677973366e38", "3.4028234e38", "1e39", "NaN", "Infinity", "-Infinity", "9007199254740993", "18446744073709551616", "-9223372036854775809",
    "1" * 40, "9" * 308, "9" * 309, "1" + "0" * 308, "-" + "9" * 400, "1" * 4300, "1" * 4301, "-" + "2" * 4301, "0." + "1" * 50, "5e-324", "1e-45", "123456789.123456789",
    "1.7976931348623159e308", "1e22", "1e23", "4.35", "100000000000000000000000.0", "1e16", "123456789012345680.0", "1e-5", "0.0001",
]


WHITE = ["", "", "", " ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000", "\u200b", "\ufeff", "\u180e"]
DIGITS = ["0", "1", "9", "12", "007", "340282346638528859811704183484516925440", "1_0", "1__0", "_1", "1_", "１", "٣", "५", "²", ""]


def number_text(rng):
    """Something like a number, as strings hold one: for what Rust, Python and C disagree on."""
    if rng.random() < 0.3: return rng.choice(NUMBER_TEXTS)
    text = rng.choice(["", "", "", "-", "+", "--", "−"]) + rng.choice(DIGITS)
    if rng.random() < 0.5: text += rng.choice([".", ".", ",", "_.", "._", ".."]) + rng.choice(DIGITS)
    if rng.random() < 0.4: text += rng.choice(["e", "E", "e", "_e", "e_", "p", "ｅ"]) + rng.choice(["", "-", "+", "+-"]) + rng.choice(["", "1", "5", "38", "39", "308", "309", "400", "1_0", "01", "99999999999"])
    if rng.random() < 0.1: text += rng.choice(["f", "d", "L", "n", "%", "j", "\x00", "inf", "nan"])
    return rng.choice(WHITE) + text + rng.choice(WHITE)


def number(rng):
    """Something like a number in JSON."""
    if rng.random() < 0.4: return rng.choice(NUMBERS)
    digits = lambda most: "".join(rng.choice("0123456789") for _ in range(rng.randint(1, most)))
    text = rng.choice(["", "-"]) + (digits(rng.choice([3, 20, 60, 400])).lstrip("0") or "0")
    if rng.random() < 0.5: text += "." + digits(rng.choice([3, 20, 60]))
    if rng.random() < 0.4: text += rng.choice("eE") + rng.choice(["", "-", "+"]) + digits(rng.choice([1, 2, 3, 4]))
    return text


def characters(rng):
    """A string of any characters."""
    if rng.random() < 0.5: return rng.choice(STRINGS)
    planes = [(0x20, 0x7E), (0x20, 0x7E), (0, 0x1F), (0x7F, 0xFF), (0x100, 0x2FFF), (0x4E00, 0x9FFF), (0xD800, 0xDFFF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
    plane = rng.choice(planes)
    return "".join(chr(rng.randint(*(plane if rng.random() < 0.7 else rng.choice(planes)))) for _ in range(rng.randrange(12)))


def quoted(rng, text):
    """A string in quotes, its characters plain or escaped."""
    escaped = rng.random() < 0.3
    out = '"'
    for character in text:
        if character in '"\\' or character < " " or "\ud800" <= character <= "\udfff" or (escaped and rng.random() < 0.3):
            out += json.dumps(character)[1:-1]
        else:
            out += character
    return out + '"'


def scalar(rng):
    roll = rng.random()
    if roll < 0.25: return rng.choice(["null", "true", "false"])
    if roll < 0.55: return number(rng)
    if roll < 0.75: return quoted(rng, number_text(rng))
    return quoted(rng, characters(rng))


def spaced(rng, opening, parts, closing):
    gap = (lambda: rng.choice(SPACE)) if rng.random() < 0.3 else (lambda: "")
    return opening + gap() + (gap() + "," + gap()).join(parts) + gap() + closing


def value(rng, depth=0):
    """Any JSON value."""
    if depth > 3 or rng.random() < 0.6: return scalar(rng)
    count = rng.choice([0, 1, 1, 2, 3])
    if rng.random() < 0.5: return spaced(rng, "[", [value(rng, depth + 1) for _ in range(count)], "]")
    names = ["a", "b", "texts", "noise_level", "", "é", "\ud800"]
    members = [quoted(rng, rng.choice(names) if rng.random() < 0.8 else characters(rng)) + ":" + value(rng, depth + 1) for _ in range(count)]
    return spaced(rng, "{", members, "}")


def noise(rng):
    roll = rng.random()
    if roll < 0.3: return rng.choice(["0", "0.0", "0.1", "1", "1e-3", "true", "false", '"0.5"'])
    if roll < 0.55: return number(rng)
    if roll < 0.9: return quoted(rng, number_text(rng))
    return value(rng)


def texts(rng):
    roll = rng.random()
    if roll < 0.12: return value(rng)
    count = rng.choice([0, 1, 1, 2, 3, 6])
    wrong = 0 if roll < 0.5 else 0.4
    return spaced(rng, "[", [value(rng) if rng.random() < wrong else quoted(rng, characters(rng)) for _ in range(count)], "]")


def row(rng):
    roll = rng.random()
    if roll < 0.1: return value(rng)
    columns = 384 if roll < 0.9 else rng.choice([0, 1, 2, 383, 385, 400])
    cells = [rng.choice(["0", "0.1", "-0.5", "1e-3"])] * columns
    if columns and rng.random() < 0.6:
        for _ in range(rng.choice([1, 1, 2, 5])): cells[rng.randrange(columns)] = scalar(rng) if rng.random() < 0.9 else value(rng)
    return spaced(rng, "[", cells, "]")


def embeddings(rng):
    if rng.random() < 0.12: return value(rng)
    return spaced(rng, "[", [row(rng) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))], "]")


def document(rng, name):
    """An object for the route whose list is `name`, with all that may be odd about its members."""
    make = texts if name == "texts" else embeddings
    members = [] if rng.random() < 0.08 else [(name, make(rng))]
    if rng.random() < 0.6: members.append(("noise_level", noise(rng)))
    if rng.random() < 0.08: members.append((name, make(rng)))
    if rng.random() < 0.08: members.append(("noise_level", noise(rng)))
    if rng.random() < 0.15: members.append((rng.choice(["extra", "Texts", "embeddings", "texts", "noise_level ", "", "__class__"]), value(rng)))
    if rng.random() < 0.3: rng.shuffle(members)
    return spaced(rng, "{", [quoted(rng, key) + ":" + text for key, text in members], "}")


def mutated(rng, text):
    """A text with a little damage."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(5)
        if kind == 0: text = text[:at] + text[at + rng.choice([1, 1, 2, 7]):]
        elif kind == 1: text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif kind == 2: text = text[:at] + rng.choice(TOKENS) + text[at + 1:]
        elif kind == 3: text = text[:at] + text[at:at + rng.randrange(1, 9)] * 2 + text[at:]
        else: text = text[:at]
    return text


def encoded(rng, text):
    """The bytes of a text: nearly always UTF-8."""
    roll = rng.random()
    if roll < 0.8: return text.encode("utf-8", "surrogatepass")
    if roll < 0.84: return b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")
    if roll < 0.92:
        name = rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
        mark = rng.choice([b"", b"", {"utf-16-be": b"\xfe\xff", "utf-32-be": b"\x00\x00\xfe\xff"}.get(name, b"")])
        data = mark + text.encode(name, "surrogatepass")
        return data if rng.random() < 0.8 else data[:rng.randrange(len(data) + 1)]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    at = rng.randrange(len(data) + 1)
    data[at:at + rng.randrange(2)] = rng.choice([
        b"\xff", b"\xfe", b"\x80", b"\xc0\xaf", b"\xc3", b"\xe6\x96", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"\x00", b"\xef\xbb\xbf"])
    return bytes(data)


def nested(rng):
    """Arrays and objects within each other, as deep as Python takes them and deeper."""
    depth = rng.choice([5, 40, 200, 700, 900, rng.randint(940, 980), 1100, 5000, 100_000])
    opening, closing = rng.choice([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
    depth //= len(closing)
    inner = rng.choice(["1", "", "x", '"a"'])
    text = opening * depth + inner + closing * rng.choice([depth, depth, depth - 1, depth + 1])
    return rng.choice(["{}", '{{"texts":{}}}', '{{"embeddings":[{}]}}', '{{"texts":["a"],"noise_level":{}}}', '{{"x":{},"texts":["a"]}}']).format(text)


CONTENT_TYPES = [
    b"application/json; charset=utf-8", b"application/json;charset=UTF-16", b"application/json; charset=latin-1", b"application/json;", b"application/json ;x",
    b"APPLICATION/JSON", b"Application/Json; a=b", b"application/problem+json", b"application/ld+json;profile=\"a;b\"", b"application/+json", b"application/json+x",
    b"application/xjson", b"application/x+JSON", b"application/jsonp", b"application/json, text/plain", b"application/ json", b"application /json", b"application/json/x",
    b"application//json", b"/json", b"application/", b"application", b"json", b"text/json", b"text/plain", b"text/x+json", b"*/*", b"application/*", b"image/svg+xml",
    b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=X", b"multipart/form-data", b"multipart/mixed; boundary=\"X\"", b"application/octet-stream", b";", b"; application/json",
    b"\"application/json\"", b"application/json\t", b"application/\tjson", b"application/json; charset=\"utf-8", b"application/json;q=1;", b"message/rfc822",
    b"application/vnd.api+json; ext=\"https://x/y\"", b"application/json\xe9", b"application/js\xc3\xb6n", b"application/json\xa0", b"\xa0application/json", b"application/json\xc2\xa0", b"application/json\x85;", b"\x85application/json", b"application/JSON\xe9", b"application/json\xe2\x80\x83", b"(comment) application/json", b"application/(c)json", b"",
]


def content_type(rng):
    kind = rng.choice(CONTENT_TYPES)
    if rng.random() < 0.7: return kind
    kind, at = bytearray(rng.choice([kind, b"application/json", b"application/x+json; charset=utf-8"])), 0
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(kind) + 1)
        kind[at:at + rng.randrange(2)] = rng.choice([b"", b" ", b"\t", b";", b"/", b"+", b",", b"=", b'"', b"\\", b"(", b")", b"a", b"J", b"\xe9", b"\xa0", b"\xc4\xb0", b"*", b"'", b"%20"])
    return bytes(kind).strip(b" \t")


def headers(rng):
    """A content type and, at times, what else clients send."""
    if rng.random() < 0.75: kind = [(b"Content-Type", b"application/json")]
    elif rng.random() < 0.1: kind = []
    else: kind = [(rng.choice([b"Content-Type", b"content-type", b"CONTENT-TYPE", b"cOnTeNt-tYpE"]), content_type(rng))]
    if rng.random() < 0.05: kind.append((b"Content-Type", content_type(rng)))
    if rng.random() < 0.05: kind.append((b"Expect", b"100-continue"))
    if rng.random() < 0.05: kind.append(rng.choice([
        (b"Accept", b"text/html"), (b"Accept-Encoding", b"gzip, br"), (b"Content-Encoding", b"gzip"), (b"X-HTTP-Method-Override", b"GET"), (b"Origin", b"https://a.example"),
        (b"Accept-Language", b"zh-TW"), (b"Authorization", b"Basic eDp5"), (b"Cookie", b"a=b; c=\"d\""), (b"If-None-Match", b"*"), (b"Range", b"bytes=0-9"), (b"Content-Language", b"en"),
        (b"X-Forwarded-Proto", b"https"), (b"X-Forwarded-For", b"1.2.3.4"), (b"Forwarded", b"for=1.2.3.4"), (b"Content_Type", b"text/plain"), (b"Proxy", b"http://x")]))
    return tuple(kind)


def body(rng, name):
    roll = rng.random()
    if roll < 0.02: return "empty", b""
    if roll < 0.05: return "nested", nested(rng).encode()
    if roll < 0.1: return "value", encoded(rng, rng.choice(SPACE) + value(rng) + rng.choice(SPACE))
    text = document(rng, name)
    if roll < 0.55: return "document", encoded(rng, text) if rng.random() < 0.3 else text.encode("utf-8", "surrogatepass")
    # Damage is seen best where the list is short.
    text = document(rng, "texts") if rng.random() < 0.7 else text
    return "syntax", encoded(rng, mutated(rng, text))


def generate(rng, count):
    """`count` requests to the JSON routes; the generator's state decides all of them."""
    cases = []
    for _ in range(count):
        path, name = rng.choice(ROUTES)
        kind, data = body(rng, name)
        framing = rng.choice(["length"] * 17 + ["chunked", "old", "old without host"])
        query = rng.choice([b"", b"", b"", b"", b"", b"", b"?", b"?a=b", b"?texts=x"])
        cases.append(Request(kind, b"POST", path + query, headers(rng), data, framing))
    return cases


if __name__ == "__main__":
    for case in generate(random.Random(1), 20): print(case.kind, case.target, case.headers, case.body[:120])
