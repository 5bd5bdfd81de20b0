"""Heavy requests, clients that hang up, and the service's own figures."""
import http.client
import json
import re
import socket
import time

from support.fastcgi_peer import request

TEXT = "a " * 254
HEAVY = json.dumps({"texts": [TEXT] * 100}).encode()
WORD = json.dumps({"texts": ["hello"]}).encode()
TOKENS = 256


def ask(port, path, body=None, timeout=120):
    """The status, the seconds it took, and Retry-After."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("POST" if body else "GET", path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - start, float(answer.headers.get("retry-after", 0))
    except OSError:
        return 0, time.monotonic() - start, 0.0
    finally:
        connection.close()


def hang_up(port, count=80, body=HEAVY):
    head = (b"POST /denoise/text HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body))
    clients = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(count)]
    for client in clients:
        client.sendall(head + body)
    for client in clients:
        client.close()


def figures(peer):
    """The service's figures with their labels, asked for on its socket."""
    peer.send(request("/metrics", method="GET", DENOISER_INTERNAL=1))
    text = peer.reply().body.decode()
    return {name: float(value) for name, value in re.findall(r"^denoiser_(\w+(?:{.*})?) (\S+)$", text, re.M)}
