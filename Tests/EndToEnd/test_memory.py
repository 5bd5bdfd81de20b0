#!/usr/bin/env python3
"""Worst-case bodies, many at a time, in 512 MB: private memory stays below the figure printed at start.

As a script, all kinds of 16 MiB bodies at 64 a time, each kind alone and all mixed:

    Tests/EndToEnd/test_memory.py
"""
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time

from support import service
from support.fastcgi_peer import Peer, request
from support.uploads import form

MIB = 1 << 20
MEMORY = 512 * MIB


def filled(start, element, end, size):
    """`start`, as many of `element` as fit `size` bytes, `end`."""
    return start + element * ((size - len(start) - len(end)) // len(element)) + end


def bodies(size):
    """Name → (path, content type, body) of what costs most for its length, each of `size` bytes."""
    json_type, form_type = "application/json", "multipart/form-data; boundary=X"
    row = b"[" + b",".join([b"0"] * 384) + b"],"
    deep = b"[" * 950 + b"]" * 950 + b","
    members = b"".join(b'"%x":0,' % i for i in range(size // 12))
    texts, rows = ("/denoise/text", json_type), ("/denoise/embedding", json_type)
    return {
        "empty objects": (*texts, filled(b'{"texts":[', b"{},", b"0]}", size)),
        "empty arrays": (*rows, filled(b'{"embeddings":[', b"[],", b"0]}", size)),
        "deep": (*rows, filled(b'{"embeddings":[', deep, b"0]}", size)),
        "digits": (*texts, filled(b'{"texts":[', b"1", b"]}", size)),
        "digits in a row": (*rows, filled(b'{"embeddings":[[', b"1" * 4000 + b",", b"0]]}", size)),
        "digits in a string": (*rows, filled(b'{"embeddings":[["', b"1", b'"]]}', size)),
        "long floats quoted": (*texts, filled(b'{"other":[', b"1e15,", b"0]}", size)),
        "members": (*texts, b'{"other":{' + members[:size - 20].rpartition(b",")[0] + b"}}"),
        "repeated members": (*texts, filled(b"{", b'"":0,', b'"":0}', size)),
        "control characters": ("/denoise/text", "text/plain", b"\1" * size),
        "no UTF-8": ("/denoise/text", "text/plain", b"\xff" * size),
        "UTF-16": (*texts, "\ufeff".encode("utf-16-le") + filled(
            '{"texts":["', "文", '"]}', size // 2 - 1).encode("utf-16-le")),
        "one text": (*texts, filled(b'{"texts":["', b"a", b'"]}', size)),
        "one text of escapes": (*texts, filled(b'{"texts":["', b"\\u6587", b'"]}', size)),
        "unpaired surrogates": (*texts, filled(b'{"texts":["', b"\\ud800", b'"]}', size)),
        "too many texts": (*texts, filled(b'{"texts":[', b'"",', b'""]}', size)),
        "2,048 texts": (*texts, json.dumps(
            {"texts": ["a" * (size // 2048 - 10)] * 2048}).encode()),
        "too many rows": (*rows, filled(b'{"embeddings":[', row, row[:-1] + b"]}", size)),
        "2,048 rows": (*rows, b'{"embeddings":[' + row * 2047 + row[:-1] + b"]}"),
        "2,048 rows, long numbers": (*rows, json.dumps(
            {"embeddings": [[9e15, -9e15] * 192] * 2048}).encode()),
        "broken at its end": (*rows, filled(b'{"embeddings":[', b"[[]],", b"", size)),
        "upload without UTF-8": ("/upload/", form_type, form(b"\xff" * (4 * size))),
        "upload of one line": ("/upload/", form_type, form(b"a" * (4 * size))),
        "upload of too many lines": ("/upload/", form_type, form(b"a\n" * (2 * size))),
        "upload of files": ("/upload/", form_type, form(b"a" * 60)[:-7] * (4 * size // 150) + b"--X--"),
        "upload of fields": ("/upload/", "application/x-www-form-urlencoded",
                             filled(b"", b"file=" + b"%41" * 100_000 + b"&", b"", 4 * size)),
    }


def control_group(size):
    """A new control group of at most `size` bytes, version 2 or 1; None where we may not make one."""
    for root, name in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        folder = pathlib.Path(root) / f"denoiser-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            folder.mkdir()
            # Elsewhere it is a plain folder, and a file written there limits nothing.
            if (folder / name).exists():
                (folder / name).write_text(str(size))
                return folder
        with contextlib.suppress(OSError):
            folder.rmdir()
    return None


@contextlib.contextmanager
def memory_limit(size):
    """How the limit is kept, and what a child must do to be under it."""
    group = control_group(size)
    if group is None:
        yield "RLIMIT_DATA", lambda: resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        return
    try:
        yield "a control group", lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        assert service.wait_until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()


class Watch:
    """The most private memory a process has, looked at every two milliseconds."""

    def __init__(self, pid):
        self.path, self.peak, self.is_over = f"/proc/{pid}/status", 0, False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.is_over:
            with contextlib.suppress(OSError), open(self.path) as status:
                found = re.search(r"RssAnon:\s+(\d+) kB", status.read())
                if found:
                    self.peak = max(self.peak, int(found[1]) * 1024)
            time.sleep(0.002)

    def stop(self):
        self.is_over = True
        self.thread.join()
        return self.peak


@contextlib.contextmanager
def limited(*arguments):
    """A service within 512 MB: its process, socket, printed figure in bytes, and the limit's name."""
    with tempfile.TemporaryDirectory(prefix="denoiser-") as name, memory_limit(MEMORY) as (kind, join):
        folder = pathlib.Path(name)
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                [str(service.BINARY), "serve", "--socket", "s", "--model", "m.pt", *arguments], cwd=folder,
                env={**os.environ, "ENCODER_PATH": service.ENCODER}, stdin=subprocess.DEVNULL, stderr=log,
                preexec_fn=join)
        try:
            assert service.wait_until((folder / "s").exists), (folder / "log").read_text()
            assert service.wait_until(lambda: "at most" in (folder / "log").read_text())
            line = (folder / "log").read_text()
            yield process, folder / "s", int(re.search(r"at most (\d+) MiB", line)[1]) * MIB, kind
        finally:
            service.stop(process)


def ask(path, kind):
    route, content_type, body = kind
    # Before it connects: with 64 at a time this can take longer than a peer may be silent.
    data = request(route, body, content_type=content_type, portion=65535)
    try:
        with Peer(str(path), seconds=120) as peer:
            # It may answer, and leave, before it has read all.
            peer.send(data)
            answer = peer.reply()
    except OSError as error:
        return type(error).__name__
    if answer is None:
        return "no answer"
    json.loads(answer.body)
    if answer.status == 503:
        assert answer.headers["retry-after"]
    return answer.status


def flood(process, path, kinds, count):
    """Sends `count` bodies at a time; the peak of private memory and the statuses."""
    watch = Watch(process.pid)
    try:
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            statuses = list(pool.map(lambda i: ask(path, kinds[i % len(kinds)]), range(count)))
    finally:
        peak = watch.stop()
    return peak, collections.Counter(statuses)


def is_alive(process, path):
    with Peer(str(path)) as peer:
        peer.send(request("/denoise/text", b'{"texts":["still there"]}'))
        answer = peer.reply()
    return (process.poll() is None and answer.status == 200
            and json.loads(answer.body)["shape"] == [1, 384])


def test_worst_case_bodies_stay_below_the_figure_printed_at_start():
    kinds = list(bodies(MIB).values()) + list(bodies(16 * MIB).values())[:3]
    with limited("--epochs", "1") as (process, path, figure, kind):
        peak, statuses = flood(process, path, kinds, len(kinds))
        print(f"{kind}: peak {peak // MIB} MiB of {figure // MIB}, {dict(statuses)}")
        assert is_alive(process, path)
        assert peak < figure < MEMORY
        assert all(isinstance(status, int) for status in statuses), statuses


if __name__ == "__main__":
    kinds = bodies(16 * MIB)
    with limited("--epochs", "1") as (process, path, figure, kind):
        print(f"512 MiB by {kind}; figure printed at start: {figure // MIB} MiB")
        worst = 0
        for name, value in [*[(n, [v]) for n, v in kinds.items()], ("all", list(kinds.values()))]:
            if len(sys.argv) > 1 and name not in sys.argv[1:]:
                continue
            began = time.monotonic()
            alone, _ = flood(process, path, value, 1)
            peak, statuses = flood(process, path, value, 64)
            worst = max(worst, alone, peak)
            print(f"{name:26} one {alone // MIB:4} MiB, 64 {peak // MIB:4} MiB, "
                  f"{time.monotonic() - began:5.1f} s, {dict(statuses)}", flush=True)
        assert is_alive(process, path)
        print(f"peak {worst // MIB} MiB of {figure // MIB} MiB")
        assert worst < figure
