"""The encoder's files written over, cut short or replaced under a running service."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from support import service
from support.inside import figure, ready
from support.service import MODEL, until
from support.tracing import meddling, needs_strace
from support.work import ENDLESS, in_background, rows


@pytest.fixture
def encoder(tmp_path):
    """An encoder of one's own, to be written into."""
    folder = tmp_path / "encoder"
    shutil.copytree(service.ENCODER, folder)
    return folder


TEXT = {"texts": ["The quick brown fox jumps over the lazy dog.", "文字 and Ünïcode"]}


def numbers(running):
    """The vectors of two texts; nothing where they are refused."""
    status, headers, answer = running.post("/denoise/text", TEXT)
    if status != 200:
        assert status == 503 and "retry-after" in headers, answer
        return None
    return [number for row in answer["denoised_embeddings"] for number in row]


def are_alike(left, right):
    return max(abs(a - b) for a, b in zip(left, right)) < 1e-5


def never_others(running, expected, seconds, until=lambda: False, least=0):
    """Asks again and again: only these numbers may come; returns how often any came.

    A slow machine goes on after `seconds`, up to a minute, until `least` have come.
    """
    start, answered = time.monotonic(), 0
    while not until() and time.monotonic() < start + (seconds if answered >= least else 60):
        found = numbers(running)
        if found:
            assert are_alike(found, expected)
            answered += 1
        time.sleep(0.02)
    return answered


def overwrite(path, content, at=0):
    """As scp and cp do it: in place."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(content)


def test_packed_weights_written_over_in_place_are_noticed_and_the_published_ones_take_their_place(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, packed = numbers(running), encoder / "model.packed.safetensors"
        overwrite(packed, bytes(8 << 20), at=16 << 20)
        assert service.wait_until(lambda: f"{packed} was written over in place" in running.log(), 1.5)
        # The published weights may answer before their log line is read.
        never_others(running, expected, 30, lambda: "reloaded the encoder" in running.log())
        assert "reloaded the encoder" in running.log()
        assert never_others(running, expected, 2) > 0
        assert running.process.poll() is None


@pytest.mark.parametrize("sets_times", [False, True])
def test_published_weights_written_over_in_place_are_refused_until_they_are_whole(encoder, sets_times):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, plain = numbers(running), encoder / "model.safetensors"
        whole, times = plain.read_bytes(), plain.stat()

        def write(content):
            overwrite(plain, content, at=60 << 20)
            if sets_times:
                os.utime(plain, ns=(times.st_atime_ns, times.st_mtime_ns))

        (encoder / "SHA256SUMS").write_text(subprocess.run(
            ["sha256sum", "model.safetensors"], cwd=encoder, capture_output=True, text=True).stdout)
        write(bytes(8 << 20))
        assert service.wait_until(lambda: str(plain) in running.log(), 1.5)
        assert never_others(running, expected, 4) == 0
        # What needs no encoder goes on, and whoever runs the service is told.
        assert running.post("/denoise/embedding", rows(1))[0] == 200
        assert ready(running)[0] == 503
        write(whole[60 << 20:68 << 20])
        assert service.wait_until(lambda: "reloaded the encoder" in running.log(), 120), running.log()
        assert never_others(running, expected, 2) > 0
        assert ready(running)[0] == 200


def test_of_an_unknown_file_written_over_in_place_hup_says_that_it_is_whole(encoder):
    plain = encoder / "model.safetensors"
    (encoder / "model.packed.safetensors").unlink()
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        overwrite(plain, bytes(4 << 20), at=60 << 20)
        until(running, "nothing says that it is whole; SIGHUP", 120)
        assert never_others(running, expected, 1) == 0
        running.process.send_signal(signal.SIGHUP)
        until(running, "reloaded: ")
        assert not are_alike(numbers(running), expected)


def test_an_encoder_cut_short_in_place_is_refused_and_named(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, packed = numbers(running), encoder / "model.packed.safetensors"
        os.truncate(packed, 1_000_000)
        never_others(running, expected, 30, lambda: "reloaded the encoder" in running.log())
        assert str(packed) in running.log()
        assert never_others(running, expected, 2) > 0


def test_a_file_cut_short_in_the_middle_of_a_request_ends_the_process_with_a_line(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        packed = encoder / "model.packed.safetensors"
        answer = in_background(running.post, "/denoise/text", ENDLESS)
        # Once it computes: a request that begins later would be refused.
        assert service.wait_until(lambda: figure(running, "denoiser_tokens_total") > 0, 60)
        os.truncate(packed, 1_000_000)
        assert running.process.wait(20) == 74
        lines = [line for line in running.log().splitlines() if "cannot be read any more" in line]
        assert len(lines) == 1 and lines[0].startswith(f"denoiser: {packed}: ")
        assert answer.result(20)[0] == 503


def test_files_that_are_replaced_by_renaming_are_taken_up_without_a_refusal(encoder):
    packed = encoder / "model.packed.safetensors"
    kept = packed.rename(encoder.parent / "kept")
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        shutil.copy(kept, encoder / "beside")
        os.rename(encoder / "beside", packed)
        for name in ("model.safetensors", "vocab.txt", "config.json"):
            shutil.copy(encoder / name, encoder / "beside")
            os.rename(encoder / "beside", encoder / name)
            assert are_alike(numbers(running), expected)
        asked = 3 + never_others(running, expected, 20, lambda: "reloaded the encoder" in running.log())
        assert asked > 3
        assert f"{packed} was replaced; the encoder read before goes on meanwhile" in running.log()
        assert never_others(running, expected, 2, least=4) > 3


def test_a_vocabulary_that_is_just_being_copied_is_not_taken_up(encoder):
    """Its first half is a vocabulary, too."""
    vocabulary = encoder / "vocab.txt"
    whole = vocabulary.read_bytes()
    half = whole[:whole.index(b"\n", len(whole) // 2) + 1]
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        with open(vocabulary, "wb") as file:
            file.write(half)
        assert never_others(running, expected, 4, least=4) > 3
        assert f"{vocabulary} was written over in place" in running.log()
        assert "reloaded the encoder" not in running.log()
        vocabulary.write_bytes(whole)
        until(running, "reloaded the encoder", 20)
        assert never_others(running, expected, 2, least=4) > 3


@needs_strace
def test_files_that_are_replaced_while_others_are_read_are_all_taken_up(encoder):
    """An upgrade is one renaming after the other, and a reload may come between two."""
    def replace(name, content):
        (encoder / "beside").write_bytes(content)
        os.rename(encoder / "beside", encoder / name)

    configuration = json.loads((encoder / "config.json").read_text())
    other = json.dumps(configuration | {"layer_norm_eps": 1e-3}).encode()
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        with meddling(running, str(encoder / "model.safetensors"), "delay_enter=1500000"):
            replace("vocab.txt", (encoder / "vocab.txt").read_bytes())
            running.process.send_signal(signal.SIGHUP)
            # By now the configuration is read, and the weights are not.
            time.sleep(0.8)
            replace("config.json", other)
            until(running, "reloaded: ", 30)
        assert service.wait_until(lambda: not are_alike(numbers(running), expected), 10), running.log()


@needs_strace
def test_packed_weights_that_could_not_be_opened_for_a_moment_are_used_a_little_later(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, packed = numbers(running), encoder / "model.packed.safetensors"
        shutil.copy(packed, encoder / "beside")
        with meddling(running, str(packed), "error=EMFILE:when=1..2"):
            os.rename(encoder / "beside", packed)
            until(running, f"{packed}: cannot open: Too many open files; texts are slower until it can be read", 10)
            assert are_alike(numbers(running), expected)
            until(running, "reloaded the encoder", 10)
        assert numbers(running) == expected
