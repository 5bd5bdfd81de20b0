"""Generated uploads: forms well made, oddly made and broken, for a differential run.

`generate(random.Random(seed))` gives a list of (method, target, headers, body): headers as (name, value)
pairs of bytes, body as bytes. Every request goes to /upload/; nothing depends on how a body is cut in pieces.
"""
TEXTS = [
    b"The quick brown fox jumps.\nA second sentence follows here.\n", b"one", b"", b" ", b"\r\n", b"\n\n \t",
    b"a\r\nb\r\n\r\nc", b"line\rreturn", b"\xef\xbb\xbfmarked text", b"\xef\xbb\xbf", b"nul\x00 inside",
    "中文 句子\u3000詞\u00a0x\u2028y\u200bz\x1cw\x85v\u0085u".encode(), "é à\u1680o\u205fp\u202fq".encode(),
    b"--", b"\r\n--", b"x\r\n-", b"word " * 40, b"\r\n" * 30 + b"z", b"a\x0bb\x0cc\x1dd\x1ee\x1ff", b"\x85\xa0", b"\xc3",
    b"ok \xff\xfe bad", b"cut \xe4\xbd", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xf0\x9f\x98\x80 \xf0\x9f",
    b'--Y\r\nContent-Disposition: attachment; filename="b.txt"\r\n\r\nnested\r\n--Y--\r\n', b"caf=C3=A9 soft=\r\nline", b"YSBiIGM=",
]
NAMES = [b"file", b"file", b"file", b"file", b"note", b"x", b"", b"File", b"file ", b" file", "名".encode(), b"fi\\le", b"f\xefle"]
FILE_NAMES = [
    b"a.txt", b"", "文件.txt".encode(), b"caf\xe9.txt", b"caf\xc3\xa9.txt", b"../../etc/passwd", b"C:\\dir\\a.txt", b"C:\\\\x\\\\b.txt",
    b"\\\\host\\share\\c.txt", b'a\\"b.txt', b"a;b.txt", b"a\\\\;b", b'a\\\\\\"b', b"a%22b", b"a'b", b"a b ", b"a\tb", b"\\",
    b"x:\\", b":\\a", b"\xe4\xb8", b"a=b", b"a,b", b"\x7f\x01",
]
BOUNDARIES = [b"X", b"X", b"----WebKitFormBoundaryAbC123", b"-" * 24 + b"0f1e2d", b"a'()+_,-./:=?z", b"-", b"--", b"", b"a b", b"0" * 70, b"\xe9", "界".encode(), b"X" * 256]
CHARSETS = [
    b"utf-8", b"UTF8", b"utf_8", b"latin-1", b"iso-8859-1", b"ISO8859-15", b"ascii", b"us-ascii", b"utf-8-sig", b"windows-1252",
    b"cp1251", b"koi8-r", b"gbk", b"gb18030", b"big5", b"shift_jis", b"euc-kr", b"utf-16", b"utf-16-le", b"nonsense", b"", b"base64",
    b'"utf-8"', b"rot13", b"hex", b"--utf--8--", b"utf 8", b"iso-8859-99", b"latin2", b"koi8-u", b"cp437", b"macroman", b"cp037",
    b"iso-2022-jp", b"hz", b"utf-7", b"utf-32", b"UTF-16BE", b"windows.1251", b"punycode", b"tis-620", b"cp864",
]
TOKENS = [b"\r\n", b"\n", b"\r", b"--", b"-", b":", b" ", b"\t", b";", b'"', b"\\", b"=", b"\x00", b"\xff", b"X", b"\r\n--X", b"\r\n--X--", b"\r\n\r\n"]


class Request:
    """One request in the making: how odd it may be, and its dice."""

    def __init__(self, rng):
        self.rng = rng
        self.oddity = rng.choice([0, 0.15, 0.15, 1])

    def odd(self, probability):
        return self.rng.random() < probability * self.oddity

    def usually(self, common, rare, probability=0.25):
        return self.rng.choice(rare) if self.odd(probability) else common

    def cased(self, text):
        return bytes(self.rng.choice((c, ord(chr(c).swapcase()))) if c < 128 else c for c in text) if self.odd(0.15) else text

    def parameter(self, key, value):
        quoted = value if self.odd(0.1) else b'"' + value + b'"'
        return self.cased(key) + self.usually(b"=", [b" =", b"= ", b" = ", b"*="]) + quoted

    def disposition(self):
        names = [b"file", self.rng.choice(NAMES)]
        parameters = [] if self.odd(0.03) else [self.parameter(b"name", self.rng.choice(names))]
        if self.rng.random() < 0.8: parameters.append(self.parameter(b"filename", self.rng.choice(FILE_NAMES)))
        if self.rng.random() < 0.05: parameters.append(self.rng.choice([b"filename*=UTF-8''%E6%96%87.txt", b"name*=utf-8''file", b"filename*0=a; filename*1=b"]))
        if self.odd(0.1): parameters.append(self.rng.choice([b"filename", b"name", b"", b'name*0="fi"', b"size=3", b"\xe9=1", b'"name"="file"']))
        if self.odd(0.1): parameters.append(self.parameter(b"name", self.rng.choice(names)))
        if self.rng.random() < 0.1: self.rng.shuffle(parameters)
        kind = self.usually(b"form-data", [b"attachment", b"", b"Form-Data", b"form-data=x", b'"form-data"'])
        return self.usually(b"; ", [b";", b" ; ", b";;", b"; ; "]).join([kind] + parameters)

    def part(self):
        headers = [(self.cased(b"Content-Disposition"), self.disposition())]
        if self.rng.random() < 0.5: headers.append((b"Content-Type", self.rng.choice([b"text/plain", b"text/plain; charset=latin-1", b"", b"multipart/mixed; boundary=Y", b"application/json"])))
        if self.rng.random() < 0.05: headers.append((b"Content-Transfer-Encoding", self.rng.choice([b"base64", b"quoted-printable", b"8bit"])))
        if self.rng.random() < 0.03: headers.append((b"Content-Disposition", self.disposition()))
        if self.rng.random() < 0.04: headers.append((b"X-Long", b"v" * (4224 - len(b"X-Long: ") + self.rng.randint(-3, 3))))
        if self.odd(0.04): headers.append((b"N" * self.rng.randint(4215, 4230), b"1"))
        if self.rng.random() < 0.04: headers += [(b"X-%d" % n, b"1") for n in range(self.rng.randint(5, 8))]
        if self.odd(0.06): headers.append((self.rng.choice([b"", b"a b", b"X_Y", b"X(", b"X\xe9", b"~!#$%&'*+.^`|"]), b"v"))
        if self.rng.random() < 0.1: self.rng.shuffle(headers)
        lines = b""
        for name, value in headers: lines += name + self.usually(b": ", [b":", b":   ", b":\t", b" : "], 0.2) + value + b"\r\n"
        return lines + b"\r\n" + self.rng.choice(TEXTS)

    def multipart(self):
        boundary = self.rng.choice(BOUNDARIES)
        if self.odd(0.05): boundary = b"b" * self.rng.randint(253, 259)
        body = self.usually(b"", [b"\r\n", b"\n", b"\r\n\r\n", b"\r\n junk", b"junk\r\n", b"\r", b" "], 0.2)
        count = self.rng.choice([0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 5])
        for index in range(count):
            body += (b"\r\n" if index else b"") + b"--" + boundary
            body += self.usually(b"\r\n", [b" \r\n", b"\t \r\n", b"\n", b"\r", b" x\r\n", b"-\r\n", b"x\r\n", b"\r\r\n", b"- -\r\n"]) + self.part()
        body += (b"\r\n" if count else b"") + b"--" + boundary
        body += self.usually(b"--\r\n", [b"--", b"", b"-", b"\r\n", b"--\n", b"--\r\nepilogue", b"--junk", b" --", b"- -", b"\r\n\r\n"])
        if self.odd(0.05): body = body.replace(b"\r\n", b"\n")
        return self.content_type(boundary), body

    def content_type(self, boundary):
        kind = self.usually(b"multipart/form-data", [b"Multipart/Form-Data", b" multipart/form-data ", b"multipart/mixed", b"multipart/form-data,"], 0.1)
        quoted = b'"' + boundary + b'"'
        value = quoted if self.rng.random() < 0.3 or set(boundary) & set(b" ;,\"") else boundary
        value = self.usually(value, [b'"' + boundary, boundary + b'"', b"'" + boundary + b"'", b"wrong", boundary + b" ", boundary + b"\\"], 0.1)
        parameters = [self.usually(b"boundary=", [b"BOUNDARY=", b"boundary =", b"boundary= ", b"boundary*=", b"boundary*0="], 0.2) + value]
        if self.odd(0.04): parameters = []
        if self.rng.random() < 0.25: parameters.append(self.rng.choice([b"charset=", b"Charset="]) + self.rng.choice(CHARSETS))
        if self.rng.random() < 0.05: parameters.append(self.rng.choice([b"boundary=Y", b'x="a;b"', b'y="a\\";b"', b"", b"z", b'q="', b'"']))
        if self.rng.random() < 0.3: self.rng.shuffle(parameters)
        return self.usually(b"; ", [b";", b" ;", b";;", b";\t"]).join([kind] + parameters).strip()


def mutated(rng, body):
    body = bytearray(body)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        at = rng.randrange(len(body) + 1)
        kind = rng.randrange(6)
        if kind == 0: del body[at:at + rng.choice([1, 1, 2, 5, 20])]
        elif kind == 1: body[at:at] = rng.choice(TOKENS)
        elif kind == 2 and at < len(body): body[at] = rng.choice(b"\r\n-: \tX\"\\;=aZ\x00\xff")
        elif kind == 3: body[at:at] = body[at:at + rng.randrange(1, 40)]
        elif kind == 4: del body[at:]
        else: body[at:at + 1] = rng.choice(TOKENS)
    return bytes(body)


def many(rng):
    """More parts, or more data in one, than is allowed, or just as much."""
    kind = rng.randrange(3)
    if kind == 2:
        field = rng.choice([b'name="x"', b'name="file"', b'name="file"; filename="a"'])
        size = 1024 * 1024 + rng.choice([-1, 0, 1])
        return b"--X\r\nContent-Disposition: form-data; " + field + b"\r\n\r\n" + b"a" * size + rng.choice([b"\r\n--X--\r\n", b"\r\n--", b""])
    form = [b'form-data; name="n"', b'form-data; name="file"; filename="a"'][kind]
    piece = b"--X\r\nContent-Disposition: " + form + b"\r\n\r\n1\r\n"
    return piece * rng.randint(999, 1002) + rng.choice([b"--X--\r\n", b""])


def urlencoded(rng):
    pieces = [
        b"file", b"a", b"=", b"&", b"+", b"%20", b"%C3%A9", b"%E4%B8", b"%ff", b"%f0%9f%98", b"%ed%a0%80", b"%zz", b"%", b"%4", b"\xe9", b"%c3\xa9",
        b"x y", b"%00", b"fil%65", b"\n", b";", b"file=", b"&file=", b"&&", b"%41", "中".encode(), b"%C3%28", b"%f4%90%80%80", b"%c0%80",
    ]
    roll = rng.random()
    if roll < 0.02: return b"&".join([b"a=1"] * rng.randint(998, 1002)) + rng.choice([b"", b"&", b"&file=x"])
    if roll < 0.03: return b"a=" + b"b" * (1024 * 1024 - 1 + rng.choice([-1, 0, 1]))
    return b"".join(rng.choice(pieces) for _ in range(rng.randrange(0, 9)))


def generate(rng, count=600):
    """`count` uploads; the generator's state decides all of them."""
    cases = []
    for _ in range(count):
        roll = rng.random()
        if roll < 0.01:
            kind, body = b"multipart/form-data; boundary=X", many(rng)
        elif roll < 0.12:
            kind, body = b"application/x-www-form-urlencoded" + rng.choice([b"", b"; charset=latin-1"]), urlencoded(rng)
        elif roll < 0.15:
            kind, body = rng.choice([None, b"", b"application/json", b"text/plain", b";", b"multipart/form-data", b"multipart"]), rng.choice(TEXTS)
        else:
            kind, body = Request(rng).multipart()
            if rng.random() < 0.3: body = mutated(rng, body)
            if rng.random() < 0.03: kind = mutated(rng, kind).translate(None, b"\x00\r\n\x7f\x01").strip()
        cases.append(("POST", "/upload/", [] if kind is None else [(b"content-type", kind)], body))
    return cases
