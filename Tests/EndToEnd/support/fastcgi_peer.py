"""A web server's side of FastCGI, by hand: it sends whatever is asked and shows all that comes back."""
import fcntl
import socket
import struct
import termios
import time

BEGIN, ABORT, END, PARAMETERS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, VALUES, UNKNOWN = range(1, 12)


def record(kind, content=b"", request=1, padding=0, version=1):
    return (struct.pack("!BBHHBx", version, kind, request, len(content), padding)
            + content + b"\xaa" * padding)


def begin(request=1, role=1, keep=0):
    return record(BEGIN, struct.pack("!HB5x", role, keep), request)


def pairs(values):
    out = b""
    for name, value in values.items():
        name, value = name.encode(), value if isinstance(value, bytes) else str(value).encode()
        for text in (name, value):
            out += bytes([len(text)]) if len(text) < 128 else struct.pack("!I", len(text) | 1 << 31)
        out += name + value
    return out


def variables(path, method="POST", length=0, content_type="application/json", **more):
    return {"REQUEST_METHOD": method, "DOCUMENT_URI": path, "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": length, **more}


def stream(kind, content, request=1, portion=60000, padding=0):
    out = b"".join(record(kind, content[at:at + portion], request, padding)
                   for at in range(0, len(content), portion))
    return out + record(kind, b"", request, padding)


def request(path, body=b"", method="POST", request=1, keep=0, length=None, portion=60000, padding=0,
            content_type="application/json", **more):
    """One whole request; `length` is declared instead of the body's own."""
    head = pairs(variables(path, method, len(body) if length is None else length, content_type, **more))
    return (begin(request, keep=keep) + stream(PARAMETERS, head, request, padding=padding)
            + stream(STDIN, body, request, portion, padding))


class Reply:
    """What came back for one request."""

    def __init__(self, data, protocol_status):
        self.protocol_status = protocol_status
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = [line.partition(b": ") for line in head.split(b"\r\n")]
        self.headers = {name.decode().lower(): value.decode() for name, _, value in lines}
        # Without the line, CGI means 200; without anything, nothing was answered.
        status = self.headers.get("status", "200" if data else "0")
        self.status = int(status.split()[0])


class Peer:
    """A connection to the service's socket."""

    def __init__(self, path, seconds=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(path)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends, and says whether the service still took it."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def send_apart(self, *parts):
        """Sends the parts so that no read of the service's can join two of them."""
        for part in parts:
            if not self.send(part):
                return False
            end = time.monotonic() + 10
            while self.unread() and time.monotonic() < end:
                time.sleep(0.0002)
        return True

    def unread(self):
        """Bytes that the service has not taken out of its side of the socket yet."""
        return struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0\0\0\0"))[0]

    def records(self):
        """Records as they come, up to the end of the connection."""
        while True:
            while len(self.rest) >= 8:
                version, kind, number, length, padding = struct.unpack("!BBHHBx", self.rest[:8])
                assert version == 1, f"version {version} in a record of the service's"
                if len(self.rest) < 8 + length + padding:
                    break
                content = self.rest[8:8 + length]
                self.rest = self.rest[8 + length + padding:]
                yield kind, number, content
            try:
                chunk = self.socket.recv(1 << 18)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                assert not self.rest, "the connection ended inside a record"
                return
            self.rest += chunk

    def reply(self, number=1):
        """The reply to one request; None where the connection ended before its end. No other may come."""
        data = b""
        for kind, of, content in self.records():
            assert of == number, f"a record of type {kind} for request {of}, not {number}"
            if kind == STDOUT:
                data += content
            elif kind == END:
                return Reply(data, content[4])
        return None

    def rest_of_connection(self):
        """Everything that still comes after our side is closed for writing."""
        self.finish()
        return list(self.records())

    def finish(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
