"""What the process meets at its start and in its configuration on a bad day: it runs, or says why in a line."""
import contextlib
import itertools
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest
from support import service
from support.configuration import configured, reload
from support.fastcgi_peer import Peer, request
from support.service import MODEL
from support.tracing import needs_strace

SERVE = [str(service.BINARY), "serve", "--encoder", service.ENCODER, "--model", str(MODEL)]


def numbers():
    """The options of `serve` that take a whole number, from its own help and its own refusals."""
    text = subprocess.run([str(service.BINARY), "help", "serve"], capture_output=True, text=True).stdout
    found = {}
    for name in re.findall(r"^  --([a-z-]+) <", text, re.MULTILINE):
        run = subprocess.run(
            [*SERVE, "--check", f"--{name}=x"], capture_output=True, text=True, timeout=60)
        bounds = re.search(r"it must be a whole number from (\d+) to (\d+)", run.stdout)
        if bounds:
            found[name] = int(bounds[1]), int(bounds[2])
    return found


def test_numbers_of_the_configuration_are_taken_or_refused_in_a_line(tmp_path):
    found = numbers()
    assert len(found) >= 28
    for name, (first, last) in found.items():
        for value in [last, last + 1]:
            run = subprocess.run([*SERVE, "--check", f"--{name}={value}"], capture_output=True, text=True, timeout=60)
            assert run.returncode in (0, 78) and not run.stderr, (name, value, run)
            if not first <= value <= last and name != "seed":
                assert run.returncode == 78 and len(run.stdout.splitlines()) == 1, (name, value, run.stdout)
            elif run.returncode == 0:
                total, parts = re.search(r"at most (\d+) MiB of private memory: (.*)", run.stdout).groups()
                # Each part is rounded up on its own.
                parts = [int(part) for part in re.findall(r" (\d+)(?:,|$)", parts)]
                assert 0 <= sum(parts) - int(total) <= len(parts), (name, value, run.stdout)


def test_a_number_too_large_and_hup_change_nothing():
    with configured("rows = 3\n") as running:
        for name in ["rows", "texts", "lines", "request-threads", "connections"]:
            for value in [2**62, 2**63 - 1]:
                reload(running, f"{name} = {value}\n")
                last = running.log().splitlines()[-1]
                assert last.startswith("denoiser: not reloaded, all stays as it was: ") and " to " in last
        assert running.process.poll() is None
        assert running.get("/health")[0] == 200


# What whoever starts the service leaves open, set, ignored and allowed.

def start(folder, *arguments, closed=(), **options):
    """`denoiser serve` in `folder` with some of descriptors 0 to 2 closed."""
    def close():
        for number in closed:
            os.close(number)
    with open(folder / "err", "ab") as errors:
        return subprocess.Popen(
            [*SERVE, "--socket", str(folder / "s"), *arguments], stdin=subprocess.DEVNULL, stdout=errors,
            stderr=errors, cwd=folder, preexec_fn=close, **options)


def healthy(folder):
    """Whether the service on the socket `s` answers."""
    with Peer(str(folder / "s")) as peer:
        peer.send(request("/health", method="GET"))
        reply = peer.reply()
        return reply is not None and reply.status == 200


@pytest.mark.parametrize("closed", [c for n in range(1, 4) for c in itertools.combinations(range(3), n)])
@pytest.mark.parametrize("log", [False, True])
def test_any_of_the_standard_descriptors_may_be_closed(tmp_path, closed, log):
    process = start(tmp_path, *(["--log", str(tmp_path / "log")] if log else []), closed=closed)
    try:
        assert service.wait_until(lambda: (tmp_path / "s").exists() and healthy(tmp_path))
        for number in closed:
            # Nothing of ours: a log line would go into it.
            assert os.readlink(f"/proc/{process.pid}/fd/{number}") in ("/dev/null", str(tmp_path / "log"))
        process.send_signal(signal.SIGHUP)
        assert not log or service.wait_until(lambda: "reloaded: " in (tmp_path / "log").read_text())
        assert service.stop(process, seconds=10) == 0
    finally:
        service.stop(process, signal.SIGKILL)


def test_a_command_whose_output_or_input_is_closed_says_so():
    for arguments, redirection in [("embed hello", ">&-"), ("embed", "<&-")]:
        run = subprocess.run(
            ["sh", "-c", f"{service.BINARY} {arguments} --encoder {service.ENCODER} {redirection}"],
            capture_output=True, text=True, timeout=60)
        assert run.returncode != 0 and "Bad file descriptor" in run.stderr, run


def test_a_socket_on_descriptor_0_is_served_with_the_others_closed(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def close():
            os.close(1)
            os.close(2)
        process = subprocess.Popen([*SERVE, "--log", str(tmp_path / "log")], stdin=listener, preexec_fn=close)
    try:
        assert service.wait_until(lambda: healthy(tmp_path))
        assert service.stop(process, seconds=10) == 0
    finally:
        service.stop(process, signal.SIGKILL)


def test_signals_that_the_parent_ignores_or_blocks_still_count(tmp_path):
    steering = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1]

    def ignore():
        for number in [*steering, signal.SIGPIPE, signal.SIGCHLD]:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, steering)
    with open(tmp_path / "err", "wb") as errors:
        process = subprocess.Popen(
            [*SERVE, "--socket", str(tmp_path / "s")], stderr=errors, preexec_fn=ignore)
    try:
        assert service.wait_until(lambda: (tmp_path / "s").exists() and healthy(tmp_path))
        process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "reloaded: " in (tmp_path / "err").read_text())
        assert service.stop(process, seconds=10) == 0
    finally:
        service.stop(process, signal.SIGKILL)


def test_no_environment_and_no_entry_of_the_user_are_needed(tmp_path):
    tmp_path.chmod(0o777)
    wrapper = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"] if os.getuid() == 0 else []
    process = subprocess.Popen(
        [*wrapper, *SERVE, "--socket", "s"], cwd=tmp_path, env={}, stderr=subprocess.DEVNULL)
    try:
        assert service.wait_until(lambda: (tmp_path / "s").exists() and healthy(tmp_path))
    finally:
        assert service.stop(process, seconds=10) == 0


@pytest.mark.parametrize("limit, values", [
    (resource.RLIMIT_NOFILE, [3, 4, 5, 8, 9, 12, 16, 64]), (resource.RLIMIT_FSIZE, [0, 1]), (resource.RLIMIT_CORE, [0]),
    (resource.RLIMIT_STACK, [1 << 17, 1 << 20]), (resource.RLIMIT_MEMLOCK, [0]), (resource.RLIMIT_SIGPENDING, [0]),
    (resource.RLIMIT_MSGQUEUE, [0]), (resource.RLIMIT_DATA, [n << 20 for n in range(8, 52, 2)]),
    (resource.RLIMIT_AS, [n << 20 for n in (90, 120, 200, 260, 280, 300)])])
def test_under_the_least_limits_it_runs_or_says_why_in_a_line(tmp_path, limit, values):
    for value in values:
        folder = tmp_path / str(value)
        folder.mkdir()
        with open(folder / "err", "wb") as errors:
            process = subprocess.Popen(
                [*SERVE, "--socket", str(folder / "s")], stdin=subprocess.DEVNULL, stderr=errors,
                preexec_fn=lambda: resource.setrlimit(limit, (value, value)))
        try:
            ready = service.wait_until(
                lambda: process.poll() is not None or (folder / "s").exists() and healthy(folder))
            lines = (folder / "err").read_text().splitlines()
            if process.poll() is None:
                assert ready and service.stop(process, seconds=10) == 0
            else:
                assert process.returncode > 0 and len(lines) == 1, (value, process.returncode, lines)
                assert any(word in lines[0] for word in ["failed", "cannot", "no thread", "no room", "no memory"]), lines
        finally:
            service.stop(process, signal.SIGKILL)


@pytest.mark.parametrize("command", [["embed", "hello"], ["train", "-"], ["similarity", "a", "b"], ["--version"]])
def test_under_little_memory_a_command_runs_or_says_why_in_a_line(tmp_path, command):
    statuses = set()
    for size in range(8, 100, 4):
        def limit():
            resource.setrlimit(resource.RLIMIT_DATA, (size << 20, size << 20))
        run = subprocess.run(
            [str(service.BINARY), *command], input="a line\n" * 20, cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "ENCODER_PATH": service.ENCODER, "MODEL_PATH": "m.pt"}, preexec_fn=limit, timeout=60)
        statuses.add(run.returncode)
        if run.returncode != 0:
            assert run.returncode in (65, 71, 78) and len(run.stderr.splitlines()) == 1, (size, run)
    assert 71 in statuses


@needs_strace
@pytest.mark.parametrize("call", ["read", "write", "recvfrom", "sendto"])
def test_a_call_that_the_system_refuses_in_the_self_test_is_named_and_not_the_library_blamed(tmp_path, call):
    trace = tmp_path / "trace"

    def start(*inject):
        return subprocess.run(
            ["strace", "-o", str(trace), "-e", f"trace={call},socketpair", *inject, *SERVE, "--socket", "s",
             "--idle-exit", "1"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    start()
    lines = trace.read_text().splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("socketpair"))
    before = sum(line.startswith(call + "(") for line in lines[:first])
    run = start("-e", f"inject={call}:error=EIO:when={before + 1}+")
    lines = run.stderr.splitlines()
    if any(line.startswith(call + "(") for line in trace.read_text().splitlines() if "EIO" in line):
        assert run.returncode == 71 and len(lines) == 1 and "Input/output error" in lines[0], run
        assert "libfcgi" not in lines[0]


def test_no_room_to_watch_the_listening_socket_passes(tmp_path):
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    with open(tmp_path / "err", "wb") as errors:
        process = subprocess.Popen(
            [strace, "-D", "-f", "-o", "/dev/null", "-e", "trace=epoll_ctl", "-e", "inject=epoll_ctl:error=ENOMEM:when=2..4",
             *SERVE, "--socket", str(tmp_path / "s")], stderr=errors)
    try:
        assert service.wait_until(lambda: (tmp_path / "s").exists() and healthy(tmp_path))
        assert (tmp_path / "err").read_text().count("epoll_ctl") == 1
    finally:
        service.stop(process, seconds=10)


@needs_strace
@pytest.mark.parametrize("error", ["ENOMEM", "ENOSPC"])
def test_a_running_service_that_can_watch_no_socket_for_a_while_goes_on(tmp_path, error):
    with open(tmp_path / "err", "wb") as errors:
        process = subprocess.Popen(
            [*SERVE, "--socket", str(tmp_path / "s"), "--connections", "4"], stdin=subprocess.DEVNULL, stderr=errors)
    try:
        assert service.wait_until(lambda: (tmp_path / "s").exists() and healthy(tmp_path))
        with contextlib.ExitStack() as held:
            def send_half_a_head():
                peer = held.enter_context(Peer(str(tmp_path / "s"), seconds=2))
                peer.send(request("/health", method="GET")[:40])
                time.sleep(0.1)
            # As many as may be open. With one more the listening socket is let go, and to be watched again later.
            for _ in range(4):
                send_half_a_head()
            tracer = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=epoll_ctl",
                 "-e", f"inject=epoll_ctl:error={error}:when=2..6", "-p", str(process.pid)], stderr=subprocess.DEVNULL)
            time.sleep(1)
            if tracer.poll() is not None:
                pytest.skip("tracing is forbidden here")
            try:
                for _ in range(2):
                    send_half_a_head()
                time.sleep(0.5)
            finally:
                service.stop(tracer, seconds=5)
        assert service.wait_until(lambda: process.poll() is not None or healthy(tmp_path), 10)
        assert process.poll() is None, (tmp_path / "err").read_text()
        assert service.stop(process, seconds=10) == 0
    finally:
        service.stop(process, signal.SIGKILL)
