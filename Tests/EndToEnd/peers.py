"""FastCGI peers: whole requests as bytes, sent and answered without a web server."""
import socket
import struct


def record(kind, content, request=1):
    return struct.pack("!BBHHBx", 1, kind, request, len(content), 0) + content


def parameters(values):
    out = b""
    for name, value in values.items():
        name, value = name.encode(), str(value).encode()
        for text in (name, value):
            out += bytes([len(text)]) if len(text) < 128 else struct.pack("!I", len(text) | 1 << 31)
        out += name + value
    return out


def request(path, body=b"", method=None, kind="application/json", keep=False, **more):
    """The records of a request; `more` are CGI variables."""
    head = parameters({
        "REQUEST_METHOD": method or ("POST" if body else "GET"), "DOCUMENT_URI": path,
        "CONTENT_TYPE": kind, "CONTENT_LENGTH": len(body), **more})
    out = [record(1, struct.pack("!HB5x", 1, keep)), record(4, head), record(4, b"")]
    out += [record(5, body[start:start + 65535]) for start in range(0, len(body), 65535)]
    return b"".join(out) + record(5, b"")


class Peer:
    """One connection."""

    def __init__(self, path, seconds=120):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(str(path))
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, records):
        """Sends; that the service answers and closes before it has read all is no failure."""
        try:
            self.socket.sendall(records)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self):
        """Status, headers and body of the next answer; None where the connection ends without."""
        out = []
        while True:
            header = self._take(8)
            if header is None:
                return None
            kind, length, padding = header[1], *struct.unpack("!HB", header[4:7])
            content = self._take(length + padding)
            if content is None:
                return None
            if kind == 6:
                out.append(content[:length])
            if kind == 3:
                break
        head, _, body = b"".join(out).partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        headers = {name.lower(): value for name, value in lines}
        return int(headers.pop("status").split()[0]), headers, body

    def ask(self, *arguments, **options):
        self.send(request(*arguments, **options))
        return self.answer()

    def _take(self, count):
        parts, have = [self.unread], len(self.unread)
        while have < count:
            try:
                more = self.socket.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            parts.append(more)
            have += len(more)
        data = b"".join(parts)
        self.unread = data[count:]
        return data[:count]
