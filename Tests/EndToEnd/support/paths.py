"""Spellings of the routes' paths, and which route the service answers for each."""
import http.client
import json
import random
from urllib.parse import urlsplit

ROUTES = ["/", "/health", "/denoise/text", "/denoise/embedding", "/upload/", "/openapi.json", "/docs",
          "/docs/oauth2-redirect", "/redoc", "/similarity", "/info", "/v1/embeddings", "/v1/models"]
# Neighbours of routes, whose redirects count too.
NEAR = ["/upload", "/denoise", "/denoise/", "/denoise/text/", "/health/", "/docs/", "/docs-assets/", "/docs-assets"]
PREFIXES = ["", "/", "/.", "/x/..", "/%2F", "/%2E", "/%2e%2e", "/%0A", "/;x/..", "/..;", "%2F", "/%20", "/%00", "/upload/..",
            "/docs-assets/..", "/docs-assets/%2E%2E", "//upload/..", "/api/v1"]
SUFFIXES = ["", "/", "//", "%0A", "%0a%0a", "/%0A", "%0A/", "%0D", "%0D%0A", "%2F", "%2f%0A", "%0A%2F", ";x", ";", "/;x", "%3B",
            "%3F", "%3Fx", "/%3Fx", "?x", "?/upload/", "??", "%23", "%23x", "%00", "%00x", ".", "/.", "/..", "/x/..", "/./", "%2E",
            "/%2E", "/x/%2e%2e", "/x/%2E%2E/", "%5C", "%20", "%09", "%0B", "%C2%85", "%E2%80%A8", "%FF", "%25", "%2500", "%250A",
            "*", ":", "&a", "=", ".json", "~", "%7F", "%C0%AF"]


def inner(path):
    """The path, and others that some reader may take for it."""
    yield path
    yield from (path.replace("/", slash) for slash in ("//", "/./", "%2F", "%2f", "%5C", "/x/../", "/%2E/"))
    yield from (path.upper(), path.title(), path.swapcase())
    yield "".join(f"%{byte:02X}" if byte != 0x2F else "/" for byte in path.encode())
    yield "".join(f"%{byte:02x}" for byte in path.encode())
    yield "".join(f"%25{byte:02X}" if byte != 0x2F else "/" for byte in path.encode())


def spellings(seed=16, more=1200):
    """Every change alone, and some of all of them together."""
    found = {}
    for path in ROUTES + NEAR:
        found.update(dict.fromkeys(prefix + path for prefix in PREFIXES))
        found.update(dict.fromkeys(inner(path)))
        found.update(dict.fromkeys(path + suffix for suffix in SUFFIXES))
    rng = random.Random(seed)
    for _ in range(more):
        path = rng.choice(ROUTES + NEAR)
        found[rng.choice(PREFIXES) + rng.choice(list(inner(path))) + rng.choice(SUFFIXES)] = None
    return list(found)


class Asker:
    """Requests on one connection, for as long as the server keeps it."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __call__(self, method, target, body=b""):
        for attempt in (1, 2):
            try:
                self.connection.putrequest(method, target, skip_accept_encoding=True)
                self.connection.putheader("content-type", "application/json")
                self.connection.putheader("content-length", str(len(body)))
                self.connection.endheaders(body)
                response = self.connection.getresponse()
                return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                if attempt == 2:
                    raise


def route(ask, target):
    """The route that the service says it answers for `target`, or "to PATH" for a redirect, and the answer's headers."""
    status, headers, body = ask("POST", target, b"{}")
    if status == 307:
        return "to " + urlsplit(headers["location"]).path, headers
    if status == 422:
        name = json.loads(body)["detail"][0]["loc"][-1]
        return {"texts": "/denoise/text", "embeddings": "/denoise/embedding", "file": "/upload/",
                "source": "/similarity"}[name], headers
    if status == 400 and b"model parameter" in body:
        return "/v1/embeddings", headers
    if status == 405 and "allow" in headers:
        status, headers, body = ask("GET", target)
        if status == 404 and b"model_not_found" in body:
            return "/v1/models/{model}", headers
        assert status == 200
        for sign, name in [(b"openapi\":", "/openapi.json"), (b"model_loaded", "/health"), (b"\"message\"", "/"),
                           (b"oauth2", "/docs"), (b"redoc", "/redoc"), (b"tokens_per_second", "/info"),
                           (b"owned_by", "/v1/models")]:
            if sign in body:
                return name, headers
        raise AssertionError(f"{target}: {body[:200]}")
    return None, headers
