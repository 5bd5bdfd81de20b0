"""The service through nginx and directly on its socket, as its users and their accidents meet it."""
import concurrent.futures
import contextlib
import json
import math
import pathlib
import random
import signal
import subprocess
import time

import pytest
from support import service
from support.fastcgi_peer import Peer, request
from support.service import MODEL

TWO = {"texts": ["hello world", "good morning"], "noise_level": 0.1}
ASKED = request("/denoise/text", json.dumps(TWO).encode())


@pytest.fixture(scope="module")
def denoiser():
    with service.running(model=MODEL) as running:
        yield running


def test_two_sentences_come_back_as_two_rows(denoiser):
    status, headers, answer = denoiser.post("/denoise/text", TWO)
    assert status == 200 and answer["shape"] == [2, 384]
    assert [len(row) for row in answer["denoised_embeddings"]] == [384, 384]
    assert all(math.isfinite(x) for row in answer["denoised_embeddings"] for x in row)
    assert headers["content-type"] == "application/json"


def test_health_says_a_model_is_loaded(denoiser):
    status, _, answer = denoiser.get("/health")
    assert (status, answer) == (200, {"status": "healthy", "model_loaded": True, "device": "cpu"})


def test_without_a_model_the_original_words_and_503():
    with service.running("--no-default-model") as bare:
        assert bare.get("/health")[2] == {"status": "not_ready", "model_loaded": False, "device": None}
        for path, body in (("/denoise/text", TWO), ("/denoise/embedding", {"embeddings": [[0.0] * 384]})):
            status, _, answer = bare.post(path, body)
            assert status == 503 and answer == {"detail": "模型尚未載入，請稍後再試"}


def test_a_long_text_is_cut_and_the_answer_says_so(denoiser):
    status, headers, answer = denoiser.post("/denoise/text", {"texts": ["word " * 400, "short"]})
    assert status == 200 and headers["x-truncated"] == "1"
    same = denoiser.post("/denoise/text", {"texts": ["word " * 300]})[2]["denoised_embeddings"][0]
    assert answer["denoised_embeddings"][0] == pytest.approx(same, abs=1e-6)


def test_limits_name_themselves(denoiser):
    status, _, answer = denoiser.post("/denoise/text", {"texts": ["x"] * 2049})
    assert status == 422 and "2048" in json.dumps(answer) and "2049" in json.dumps(answer)
    status, _, body = denoiser.request(
        "POST", "/denoise/text", b" " * (16 * 1024 * 1024 + 1), {"content-type": "application/json"})
    assert status == 413 and "detail" in json.loads(body)


def test_a_thousand_mixed_requests_lose_nothing(denoiser):
    def ask(i):
        rng = random.Random(i)
        kind = rng.randrange(5)
        if kind == 0:
            return denoiser.get("/health")[0] == 200
        if kind == 1:
            rows = rng.randrange(1, 20)
            value = {"embeddings": [[rng.random() for _ in range(384)] for _ in range(rows)]}
            status, _, answer = denoiser.post("/denoise/embedding", value)
            return status == 200 and answer["shape"] == [rows, 384]
        if kind == 2:
            return denoiser.post("/denoise/text", {"texts": "no list"})[0] == 422
        if kind == 3:
            return denoiser.request("GET", "/nowhere")[0] == 404
        texts = [" ".join(rng.choices(["noise", "signal", "文", "Ünïcode"], k=rng.randrange(1, 30)))
                 for _ in range(rng.randrange(1, 8))]
        status, _, answer = denoiser.post("/denoise/text", {"texts": texts})
        return status == 200 and answer["shape"] == [len(texts), 384]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        results = list(pool.map(ask, range(1000)))
    assert results.count(True) == 1000
    assert denoiser.process.poll() is None


# Directly on the socket.

def still_answers(denoiser):
    status, _, answer = denoiser.post("/denoise/text", TWO)
    return status == 200 and answer["shape"] == [2, 384]


def test_directly_on_the_socket(denoiser):
    with Peer(denoiser.socket) as peer:
        peer.send(ASKED)
        assert json.loads(peer.reply().body)["shape"] == [2, 384]


@pytest.mark.parametrize("name, sent", [
    ("leaves mid-body", ASKED[:-20]),
    ("half a record", request("/health", method="GET")[:11]),
    ("longer than declared", request("/denoise/text", json.dumps(TWO).encode(), length=5)),
    ("shorter than declared", request("/denoise/text", json.dumps(TWO).encode(), length=5000)),
    ("a body that looks like records", request("/health", request("/denoise/text"), method="GET")),
])
def test_a_broken_peer_leaves_others_answered(denoiser, name, sent):
    with Peer(denoiser.socket) as peer:
        peer.send(sent)
        assert still_answers(denoiser)
        if "declared" in name:
            reply = peer.reply()
            assert reply is None or reply.status != 200
    assert still_answers(denoiser)


def test_silent_peers_hold_nobody_up(denoiser):
    with contextlib.ExitStack() as held:
        peers = [held.enter_context(Peer(denoiser.socket)) for _ in range(50)]
        for peer in peers[:25]:
            peer.send(request("/health")[:9])
        assert still_answers(denoiser)


def test_term_answers_what_is_in_flight_and_ends_with_0():
    with service.running(model=MODEL) as running:
        many = {"texts": [f"sentence number {i} of a long request" for i in range(1500)]}
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(running.post, "/denoise/text", many)
            time.sleep(0.15)
            running.process.send_signal(signal.SIGTERM)
            assert answer.result(60)[0] == 200
        assert running.process.wait(20) == 0
        assert not pathlib.Path(running.socket).exists()


def test_an_idle_service_ends_at_once():
    with service.running(model=MODEL) as running:
        assert service.stop(running.process) == 0


def test_spawn_fcgi_hands_over_descriptor_0(tmp_path):
    path = tmp_path / "s.sock"
    process = subprocess.Popen(
        ["spawn-fcgi", "-n", "-s", str(path), "--", str(service.BINARY), "serve", "--model", str(MODEL),
         "--encoder", service.ENCODER])
    try:
        assert service.wait_until(path.exists)
        with Peer(str(path)) as peer:
            peer.send(request("/health", method="GET"))
            assert json.loads(peer.reply().body)["model_loaded"] is True
    finally:
        service.stop(process)


@pytest.mark.parametrize("command", [["serve", "--socket", "s"], ["serve", "--check"], ["embed", "a text"]])
def test_a_vocabulary_that_is_not_the_encoders_is_refused_before_a_text_meets_it(tmp_path, command):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).symlink_to(pathlib.Path(service.ENCODER) / name)
    (tmp_path / "vocab.txt").write_bytes((pathlib.Path(service.ENCODER) / "vocab.txt").read_bytes() + b"onemore\n")
    run = subprocess.run(
        [str(service.BINARY), command[0], "--encoder", str(tmp_path), *command[1:]], cwd=tmp_path,
        capture_output=True, text=True, timeout=30)
    assert run.returncode == 78 and "30523 pieces" in run.stdout + run.stderr


def test_fetching_the_encoder_leaves_a_users_own_alone(tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n")
    run = subprocess.run(
        [str(service.TOP / "nginx/fetch-encoder"), str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 65 and "move them away" in run.stderr
    assert (tmp_path / "vocab.txt").read_text().startswith("[PAD]") and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage, word", [
    (lambda folder: None, "model.safetensors"),
    (lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 64), "model.safetensors"),
])
def test_missing_or_damaged_encoder_files_end_with_78(tmp_path, damage, word):
    damage(tmp_path)
    for name in ("config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((pathlib.Path(service.ENCODER) / name).read_bytes())
    run = subprocess.run(
        [str(service.BINARY), "serve", "--socket", str(tmp_path / "s"), "--encoder", str(tmp_path)],
        capture_output=True, text=True, timeout=30)
    lines = run.stderr.strip().splitlines()
    assert run.returncode == 78 and len(lines) == 1 and word in lines[0] and "fetch-encoder" in lines[0]
