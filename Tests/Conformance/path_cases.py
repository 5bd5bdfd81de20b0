"""Generated requests about everything but the body: paths, methods, queries, hosts and framing."""
from exchange import Request

PATHS = [b"/", b"/health", b"/denoise/text", b"/denoise/embedding", b"/upload/", b"/openapi.json", b"/docs", b"/docs/oauth2-redirect", b"/redoc"]
OTHER = [b"/nope", b"/denoise", b"/denoise/", b"/Health", b"/healthz", b"/favicon.ico", b"/upload", b"/upload/x", b"/docs/x", b"/openapi", b"/metrics",
         b"/denoise/text/x", b"/\xe6\x96\x87", b"/docs-assets", b"/openapi.yaml", b"/index.html", b"/health.json"]
METHODS = [b"GET", b"GET", b"GET", b"POST", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"]
RARE_METHODS = [b"TRACE", b"PROPFIND", b"MKCOL", b"LOCK", b"PURGE", b"FOO", b"GETT", b"QUERY", b"LINK", b"VERSION-CONTROL", b"CONNECT", b"get", b"Post"]
QUERIES = [b"a=b", b"", b"x=1&y=%20", b"a=b?c=d", b"a=%E6%96%87", b"%", b"%zz", b"a+b", b"/health", b"//", b"a[]=1&a[]=2", b"q=<b>\"'`{}|^\\", b"&&=", b"a;b", b"next=http://x/?y",
           b"%00%0a", b"a='(*)!$,@:~_-.", b"%2F%3f%23", b"..//./"]
SUFFIXES = [b"/", b"/", b"/", b"//", b"///", b"%2f", b"%2F/", b"%0a", b"/%0a", b"%0a/", b"%20", b";a", b";a/", b"%3f", b"%3Fx", b"%23", b"%23a/", b"%25", b"%2525", b".", b",", b"%ff", b"%c3%28/",
            b"/%5c", b"%5C/", b"\\", b"%e6%96%87", b"%09", b"%7f", b"+", b"@", b":", b"*", b"'", b"\"/", b"<>", b"~", b"|", b"%"]
SCHEMES = [b"https", b"https", b"http", b"HTTPS", b"wss", b"ws", b"https, http", b"http,https", b"https:443", b"ftp", b"", b" https\t", b"\xa0https", b"javascript", b"//evil"]
PREFIXES = [b"/", b"//", b"%2f", b"/%2e", b"/%2F", b"/%2e%2e", b"/api/v1", b"/%20", b"/x/..", b"/.", b"/..", b"http://h.example", b"/%00"]
HOSTS = [b"example.org", b"example.org:80", b"example.org:443", b"EXAMPLE.org:8000", b"127.0.0.1:9", b"[::1]", b"[::1]:8080", b"localhost", b"a_b.example", b"xn--fiqs8s.example",
         b"example.org.", b"example.org:", b"example.org:0", b"1.2.3.4.5", b"ex%41mple.org", b"a.example:65535", b"a.example:65536", b"a.example:00080", b"a'b", b"a~b!$&()*+,;=", b"[v1.a:b]", b"", b"a b", b"a/b", b"a..b", b"a:b", b"[::1", b"a@b", b"-", b"a:80:80"]


def spelled(rng, path):
    """The same path with some characters percent-encoded."""
    out = b""
    for byte in path:
        if byte >= 0x80 or (byte != 0x2F and rng.random() < 0.2):
            out += (b"%%%02X" if rng.random() < 0.5 else b"%%%02x") % byte
        else:
            out += bytes([byte])
    return out


def target(rng):
    path = rng.choice(PATHS) if rng.random() < 0.75 else rng.choice(OTHER)
    encoded = spelled(rng, path) if rng.random() < 0.15 or not path.isascii() else path
    roll = rng.random()
    if roll < 0.2: encoded += b"/"
    elif roll < 0.3: encoded = encoded.rstrip(b"/") + rng.choice(SUFFIXES)
    elif roll < 0.34: encoded = rng.choice(PREFIXES) + encoded
    elif roll < 0.36: encoded = encoded.replace(b"/", rng.choice([b"//", b"%2f", b"/./", b"\\", b"%5c", b"/x/../"]))
    elif roll < 0.38: encoded = encoded.swapcase()
    elif roll < 0.39: encoded += b"x" * rng.choice([100, 1000, 4000])
    elif roll < 0.392: encoded += b"x" * 9000
    if rng.random() < 0.02: encoded += b"#x"
    if rng.random() < 0.35: encoded += b"?" + rng.choice(QUERIES)
    return encoded


def headers(rng):
    out = []
    if rng.random() < 0.15: out.append((rng.choice([b"Host", b"host", b"HOST"]), rng.choice(HOSTS)))
    for _ in range(rng.choice([0] * 16 + [1] * 6 + [2])): out.append((rng.choice([b"X-Forwarded-Proto", b"x-forwarded-proto"]), rng.choice(SCHEMES)))
    if rng.random() < 0.1: out.append((b"X-Forwarded-For", rng.choice([b"203.0.113.9", b"203.0.113.9, 127.0.0.1", b"[::1]:99", b"a, b", b"", b"127.0.0.1:80"])))
    if rng.random() < 0.03: out.append((b"Forwarded", b"proto=https;host=evil.example"))
    if rng.random() < 0.03: out.append((b"X-Forwarded-Port", b"444"))
    if rng.random() < 0.03: out.append((b"X-Forwarded-Ssl", b"on"))
    if rng.random() < 0.1: out.append((b"X-Forwarded-Host", b"evil.example"))
    if rng.random() < 0.1: out.append((b"Origin", b"https://a.example"))
    if rng.random() < 0.05: out += [(b"Access-Control-Request-Method", b"POST"), (b"Access-Control-Request-Headers", b"content-type")]
    if rng.random() < 0.05: out.append((b"X-HTTP-Method-Override", b"POST"))
    if rng.random() < 0.05: out.append((b"If-Modified-Since", b"Mon, 01 Jan 2024 00:00:00 GMT"))
    if rng.random() < 0.05: out.append((b"Range", b"bytes=0-3"))
    if rng.random() < 0.05: out.append((b"Accept", rng.choice([b"text/html", b"application/xml;q=0.9", b"*/*;q=0"])))
    if rng.random() < 0.03: out.append((b"Cookie", b"session=" + b"c" * 2000))
    return out


def generate(rng, count):
    """`count` requests to all kinds of paths; the generator's state decides all of them."""
    cases = []
    for _ in range(count):
        method = rng.choice(METHODS) if rng.random() < 0.94 else rng.choice(RARE_METHODS)
        sent, body = headers(rng), b""
        framing = rng.choice(["none"] * 14 + ["old", "old without host"])
        if method in (b"POST", b"PUT", b"PATCH") or rng.random() < 0.1:
            framing = rng.choice(["length", "length", "none", "chunked"])
        if framing != "none":
            body = rng.choice([b"", b"{}", b'{"texts":["a"]}', b"[]", b"x", b"--X--\r\n", b"file=a", b"\xff" * 50, b"a" * 40_000])
            kind = rng.choice([None, b"application/json", b"application/json", b"multipart/form-data; boundary=X", b"application/x-www-form-urlencoded", b"text/plain"])
            if kind is not None: sent.append((b"Content-Type", kind))
            if rng.random() < 0.1: sent.append((b"Expect", b"100-continue"))
        cases.append(Request("path", method, target(rng), tuple(sent), body, framing))
    return cases
