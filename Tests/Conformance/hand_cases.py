"""Requests written by hand: one for every rule of the contract, and one for every limit.

`SMALL` are recorded with FastAPI's answers (record.py); `LARGE` are asked of a live one only.
"""
import json

from exchange import Request

JSON = (b"Content-Type", b"application/json")
FORM = (b"Content-Type", b"multipart/form-data; boundary=X")
TEXT, EMBEDDING, UPLOAD = b"/denoise/text", b"/denoise/embedding", b"/upload/"
ROW = "[" + ",".join(["0.5"] * 384) + "]"


def body(path, data, *headers, framing="length"):
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return Request("by hand", b"POST", path, headers or (JSON,), data, framing)


def plain(method, target, *headers):
    return Request("by hand", method, target, headers, b"", "none")


def part(disposition, content=b"one two\nthree\n", extra=b""):
    return b"--X\r\nContent-Disposition: form-data; " + disposition + b"\r\n" + extra + b"\r\n" + content + b"\r\n"


PATHS = [b"/", b"/health", TEXT, EMBEDDING, UPLOAD, b"/openapi.json", b"/docs", b"/docs/oauth2-redirect", b"/redoc", b"/nowhere"]
ROUTING = [plain(method, path) for path in PATHS for method in (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"PATCH", b"DELETE")] + [
    plain(method, target) for method in (b"GET", b"POST") for target in [
        b"/health/", b"/health//", b"//health", b"/health/?a=b&c=%20", b"/health/?", b"/upload", b"/upload?x=1", b"/denoise/text/", b"/docs/", b"/redoc/?a", b"/openapi.json/",
        b"/%68ealth", b"/denoise%2Ftext", b"/health%2f", b"/health%20", b"/health%0a", b"/health%0a/", b"/upload/%0a", b"/HEALTH", b"/health;x", b"/%E6%96%87/", b"/%ff", b"/denoise", b"/a%5cb/", b"/health%3Fx"]]
SYNTAX = ["", " ", "{", "}", "[", "]", "nul", "null", "true", "1", '"a"', "{}", "[]", '{"texts":["a",]}', '{"texts":["a"}', '{"texts":["a"],}', "{'texts':[]}", '{texts:[]}', '{"texts" ["a"]}', '{"texts":["a"]}x',
          '{"texts":["a"]} {}', '{"文":1,}', '{"😀":}', '{"texts":["\n"]}', '{"texts":["\\x"]}', '{"texts":["\\u12"]}', '{"texts":["', '{"texts":[1e]}', '{"texts":[01]}', '{"texts":[-]}', '// {}', '\ufeff{"texts":["a"]}',
          '{"texts":["a"],"texts":["b","c"]}', '{"te\\u0078ts":["a"]}', '{"texts":["\\ud83d\\ude00"]}', '{"texts":["\\ud800"]}', "[" * 950 + "]" * 950, "[" * 100_000, '{"texts":' + "[" * 300 + "]" * 300 + "}"]
NOISE = ["0", "-0.0", "1e-400", "-1e-400", "-1", "-1e-300", "1e30", "true", "false", "null", "[]", "{}", "[0]", '""', '" 1 "', '"1_000"', '"1__0"', '" 1_0"', '"１"', '"+1"', '"-1"', '"1."', '".5"', '"0x1"', '"1e5"', '"nan"', '"inf"', '"-inf"',
         "NaN", "Infinity", "-Infinity", "1e999", "1" * 309, "9" * 400, "-" + "9" * 400, "1" * 4300, "1" * 4301, '"' + "1" * 400 + '"', '"\\u00a01\\u00a0"', '"\\u200b1"', '"\\ud800"', '"1\\u0000"']
TEXTS = ['{"texts":"a"}', '{"texts":null}', '{"texts":[]}', '{"texts":{}}', '{"texts":[""]}', '{"texts":["a",1,null,true,1.50,[],{"b":1e5}]}', '{"texts":[12345678901234567890123]}', '{"noise_level":"x","texts":[0]}', '{"noise_level":-1}',
         '{"texts":[NaN]}', '{"texts":["a"],"extra":1}', '{"Texts":["a"]}', '{"texts":[{"\\ud800":1}]}']
ROWS = ["[]", "[[]]", "[null]", '["a"]', "[" + ROW + "]", "[" + ROW + "," + ROW + "]", "[" + ROW + ",[1]]", "[[1,2,3]]", "[" + ROW.replace("0.5", '"0.5"') + "]", "[" + ROW.replace("0.5", "true", 1) + "]", "[" + ROW.replace("0.5", "null", 2) + "]",
        "[" + ROW.replace("0.5", "NaN", 1) + "]", "[" + ROW.replace("0.5", "1e39", 1) + "]", "[" + ROW.replace("0.5", '"x"', 1) + ',[],1]', "[" + ROW.replace("0.5", "1e38") + "]", "[" + ROW.replace("0.5", "1" * 309, 1) + "]"]
TYPES = [b"application/json; charset=utf-8", b"APPLICATION/JSON", b"application/problem+json", b"application/json;", b"application/json\xa0", b"text/plain", b"text/json", b"application/jsonp", b"application/json, text/html", b"garbage", b"", FORM[1]]
# Around the depth at which CPython gives up on a body, and the lesser one at which it gives up on an answer.
DEPTHS = [text.format(opening * depth + "1" + closing * depth) for depth in (900, *range(950, 965)) for opening, closing in ("[]", ('{"a":', "}"))
          for text in ("{}", '{{"x":{},"texts":["a"]}}')]
FORMS = [
    b"", b"--X--\r\n", part(b'name="file"; filename="a.txt"') + b"--X--\r\n", part(b'name="file"; filename="a.txt"') + b"--X--", part(b'name="file"; filename="a.txt"'), part(b'name="file"') + b"--X--\r\n",
    part(b'name="file"; filename=""', b"") + b"--X--\r\n", part(b'name="file"; filename=""') + b"--X--\r\n", part(b'name="other"; filename="a"') + b"--X--\r\n", part(b'filename="a"') + b"--X--\r\n", part(b"name=file; filename=a") + b"--X--\r\n",
    part(b'name="file"; filename="a"') + part(b'name="file"; filename="b"', b"last one") + b"--X--\r\n", part(b'name="file"; filename="a"') + part(b'name="file"', b"text") + b"--X--\r\n", part(b'name="file"', b"t") + part(b'name="file"; filename="a"') + b"--X--\r\n",
    part("name=\"file\"; filename=\"文.txt\"".encode()) + b"--X--\r\n", part(b'name="file"; filename="caf\xe9"') + b"--X--\r\n", part(b"name=\"file\"; filename*=UTF-8''%41.txt") + b"--X--\r\n", part(b'name="file"; filename="C:\\\\a\\\\b.txt"') + b"--X--\r\n",
    part(b'name="file"; filename="a"', extra=b"Content-Transfer-Encoding: base64\r\n") + b"--X--\r\n", part(b'name="file"; filename="a"', extra=b"Content-Type: multipart/mixed; boundary=Y\r\n") + b"--X--\r\n", b"junk\r\n" + part(b'name="file"; filename="a"') + b"--X--\r\n",
    part(b'name="file"; filename="a"') + b"--X--\r\nepilogue", part(b'name="file"; filename="a"').replace(b"\r\n", b"\n") + b"--X--\n", b"--X\r\nContent-Disposition form-data\r\n\r\nx\r\n--X--\r\n", b"--X\r\n\r\nx\r\n--X--\r\n",
    part(b'name="file"; filename="a"', "\ufeffmarked\u3000text\u200b".encode()) + b"--X--\r\n", part(b'name="file"; filename="a"', b"ok \xff") + b"--X--\r\n", part(b'name="file"; filename="a"', b" \n") + b"--X--\r\n",
]
SMALL = ROUTING + [body(path, text) for text in SYNTAX for path in (TEXT, EMBEDDING)] \
    + [body(TEXT, f'{{"texts":["a"],"noise_level":{noise}}}') for noise in NOISE] + [body(EMBEDDING, f'{{"noise_level":{noise},"embeddings":[{ROW}]}}') for noise in NOISE] \
    + [body(TEXT, text) for text in TEXTS + DEPTHS] + [body(EMBEDDING, f'{{"embeddings":{rows}}}') for rows in ROWS] \
    + [body(TEXT, '{"texts":["a"]}', (b"Content-Type", kind)) for kind in TYPES] + [body(UPLOAD, part(b'name="file"; filename="a"') + b"--X--\r\n", (b"Content-Type", kind)) for kind in TYPES] \
    + [body(TEXT, data) for data in (b"\xff", b'{"texts":["\xff"]}', '{"texts":["a"]}'.encode("utf-16"), '{"texts":["a"]}'.encode("utf-32-be"), b"\xef\xbb\xbf\xef\xbb\xbf{}", b'{"texts":["a"]}\x00')] \
    + [body(UPLOAD, form, FORM) for form in FORMS] + [body(UPLOAD, text, (b"Content-Type", b"application/x-www-form-urlencoded")) for text in ("", "file=a+b%20c", "a=1", "file=")] \
    + [body(UPLOAD, '{"file":"a"}'), body(UPLOAD, b"x", (b"Content-Type", b"multipart/form-data")), body(TEXT, '{"texts":["a"]}', JSON, (b"Expect", b"100-continue"))] \
    + [body(TEXT, '{"texts":["a"]}', JSON, framing=framing) for framing in ("chunked", "old", "old without host")] + [plain(b"GET", b"/health/", (b"Host", host)) for host in (b"a.example", b"a:1", b"a:", b"a@b", b"[::1]:9", b"a:99999")]

# At a limit of ours, and one above it.
FILE = part(b'name="file"; filename="a"') + b"--X--\r\n"
UPLOAD_BYTES = (64 << 20) + (64 << 10)
LARGE = [
    body(TEXT, json.dumps({"texts": ["a"] * 2048})), body(TEXT, json.dumps({"texts": ["a"] * 2049, "noise_level": -1})), body(TEXT, json.dumps({"texts": [0] * 2049})),
    *(body(EMBEDDING, '{"embeddings":[' + ",".join(["[]"] * count) + "]}") for count in (1000, 1001, 2048, 2049)),
    *(body(EMBEDDING, '{"embeddings":[[' + ",".join(["null"] * count) + "]]}") for count in (1000, 1001, 70_000)),
    *(body(TEXT, f'{{"texts":[["{"a" * first}"],["{"b" * second}"],1,[2]]}}') for first, second in ((200_000, 60_000), (200_000, 70_000), (262_140, 1), (262_141, 1))),
    *(body(TEXT, b'{"texts":["a"]}' + b" " * (length - 15)) for length in (16 << 20, (16 << 20) + 1, (17 << 20) + 1)),
    *(body(UPLOAD, FILE + b" " * (length - len(FILE)), FORM) for length in (UPLOAD_BYTES, UPLOAD_BYTES + 1, (65 << 20) + 1)),
]
