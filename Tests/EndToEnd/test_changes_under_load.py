"""Restarts, reloads and model swaps while clients ask without a pause: none may see any of it.

ROUNDS sets how often (default 10).
"""
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import threading
import time

import numpy
import pytest
from support import service
from support.activation import activated
from support.service import MODEL
from support.uploads import sentences

ROUNDS = int(os.environ.get("ROUNDS", "10"))

class Load:
    """Clients that ask through nginx, each request after the other, until the block ends."""

    def __init__(self, port, clients, ask):
        self.ask, self.port = ask, port
        self.answered, self.failures, self.slowest = 0, [], 0.0
        self.over, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(clients)]

    def work(self, seed):
        rng = random.Random(seed)
        client = service.Service(pathlib.Path(), None, None, self.port)
        while not self.over.is_set():
            began = time.monotonic()
            try:
                fault = self.ask(client, rng)
            except Exception as error:  # Whatever a client meets counts.
                fault = repr(error)
            with self.lock:
                self.answered += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                if fault:
                    self.failures.append(fault)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def ask_anything(client, rng):
    """One request of any kind; what was wrong with its answer, if anything."""
    kind = rng.randrange(3)
    if kind == 0:
        status, _, answer = client.get("/health")
        return None if (status, answer["model_loaded"]) == (200, True) else f"health {status} {answer}"
    if kind == 1:
        count = rng.randrange(1, 40)
        status, _, answer = client.post("/denoise/embedding", {"embeddings": [[rng.random()] * 384] * count})
    else:
        count = rng.randrange(1, 6)
        status, _, answer = client.post("/denoise/text", {"texts": ["some words to embed"] * count})
    return None if status == 200 and answer["shape"] == [count, 384] else f"{status} {str(answer)[:200]}"


def served(running):
    return running.log().count("serving on the socket of LISTEN_FDS")


@pytest.mark.parametrize("way", ["signal", "--max-requests"])
def test_restarts_lose_no_request(way):
    rng = random.Random(5)
    with activated() as (running, start):
        options = ["--max-requests", "50"] if way == "--max-requests" else []
        process = start(*options)
        assert service.wait_until(lambda: running.get("/health")[0] == 200), running.log()
        with Load(running.port, 6, ask_anything) as load:
            for round in range(ROUNDS):
                assert service.wait_until(lambda: served(running) == round + 1), running.log()
                if way == "signal":
                    time.sleep(rng.uniform(0.05, 0.3))
                    process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0, running.log()
                process = start(*options if round + 1 < ROUNDS else ())
            time.sleep(0.5)
        print(f"{ROUNDS} restarts by {way}: {load.answered} requests, {len(load.failures)} failed, "
              f"slowest {load.slowest:.2f} s")
        assert load.failures == [] and load.answered > 10 * ROUNDS


def test_reloads_lose_no_request():
    rng = random.Random(6)

    def prepare(folder):
        (folder / "encoder").mkdir()
        for name in ("model.safetensors", "vocab.txt"):
            (folder / "encoder" / name).symlink_to(pathlib.Path(service.ENCODER) / name)
        (folder / "encoder/config.json").write_bytes((pathlib.Path(service.ENCODER) / "config.json").read_bytes())

    with service.running("--encoder", "encoder", model=MODEL, prepare=prepare) as running:
        with Load(running.port, 6, ask_anything) as load:
            for round in range(ROUNDS):
                time.sleep(rng.uniform(0.02, 0.2))
                # With a file that has a new time, the encoder and its threads are made anew.
                os.utime(running.folder / "encoder/config.json")
                running.process.send_signal(signal.SIGHUP)
                assert service.wait_until(lambda: running.log().count("\ndenoiser: reloaded") == round + 1)
        print(f"{ROUNDS} reloads: {load.answered} requests, {len(load.failures)} failed, "
              f"slowest {load.slowest:.2f} s")
        assert load.failures == [] and load.answered > ROUNDS
        # The encoders of before, each with its threads, are gone.
        assert len(os.listdir(f"/proc/{running.process.pid}/task")) < 40


# Model swaps.

LAYERS = ["encoder.0", "encoder.2", "decoder.0", "decoder.2"]


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    return {name: numpy.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}


def forward(tensors, rows):
    for name in LAYERS:
        rows = rows @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]
        if name != LAYERS[-1]:
            rows = numpy.maximum(rows, 0)
    return rows


def test_no_answer_mixes_two_models(tmp_path):
    model = tmp_path / "m.safetensors"
    (tmp_path / "text").write_text(sentences(40))
    environment = {**os.environ, "ENCODER_PATH": service.ENCODER, "MODEL_PATH": str(model)}
    for seed in range(4):
        subprocess.run(
            [str(service.BINARY), "train", str(tmp_path / "text"), "--epochs", "1", "--seed", str(seed),
             # The reference below is the autoencoder's.
             "--denoiser", "autoencoder", "--activate", "always"],
            env=environment, check=True, capture_output=True)
    listing = subprocess.run(
        [str(service.BINARY), "models"], env=environment, check=True, capture_output=True, text=True).stdout
    files = {}
    for line in listing.splitlines():
        version = line[2:].split()[0]
        if "built in" in line:
            continue
        # The live one is read now; the others are kept files, which never change.
        kept = pathlib.Path(f"{model}.versions/{version}.safetensors")
        files[version] = read_safetensors(model if line.startswith("*") else kept)
    assert len(files) == 4
    inputs = numpy.random.default_rng(3).normal(0, 0.05, (60, 384)).astype(numpy.float32)
    expected = {version: forward(tensors, inputs.astype(numpy.float64)) for version, tensors in files.items()}
    tolerance = 1e-5
    versions = sorted(expected)
    for one in versions:
        for other in versions:
            if one != other:
                # Else a mixed answer would not show, whichever rows came from the wrong model.
                assert (numpy.abs(expected[one] - expected[other]).max(axis=1) > 10 * tolerance).all()

    seen, changes = set(), {}

    def ask(client, rng):
        status, headers, answer = client.post("/denoise/embedding", {"embeddings": inputs.tolist()})
        if status != 200:
            return f"{status} {str(answer)[:200]}"
        version = headers["x-model-version"]
        seen.add(version)
        last, count = changes.get(threading.get_ident(), (version, 0))
        changes[threading.get_ident()] = (version, count + (last != version))
        difference = numpy.abs(numpy.array(answer["denoised_embeddings"]) - expected[version]).max()
        return None if difference < tolerance else f"not what {version} computes: off by {difference}"

    with service.running("--model", str(model)) as running:
        with Load(running.port, 6, ask) as load:
            for round in range(ROUNDS):
                live = versions[round % len(versions)]
                subprocess.run([str(service.BINARY), "models", "--restore", live], env=environment, check=True,
                               capture_output=True)
                # Longer than a look at the file counts, so that every swap is served.
                time.sleep(0.3)
        swaps = running.log().count("is live\n")
        print(f"{ROUNDS} swaps, {swaps} of them served: {load.answered} requests, {len(load.failures)} failed or "
              f"mixed, a client saw {max(count for _, count in changes.values())} changes")
        assert load.failures == [] and seen == set(versions)
        assert swaps >= ROUNDS - 1


# Several processes.

def proportional(process, field="Pss"):
    text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


@contextlib.contextmanager
def held(processes):
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


def test_four_processes_on_one_socket_share_the_encoder():
    size = (pathlib.Path(service.ENCODER) / "model.safetensors").stat().st_size
    with activated() as (running, start):
        processes = [start() for _ in range(4)]
        assert service.wait_until(lambda: served(running) == 4), running.log()
        words = (pathlib.Path(service.ENCODER) / "vocab.txt").read_text().split("\n")

        def ask(client, rng):
            # From all over the vocabulary, so that every process comes to touch most of the file.
            texts = [" ".join(rng.choices(words, k=60)) for _ in range(32)]
            status, _, answer = client.post("/denoise/text", {"texts": texts})
            return None if status == 200 else f"{status} {str(answer)[:200]}"

        for process in processes:
            # Alone on the socket, each gets its share of work.
            others = [other for other in processes if other is not process]
            with held(others):
                time.sleep(2)  # nginx keeps connections to the others for a second.
                with Load(running.port, 4, ask) as load:
                    enough = lambda: proportional(process, "Rss") > 0.6 * size + (20 << 20)
                    assert service.wait_until(enough, 120), "the process got no requests"
            assert load.failures == []
        with Load(running.port, 8, ask) as load:
            time.sleep(2)
        assert load.failures == []
        shares = [proportional(process) for process in processes]
        own = [proportional(process, "Private_Dirty") for process in processes]
        most = size + 4 * 30_000_000
        print(f"Pss {[share >> 20 for share in shares]} MiB, sum {sum(shares) >> 20} of at most {most >> 20}; "
              f"private {[share >> 20 for share in own]} MiB")
        assert sum(shares) <= most
        for process in processes[:3]:
            assert service.stop(process) == 0
        assert running.get("/health")[0] == 200, "the last one serves on"
