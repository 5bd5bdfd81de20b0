"""What a request that crashes the service looks like from outside."""
import contextlib
import os
import pathlib
import signal
import threading

# A stand-in for the service, which a request with the word "fatal" ends.
RESPONDER = pathlib.Path(__file__).with_name("fatal_responder.py")


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
