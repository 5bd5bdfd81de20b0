"""A request that ends every process it reaches: it reaches two at most, and what ended comes back."""
import concurrent.futures
import contextlib
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
from support import service
from support.activation import activated
from support.fatal import CRASHING, JSON, MARKED, RESPONDER, Beside, Watch, needs_crashes
from support.work import LONG

ONE = json.dumps({"texts": ["a"]}).encode()


@contextlib.contextmanager
def stand_ins(site, count=4):
    """nginx before `count` processes on one socket that a request with the word "fatal" ends."""
    with tempfile.TemporaryDirectory(prefix="denoiser-") as name, socket.socket(socket.AF_UNIX) as listener:
        folder, port = pathlib.Path(name), service.free_port()
        service.lay_out(folder, port, site=site)
        listener.bind(str(folder / "run/denoiser.sock"))
        listener.listen(511)
        processes = [subprocess.Popen([sys.executable, "-S", "-E", str(RESPONDER)], stdin=listener)
                     for _ in range(count)]
        nginx = subprocess.Popen(
            [service.NGINX, "-p", f"{folder}/", "-c", "run/nginx.conf", "-e", "run/nginx-error.log"], cwd=folder)
        running = service.Service(folder, None, nginx, port)
        try:
            assert service.wait_until(lambda: running.request("GET", service.MOUNTS[site] + "/health")[0] == 200)
            yield running, processes
        finally:
            service.stop(nginx, signal.SIGQUIT)
            for process in processes:
                service.stop(process, signal.SIGKILL)


def fill_kept_connections(running, mount):
    """Ordinary requests, so many at a time that nginx keeps connections to every process."""
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(
            lambda _: running.request("POST", mount + "/denoise/text", ONE, JSON)[0], range(200)))
    assert set(answers) == {200}


def ended(processes):
    return sum(process.poll() is not None for process in processes)


# How often each may be tried: an upload would train twice.
FATAL = [("POST", "/denoise/text", 2), ("POST", "/denoise/embedding", 2), ("GET", "/health", 2), ("GET", "/", 2),
         ("POST", "/nowhere", 2), ("PUT", "/denoise/text", 2), ("GET", "/upload", 2), ("POST", "/upload/", 1)]


@pytest.mark.parametrize("method, path, tries", FATAL, ids=lambda value: str(value))
@pytest.mark.parametrize("site, mount", service.MOUNTS.items())
def test_a_fatal_request_reaches_two_processes_at_most(site, mount, method, path, tries):
    with stand_ins(site) as (running, processes):
        fill_kept_connections(running, mount)
        status, headers, body = running.request(method, f"{mount}{path}?fatal", b"x" * 2_000_000, JSON)
        assert service.wait_until(lambda: ended(processes) == tries, 5), f"{ended(processes)} of 4 ended"
        time.sleep(0.2)
        assert ended(processes) == tries
        assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/json", "2")
        assert list(json.loads(body)) == ["detail"]
        # The others serve on.
        fill_kept_connections(running, mount)


def living(processes):
    return {process.pid for process in processes if process.poll() is None}


@needs_crashes
def test_a_crash_ends_two_of_four_processes_and_others_are_answered_on():
    with activated(CRASHING) as (running, start):
        processes = [start() for _ in range(4)]
        assert service.wait_until(lambda: running.log().count("serving on the socket of LISTEN_FDS") == 4)
        fill_kept_connections(running, "")
        with Beside(lambda: living(processes), running.request) as beside:
            status, headers, body = running.request("POST", "/denoise/embedding", MARKED, JSON)
            assert service.wait_until(lambda: len(beside.ended) == 2, 5)
            time.sleep(1)
        assert len(beside.ended) == 2
        assert {process.returncode for process in processes} == {None, -signal.SIGSYS}
        assert (status, headers["retry-after"], list(json.loads(body))) == (503, "2", ["detail"])
        # One that went to a process at that moment may have met both.
        print(f"{beside.statuses.count(200)} of {len(beside.statuses)} others answered 200")
        assert beside.statuses.count(200) >= len(beside.statuses) - 2 and beside.statuses[-1] == 200
        assert set(beside.statuses) <= {200, 503}


def test_the_service_too_is_asked_twice_at_most():
    with activated() as (running, start):
        processes = [start() for _ in range(4)]
        assert service.wait_until(lambda: running.log().count("serving on the socket of LISTEN_FDS") == 4)
        fill_kept_connections(running, "")
        with Watch(lambda: {process.pid for process in processes}) as watch:
            status, headers, answer = running.post("/denoise/text", LONG)
            time.sleep(1)
        assert len(watch.killed) == 2
        assert (status, headers["retry-after"], list(answer)) == (503, "2", ["detail"])
        assert running.post("/denoise/text", {"texts": ["after it"]})[0] == 200
