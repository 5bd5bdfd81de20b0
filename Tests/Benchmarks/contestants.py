"""The processes that are measured: peers behind a pipe, the original behind uvicorn, ours behind nginx."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "Tests/EndToEnd"))
from support import service  # noqa: E402

BENCH = TOP / ".build/release/bench"
MODELS = TOP / ".build/benchmark-models"
ENCODER = pathlib.Path(service.ENCODER)

# What the environment says about BLAS is for whoever else uses it; ours decides for itself.
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}


class Peer:
    """A peer of peers.py in a process of its own, which runs only while it is asked (see `turn`)."""

    def __init__(self, name):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "peers.py"), name, str(MODELS)], env=CLEAN, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.name = name
        self.answer()
        self.process.send_signal(signal.SIGSTOP)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"peer {self.name} ended; run `{sys.executable} {HERE}/peers.py {self.name} {MODELS}`")
        return json.loads(line)

    def ask(self, **command):
        with turn(self.process):
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            return self.answer()

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def turn(process):
    """Lets a process run that is stopped otherwise: threads of such engines go on spinning between requests, on the
    cores of whoever is measured next (32 clients of ours had 194 answers a second beside an idle original, 280 alone)."""
    process.send_signal(signal.SIGCONT)
    try:
        yield
    finally:
        process.send_signal(signal.SIGSTOP)


@contextlib.contextmanager
def peers(*names):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Peer(name))) for name in names]


def start_original(port, log):
    return subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "original:app", "--port", str(port), "--log-level", "warning"],
        cwd=HERE, env={**CLEAN, "MODELS": str(MODELS)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextlib.contextmanager
def original():
    """The original: yields the port it answers on, in its `turn`, and its process."""
    port = service.free_port()
    process = start_original(port, subprocess.DEVNULL)
    try:
        if not service.wait_until(lambda: get(port, "/health") == 200, 120):
            raise RuntimeError("the original does not answer; see Tests/Benchmarks/original.py")
        process.send_signal(signal.SIGSTOP)
        yield port, process
    finally:
        process.send_signal(signal.SIGCONT)
        service.stop(process)


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


class Nginx:
    """nginx with the shipped configuration, over as many responders as are started in its folder."""

    def __init__(self, folder, processes=1):
        self.folder, self.port = pathlib.Path(folder), service.free_port()
        service.lay_out(self.folder, self.port)
        configuration = self.folder / "run/nginx.conf"
        sockets = "".join(f"server unix:run/{i}.sock max_fails=0; " for i in range(processes))
        text = configuration.read_text().replace("server unix:run/denoiser.sock;", sockets)
        # The growth table sends more than a site would let in.
        configuration.write_text(re.sub("^ *limit_conn denoiser.*\n", "", text, flags=re.M))
        shared = self.folder / "run/denoiser.conf"
        shared.write_text(
            shared.read_text().replace("client_max_body_size 17m", "client_max_body_size 1g")
            # What nginx takes without us.
            + "location = /nginx-alone { client_max_body_size 1g; return 200 ''; }\n")
        self.process = subprocess.Popen(
            [service.NGINX, "-p", f"{folder}/", "-c", "run/nginx.conf", "-e", "run/nginx-error.log"], cwd=folder)
        self.responders = []

    def start(self, *arguments):
        number = len(self.responders)
        with open(self.folder / "run/service.log", "ab") as log:
            self.responders.append(subprocess.Popen(
                [str(service.BINARY), "serve", "--socket", f"run/{number}.sock", *arguments],
                cwd=self.folder, env={**CLEAN, "ENCODER_PATH": str(ENCODER)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.responders[-1]

    def close(self):
        service.stop(self.process, 3)  # SIGQUIT
        for responder in self.responders:
            service.stop(responder)


@contextlib.contextmanager
def nginx(processes=1):
    with tempfile.TemporaryDirectory(prefix="denoiser-bench-") as folder:
        with contextlib.closing(Nginx(folder, processes)) as server:
            yield server


@contextlib.contextmanager
def ours(*arguments, processes=1):
    """Our service, answering on the port it yields."""
    with nginx(processes) as server:
        for _ in range(processes):
            server.start(*arguments)
        time.sleep(0.5)
        if not service.wait_until(lambda: get(server.port, "/health") == 200):
            raise RuntimeError((server.folder / "run/service.log").read_text())
        yield server.port


def embed_command(texts, vectors):
    return [str(service.BINARY), "embed", "--encoder", str(ENCODER), "--input", texts, "--output", vectors]


def bench(*scenarios, rounds=1):
    """Figures of `bench run`, by scenario and name."""
    output = subprocess.run(
        [str(BENCH), "run", *scenarios, "--rounds", str(rounds), "--encoder", str(ENCODER)],
        cwd=TOP, env=CLEAN, check=True, capture_output=True, text=True).stdout
    return json.loads(output)["scenarios"]


def memory(pid):
    """Megabytes of a process: resident, private and written to, and its part of what it shares."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        fields[name] = int(value.split()[0]) / 1024
    return {"resident": fields["Rss"], "private": fields["Private_Dirty"], "proportional": fields["Pss"]}


