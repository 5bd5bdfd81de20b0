"""Requests byte by byte, and what a server answers to them."""
import dataclasses
import http.client
import socket
import urllib.parse
from typing import NamedTuple

HOST = b"denoiser.example:8080"


class Request(NamedTuple):
    """One request: everything about it but the server.

    `framing` says how the body is announced: "length", "chunked", "none", or, in HTTP/1.0, "old" and "old without host".
    """
    kind: str
    method: bytes
    target: bytes
    headers: tuple = ()
    body: bytes = b""
    framing: str = "length"

    @property
    def path(self):
        """The path FastAPI's router sees: decoded; a last line feed counts for nothing in Python's patterns."""
        return urllib.parse.unquote_to_bytes(self.target.partition(b"?")[0]).removesuffix(b"\n")

    def value(self, name):
        """The first header of that name, None without one."""
        return next((v for n, v in self.headers if n.lower() == name), None)

    def prefixed(self, prefix):
        return self._replace(target=prefix + self.target)

    def head(self):
        old = self.framing.startswith("old")
        lines = [self.method + b" " + self.target + (b" HTTP/1.0" if old else b" HTTP/1.1")]
        if self.value(b"host") is None and self.framing != "old without host":
            lines.append(b"Host: " + HOST)
        lines += [name + b": " + value for name, value in self.headers]
        if self.framing == "chunked":
            lines.append(b"Transfer-Encoding: chunked")
        elif self.framing != "none":
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def pieces(self):
        """The body as it goes over the wire."""
        if self.framing != "chunked":
            return self.body
        size = max(1, len(self.body) // 3)
        parts = [self.body[i:i + size] for i in range(0, len(self.body), size)]
        extension = b";a=b" if len(self.body) % 2 else b""
        return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n\r\n"


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes


def ask(port, request, seconds=120):
    """The answer of the server on `port`, over a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sendall(request.head() + request.pieces())
        except (BrokenPipeError, ConnectionResetError):
            pass  # A server may answer before it has read everything.
        response = http.client.HTTPResponse(connection, method=request.method.decode("latin-1"))
        response.begin()
        headers = {}
        for name, value in response.getheaders():
            # A server names its own address where the request names no host.
            value = value.replace(f"//127.0.0.1:{port}/", "//SERVER/")
            headers.setdefault(name.lower(), []).append(value)
        return Answer(response.status, headers, response.read())
