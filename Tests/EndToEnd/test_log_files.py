"""Logs that nobody reads, and logs and configurations that became pipes or devices."""
import contextlib
import fcntl
import os
import signal
import socket
import time

from support import service
from support.inside import figure
from support.service import MODEL, until
from support.work import ENDLESS, in_background, rows


@contextlib.contextmanager
def with_unread_log(*arguments):
    """A service whose standard error is a small pipe; `unread` is its other end."""
    unread, log = os.pipe()
    fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
    # The descriptor is given on by a shell, so that the rest is as ever.
    wrapper = ["sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{log}', "sh"]
    try:
        with service.running(*arguments, model=MODEL, wrapper=wrapper) as running:
            running.unread = unread
            yield running
    finally:
        os.close(unread)
        os.close(log)


def gossip(running, count):
    """Makes the service log so many lines."""
    for _ in range(count):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            for _ in range(500):
                # The queue of connections may be full for a moment.
                with contextlib.suppress(BlockingIOError):
                    peer.connect(running.socket)
                    break
                time.sleep(0.01)
            peer.sendall(b"no record at all" * 2)


def drained(descriptor, seconds=5):
    """What comes out of a pipe until nothing comes for a while."""
    os.set_blocking(descriptor, False)
    data, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            data += os.read(descriptor, 1 << 16)
        except BlockingIOError:
            time.sleep(0.01)
    return data.decode()


def test_a_log_that_nobody_reads_holds_up_neither_requests_nor_the_stop():
    with with_unread_log("--slow-log", "1") as running:
        gossip(running, 200)
        for _ in range(40):
            assert running.request("POST", "/denoise/text", b'{"texts":["a b c d e f g h i j k l"]}',
                                   {"content-type": "application/json"}, timeout=5)[0] == 200
        assert running.request("GET", "/health", timeout=5)[0] == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0


def test_a_second_signal_ends_at_once_though_nobody_reads_the_log():
    with with_unread_log("--stop-timeout", "100") as running:
        gossip(running, 200)
        answer = in_background(running.post, "/denoise/text", ENDLESS)
        time.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(3) == 1
        assert answer.result(20)[0] == 503


def test_lines_that_nobody_took_are_counted_and_told():
    with with_unread_log() as running:
        gossip(running, 6000)
        assert service.wait_until(lambda: figure(running, "denoiser_log_lines_dropped_total") > 100)
        text = drained(running.unread)
        dropped = int(figure(running, "denoiser_log_lines_dropped_total"))
        assert f"denoiser: {dropped} lines of the log were dropped" in text
        # The rest came whole.
        assert all(line.startswith("denoiser: ") for line in text.splitlines())


# Files that are no files.

def stops(running, seconds=4):
    running.process.send_signal(signal.SIGTERM)
    return running.process.wait(seconds) == 0


def test_a_log_that_became_a_pipe_is_refused_and_stopping_goes_on():
    with service.running("--log", "run/own.log", model=MODEL) as running:
        log = running.folder / "run/own.log"
        kept = log.rename(running.folder / "run/own.log.1")
        os.mkfifo(log)
        running.process.send_signal(signal.SIGUSR1)
        assert service.wait_until(lambda: "cannot open the log run/own.log: a pipe" in kept.read_text(), 5)
        assert stops(running)
        assert "stopped after" in kept.read_text()


def test_a_configuration_that_became_a_pipe_is_refused_and_stopping_goes_on():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=prepare) as running:
        (running.folder / "run/denoiser.ini").unlink()
        os.mkfifo(running.folder / "run/denoiser.ini")
        running.process.send_signal(signal.SIGHUP)
        running.process.send_signal(signal.SIGHUP)
        until(running, "not reloaded, all stays as it was: cannot read run/denoiser.ini: a pipe", 10)
        assert running.post("/denoise/embedding", rows(4))[0] == 422
        running.process.send_signal(signal.SIGHUP)
        assert stops(running)


def test_a_device_may_take_the_log():
    with service.running("--log", "/dev/null", model=MODEL) as running:
        running.process.send_signal(signal.SIGUSR1)
        assert running.get("/health")[0] == 200
        assert stops(running)
