"""Training by upload and from the command line, and what other processes see of it."""
import concurrent.futures
import json
import os
import random
import signal
import subprocess
import time

import pytest
from support import service
from support.fastcgi_peer import Peer, request
from support.uploads import FORM, form, sentences, upload

def test_an_upload_trains_and_is_live_in_the_next_answer():
    text = sentences(1000)
    with service.running("--epochs", "10") as running:
        before = running.post("/denoise/text", {"texts": ["hello"]})[1]["x-model-version"]
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            trained = pool.submit(upload, running, text)
            answered = 0
            while not trained.done():
                assert running.get("/health")[2]["model_loaded"] is True
                assert running.post("/denoise/text", {"texts": ["meanwhile"]})[0] == 200
                answered += 1
            status, headers, answer = trained.result()
        assert answered > 3
        assert status == 200 and list(answer) == ["filename", "word_count", "loss"]
        assert answer["filename"] == "text.txt" and answer["word_count"] == len(text.split())
        # A model that always answers zero scores 0.0026.
        assert 0 < answer["loss"] < 0.0026
        assert float(headers["x-denoised-cosine"]) > float(headers["x-noisy-cosine"])
        after = running.post("/denoise/text", {"texts": ["hello"]})[1]["x-model-version"]
        assert after == headers["x-model-version"] != before


def exchange(path, *asked, **options):
    """One request straight to a socket, and its reply."""
    with Peer(path, seconds=300) as peer:
        peer.send(request(*asked, **options))
        return peer.reply()


def test_four_processes_and_eight_uploads_make_one_chain(tmp_path):
    with service.running("--epochs", "2", "--training-wait", "120") as running:
        others = []
        for i in range(3):
            path = f"run/other{i}.sock"
            log = open(running.folder / "run/service.log", "ab")
            others.append((path, subprocess.Popen(
                [str(service.BINARY), "serve", "--socket", path, "--epochs", "2", "--training-wait", "120"],
                cwd=running.folder, env={**os.environ, "ENCODER_PATH": service.ENCODER}, stderr=log)))
        sockets = [running.socket] + [str(running.folder / path) for path, _ in others]
        try:
            assert service.wait_until(lambda: all(os.path.exists(path) for path in sockets))

            def send(i):
                return exchange(sockets[i % 4], "/upload/", form(sentences(40, seed=i)), content_type=FORM)

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(send, range(8)))
            assert all("loss" in json.loads(answer.body) for answer in answers)
            def versions():
                return {exchange(path, "/denoise/text", b'{"texts":["x"]}').headers["x-model-version"]
                        for path in sockets}

            assert service.wait_until(lambda: len(versions()) == 1), versions()
            listing = subprocess.run(
                [str(service.BINARY), "models", "--model", running.model], capture_output=True, text=True)
            lines = [line[2:].split("  ") for line in listing.stdout.splitlines() if "built in" not in line]
            assert [int(line[0].split("-")[0]) for line in lines] == list(range(8, 0, -1))
            for newer, older in zip(lines, lines[1:]):
                assert newer[1] == f"from {older[0]}"
        finally:
            for _, process in others:
                service.stop(process)


def test_killed_at_random_the_model_stays_whole(tmp_path):
    """Half of the kills come at any time of a run, half in its short end, when it publishes.

    KILLS sets how many (default 10).
    """
    rng = random.Random(7)
    model = tmp_path / "m.pt"
    (tmp_path / "text").write_text(sentences(60))
    environment = {**os.environ, "ENCODER_PATH": service.ENCODER, "MODEL_PATH": str(model)}
    train = [str(service.BINARY), "train", str(tmp_path / "text"), "--epochs", "1",
             "--denoiser", "autoencoder", "--activate", "always"]
    began = time.monotonic()
    subprocess.run(train, env=environment, check=True, capture_output=True)
    whole_run = time.monotonic() - began
    seen, publishing = set(), 0
    for round in range(int(os.environ.get("KILLS", "10"))):
        before = set(tmp_path.rglob("*"))
        process = subprocess.Popen(
            train, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if round % 2:
            # A new file is the first sign.
            while process.poll() is None and set(tmp_path.rglob("*")) <= before:
                time.sleep(0.0005)
            time.sleep(rng.random() * 0.03)
        else:
            time.sleep(rng.random() * whole_run)
        process.send_signal(signal.SIGKILL)
        publishing += process.wait() == -signal.SIGKILL and bool(set(tmp_path.rglob("*")) - before)
        listing = subprocess.run(
            [str(service.BINARY), "models"], env=environment, capture_output=True, text=True, check=True)
        live = [line for line in listing.stdout.splitlines() if line.startswith("* ")]
        assert len(live) == 1, listing.stdout
        seen.add(live[0].split()[1])
        similar = subprocess.run(
            [str(service.BINARY), "similarity", "a", "a"], env=environment, capture_output=True, text=True)
        assert similar.returncode == 0 and abs(float(similar.stdout) - 1) < 1e-5
    print(f"{len(seen)} versions seen, {publishing} killed while publishing or just after it")
    assert publishing > 0 and len(seen) > 1, "no kill met the publication"


@pytest.mark.parametrize("text, reason", [(b"\xff\xfe", "UTF-8"), (b" \n\n", "no text")])
def test_text_that_cannot_be_trained_on_changes_nothing(tmp_path, text, reason):
    (tmp_path / "text").write_bytes(text)
    run = subprocess.run(
        [str(service.BINARY), "train", str(tmp_path / "text"), "--output", str(tmp_path / "m.pt")],
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, capture_output=True, text=True)
    assert run.returncode == 65 and reason in run.stderr and len(run.stderr.splitlines()) == 1
    assert not (tmp_path / "m.pt").exists()
