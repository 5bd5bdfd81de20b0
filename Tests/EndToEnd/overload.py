#!/usr/bin/env python3
"""What clients that ask for too much cost the others, in figures.

    Tests/EndToEnd/overload.py [--seconds 60] [--deadline 30] [--threads 16] [--scale 1]

(a) Eighty connections send one /denoise/text of 100 texts of 254 words each, and hang up at once. (b) Sixteen clients
send 400 such texts each, again and again, and wait for the answers; those who are refused wait for as long as
Retry-After says (b1), or ask again at once (b2). Meanwhile another client asks /health and for one word, through nginx.
--scale 0.2 has a fifth of the texts in each request, for a machine that others use, too.
"""
import argparse
import http.client
import json
import re
import socket
import threading
import time

from support import service
from support.fastcgi_peer import Peer, request
from test_service import MODEL

TEXT = "a " * 254
HEAVY = json.dumps({"texts": [TEXT] * 100}).encode()


def texts_of(body):
    return body.count(b",") + 1


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


class Watch(threading.Thread):
    """Asks a path without a pause to speak of, until told to stop."""

    def __init__(self, port, path, body=None):
        super().__init__()
        self.port, self.path, self.body = port, path, body
        self.answers, self.over = [], threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            self.answers.append(ask(self.port, self.path, self.body)[:2])

    def line(self):
        times = sorted(seconds for _, seconds in self.answers)
        served = sorted(seconds for status, seconds in self.answers if status == 200)
        refused = sorted(seconds for status, seconds in self.answers if status != 200)
        text = f"{len(times)} asked, {len(served)} answered 200"
        for name, values in (("200", served), ("other", refused)):
            if values:
                text += (f"; {name}: median {values[len(values) // 2] * 1e3:.0f}, "
                         f"99 % {values[int(len(values) * 0.99)] * 1e3:.0f}, slowest {values[-1] * 1e3:.0f} ms")
        return text


def watching(port, work):
    """What `work` returns, and what others saw meanwhile."""
    watches = [Watch(port, "/health"), Watch(port, "/denoise/text", WORD)]
    for watch in watches:
        watch.start()
    time.sleep(0.5)
    try:
        result = work()
    finally:
        for watch in watches:
            watch.over.set()
        for watch in watches:
            watch.join()
    print(f"    /health:  {watches[0].line()}")
    print(f"    one word: {watches[1].line()}", flush=True)
    return result, watches


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


def machine_rate(port, body, seconds=8):
    """Tokens a second of one undisturbed client with large requests."""
    start, tokens = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        status, _, _ = ask(port, "/denoise/text", body)
        assert status == 200, status
        tokens += texts_of(body) * TOKENS
    return tokens / (time.monotonic() - start)


def flood(port, seconds, minds_retry, body, clients=16):
    """Tokens a second of what was answered, and the answers."""
    over, lock, answers = time.monotonic() + seconds, threading.Lock(), []

    def work():
        while time.monotonic() < over:
            status, taken, retry = ask(port, "/denoise/text", body)
            with lock:
                answers.append((time.monotonic(), status, taken))
            if status != 200 and minds_retry:
                time.sleep(min(retry, max(over - time.monotonic(), 0)))

    start = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end = max(when for when, _, _ in answers)
    served = [taken for _, status, taken in answers if status == 200]
    refused = sorted(taken for _, status, taken in answers if status != 200)
    print(f"    {len(served)} answered, {len(refused)} refused"
          + (f" (median {refused[len(refused) // 2]:.2f}, slowest {refused[-1]:.2f} s)" if refused else ""))
    return len(served) * texts_of(body) * TOKENS / (end - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--deadline", type=int, default=30)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--scale", type=float, default=1)
    given = parser.parse_args()
    heavy, large = (json.dumps({"texts": [TEXT] * int(count * given.scale)}).encode() for count in (100, 400))
    options = ["--request-deadline", str(given.deadline), "--request-threads", str(given.threads)]
    print(f"{service.BINARY}, --request-deadline {given.deadline}, --request-threads {given.threads}, "
          f"--scale {given.scale}")
    with service.running(*options, model=MODEL) as running:
        port = running.port
        rate = machine_rate(port, heavy)
        print(f"one undisturbed client: {rate:.0f} tokens/s")
        print("(a) 80 connections that hang up at once")

        def attack():
            hang_up(port, body=heavy)
            start = time.monotonic()
            while time.monotonic() - start < 60:
                time.sleep(0.25)
                if ask(port, "/denoise/text", heavy)[0] == 200:
                    break
            print(f"    a request of as many texts was answered {time.monotonic() - start:.1f} s later")
            time.sleep(max(0, 10 - (time.monotonic() - start)))
        watching(port, attack)
        with Peer(running.socket) as peer:
            print("    " + ", ".join(f"{name[:-15]} {value:.0f}" for name, value in figures(peer).items()
                                     if name.endswith("_requests_total")))
        for name, minds in (("(b1) 16 clients that mind Retry-After", True),
                            ("(b2) 16 clients that do not", False)):
            print(name)
            before = machine_rate(port, heavy)
            goodput, _ = watching(port, lambda: flood(port, given.seconds, minds, large))
            after = machine_rate(port, heavy)
            print(f"    goodput {goodput:.0f} tokens/s, {2 * goodput / (before + after):.2f} of one client's "
                  f"({before:.0f} before, {after:.0f} after)")


if __name__ == "__main__":
    main()
