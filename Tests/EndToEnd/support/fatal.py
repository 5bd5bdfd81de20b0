"""What a request that crashes the service looks like from outside."""
import contextlib
import os
import pathlib
import signal
import threading
import time

import pytest
from support.kernel_filter import CALLS, ending_at_waits

# A stand-in for the service, which a request with the word "fatal" ends.
RESPONDER = pathlib.Path(__file__).with_name("fatal_responder.py")

# Before a starter: the kernel ends a process of the service that waits for the rest of a long body, at the first
# wait and with a signal. A body longer than a socket holds marks a request.
CRASHING = ending_at_waits(4900, 5000) if "poll" in CALLS else []
needs_crashes = pytest.mark.skipif(not CRASHING, reason="this processor has no system call to mark a request by")
MARKED = b'{"embeddings": [' + b" " * 8_000_000 + b"]}"
WORD = b'{"texts": ["a"]}'
JSON = {"content-type": "application/json"}


class Beside:
    """Which processes of those that `numbers` finds end meanwhile, and the statuses of small requests beside it."""

    def __init__(self, numbers, request):
        self.numbers, self.request = numbers, request
        self.seen, self.statuses, self.over = set(), [], threading.Event()
        self.threads = [threading.Thread(target=self.watch), threading.Thread(target=self.ask)]

    def watch(self):
        while not self.over.wait(0.005):
            self.seen |= self.numbers()

    def ask(self):
        while not self.over.wait(0.01):
            # A web server that finds no process may end the connection.
            with contextlib.suppress(OSError):
                self.statuses.append(self.request("POST", "/denoise/text", WORD, JSON)[0])

    @property
    def ended(self):
        return self.seen - self.numbers()

    def __enter__(self):
        self.seen |= self.numbers()
        for thread in self.threads:
            thread.start()
        # Connections are kept from here on, and one of them leads to each process.
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Watch:
    """Kills each process that `numbers` finds the moment it computes, as a request fatal to it would."""

    def __init__(self, numbers):
        self.numbers, self.begin = numbers, {}
        # Several times what a start takes on this machine, in hundredths of a second.
        self.enough = min(60, max([20] + [4 * self.ticks(number) for number in numbers()]))
        self.killed, self.over = set(), threading.Event()
        self.thread = threading.Thread(target=self.work)

    @staticmethod
    def ticks(number):
        fields = pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def work(self):
        while not self.over.wait(0.01):
            for number in self.numbers() - self.killed:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    now = self.ticks(number)
                    if now > self.begin.setdefault(number, now) + self.enough:
                        os.kill(number, signal.SIGKILL)
                        self.killed.add(number)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
