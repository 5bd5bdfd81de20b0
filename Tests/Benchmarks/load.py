"""HTTP clients light enough not to be what is measured."""
import json
import re
import socket
import subprocess
import tempfile
import time


class Client:
    """One kept connection; requests are prepared beforehand, answers read and not decoded."""

    def __init__(self, port):
        self.port = port
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=300)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def post(self, request):
        """Seconds until the answer's last byte, and the answer's length; other than 200 is an error.

        A server may have closed the kept connection meanwhile (nginx does after 1,000 requests): then once more.
        """
        try:
            return self.exchange(request)
        except ConnectionError:
            self.close()
            self.connect()
            return self.exchange(request)

    def exchange(self, request):
        start = time.perf_counter()
        self.socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = self.socket.recv(1 << 20)
            if not chunk:
                raise ConnectionError(f"connection closed after {received!r}")
            received += chunk
        head, rest = received.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"answered {head!r} {rest[:300]!r}")
        declared = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        length = len(rest)
        if declared:
            while length < int(declared[1]):
                chunk = self.socket.recv(1 << 20)
                if not chunk:
                    raise RuntimeError(f"answer cut short after {length} bytes")
                length += len(chunk)
        else:
            tail = rest
            while not tail.endswith(b"0\r\n\r\n"):
                chunk = self.socket.recv(1 << 20)
                if not chunk:
                    raise RuntimeError(f"answer cut short after {length} bytes")
                length += len(chunk)
                tail = (tail + chunk)[-5:]
        return time.perf_counter() - start, length


def request(path, value):
    body = json.dumps(value).encode()
    head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


SCRIPT = """
local bodies = {%s}
local next = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  next = next %% #bodies + 1
  return wrk.format(nil, nil, nil, bodies[next])
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.stderr:write(string.format(
    '{"requests":%%d,"seconds":%%f,"p50":%%f,"p99":%%f,"errors":%%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def crowd(port, path, values, clients, seconds):
    """`clients` at once, each sending the next of `values` when it has its answer (wrk)."""
    bodies = ", ".join("[==[" + json.dumps(value) + "]==]" for value in values)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % bodies)
        script.flush()
        result = subprocess.run(
            ["wrk", "--threads", "1", "--connections", str(clients), "--duration", f"{seconds}s",
             "--timeout", "60s", "--script", script.name, f"http://127.0.0.1:{port}{path}"],
            check=True, capture_output=True, text=True)
    return json.loads(result.stderr)
