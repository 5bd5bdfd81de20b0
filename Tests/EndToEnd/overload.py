#!/usr/bin/env python3
"""What clients that ask for too much cost the others, in figures.

    Tests/EndToEnd/overload.py [--seconds 60] [--deadline 30] [--threads 16] [--scale 1]

(a) Eighty connections send one /denoise/text of 100 texts of 254 words each, and hang up at once. (b) Sixteen clients
send 400 such texts each, again and again, and wait for the answers; those who are refused wait for as long as
Retry-After says (b1), or ask again at once (b2). Meanwhile another client asks /health and for one word, through nginx.
--scale 0.2 has a fifth of the texts in each request, for a machine that others use, too.
"""
import argparse
import json
import threading
import time

from support import service
from support.fastcgi_peer import Peer
from support.load import TEXT, TOKENS, WORD, ask, figures, hang_up
from support.service import MODEL

def texts_of(body):
    return body.count(b",") + 1


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
