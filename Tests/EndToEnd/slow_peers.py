#!/usr/bin/env python3
"""What slow, silent and idle peers cost another client, in figures.

    Tests/EndToEnd/slow_peers.py

Another client asks /health and /denoise/embedding, through nginx and on the socket, first alone and then beside 50
silent peers on the socket, 40 idle keep-alive connections there (the service has 16 threads), and 200 slow clients of
nginx: a hundred that send a byte of their body now and then, a hundred that do not read a large answer.
"""
import contextlib
import http.client
import json
import socket
import threading
import time

from support import service
from support.fastcgi_peer import Peer, request
from support.service import MODEL

ROW = json.dumps({"embeddings": [[0.0123456789] * 384]}).encode()
ROWS = json.dumps({"embeddings": [[0.0123456789] * 384] * 300}).encode()


def times(ask, count=300):
    taken = []
    for _ in range(count):
        start = time.monotonic()
        ask()
        taken.append(time.monotonic() - start)
        time.sleep(0.005)
    return sorted(taken)


def through_nginx(running, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)

    def ask():
        connection.request("POST" if body else "GET", path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200
    return ask


def on_socket(running, path, body=b""):
    def ask():
        with Peer(running.socket) as peer:
            peer.send(request(path, body, method="POST" if body else "GET"))
            assert peer.reply().status == 200
    return ask


def show(running, what):
    for name, ask in [
            ("nginx  /health", through_nginx(running, "/health")),
            ("nginx  /denoise/embedding", through_nginx(running, "/denoise/embedding", ROW)),
            ("socket /health", on_socket(running, "/health")),
            ("socket /denoise/embedding", on_socket(running, "/denoise/embedding", ROW))]:
        taken = times(ask)
        print(f"{what:8} {name:26} median {taken[150] * 1e3:6.2f} ms, 99 % {taken[297] * 1e3:6.2f} ms, "
              f"slowest {taken[-1] * 1e3:6.2f} ms")


def http_client(running, head, body):
    client = socket.create_connection(("127.0.0.1", running.port), 30)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"POST /denoise/embedding HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % head + body)
    return client


with (service.running(model=MODEL, prepare=service.lift_limits) as running,
      contextlib.ExitStack() as held):
    show(running, "alone")
    for _ in range(50):
        held.enter_context(Peer(running.socket))
    idle = [held.enter_context(Peer(running.socket)) for _ in range(40)]
    for peer in idle:
        peer.send(request("/health", method="GET", keep=1))
        assert peer.reply().status == 200
    senders = [held.enter_context(http_client(running, len(ROW), b"{")) for _ in range(100)]
    for _ in range(100):
        held.enter_context(http_client(running, len(ROWS), ROWS))
    is_over = threading.Event()

    def trickle():
        while not is_over.wait(0.5):
            for client in senders:
                client.sendall(b" ")
    thread = threading.Thread(target=trickle)
    thread.start()
    # Until the large answers are computed and nobody reads them.
    time.sleep(5)
    show(running, "beside")
    for peer in idle:
        peer.send(request("/health", method="GET", keep=1))
        assert peer.reply().status == 200
    print("all 40 idle connections were answered again")
    is_over.set()
    thread.join()
