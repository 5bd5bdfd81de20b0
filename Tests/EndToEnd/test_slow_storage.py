"""Storage that is slow, or refuses for a moment."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from support import service
from support.inside import figure, ready, version
from support.service import MODEL, until
from support.tracing import meddling, needs_strace
from support.uploads import sentences
from support.work import rows


@needs_strace
def test_slow_storage_under_the_model_delays_no_request():
    with service.running(model=MODEL) as running:
        model = "models/embedding_denoiser.pt"
        with meddling(running, model, "delay_enter=6000000"):
            os.utime(running.model)
            time.sleep(0.5)
            began = time.monotonic()
            for _ in range(20):
                assert running.get("/health")[0] == 200
                assert running.post("/denoise/embedding", rows(1))[0] == 200
            took = time.monotonic() - began
            print(f"40 requests in {took:.2f} s")
            assert took < 5


@needs_strace
def test_a_signal_to_stop_is_heard_in_the_middle_of_a_reload():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=prepare) as running:
        with meddling(running, "run/denoiser.ini", "delay_enter=8000000"):
            running.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            began = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            until(running, "stopping: signal 15", 5)
            print(f"heard after {time.monotonic() - began:.2f} s")


# What the system refuses for a moment.

@needs_strace
@pytest.mark.parametrize("error, words", [
    ("EMFILE", "Too many open files"), ("EIO", "Input/output error"), ("EACCES", "Permission denied")])
def test_a_model_that_could_not_be_read_for_a_moment_is_read_a_little_later(error, words, tmp_path):
    with service.running(model=MODEL) as running:
        before = version(running)
        train = [str(service.BINARY), "train", "-", "--epochs", "1", "--model", running.model]
        assert subprocess.run(
            train, input=sentences(30), text=True, capture_output=True,
            env={**os.environ, "ENCODER_PATH": service.ENCODER}).returncode == 0
        # Published, but under another name so far.
        new = pathlib.Path(running.model).rename(tmp_path / "new.pt")
        shutil.copy(MODEL, running.model)
        assert service.wait_until(lambda: version(running) == before)
        with meddling(running, "models/embedding_denoiser.pt", f"error={error}:when=1..2"):
            shutil.copy(new, running.folder / "models/beside")
            os.rename(running.folder / "models/beside", running.model)
            assert service.wait_until(lambda: version(running) and words in running.log(), 5), running.log()
            assert version(running) == before
            status, page = ready(running)
            assert status == 200 and words in page["behind"]
            assert figure(running, "denoiser_model_behind") == 1
            # Nobody touches the file again.
            assert service.wait_until(lambda: version(running) != before, 10), running.log()
        assert "behind" not in ready(running)[1]
        assert figure(running, "denoiser_model_behind") == 0


@needs_strace
def test_a_reload_that_the_system_refused_for_a_moment_is_done_a_little_later():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=prepare) as running:
        (running.folder / "run/denoiser.ini").write_text("rows = 4\n")
        with meddling(running, "run/denoiser.ini", "error=EMFILE:when=1"):
            running.process.send_signal(signal.SIGHUP)
            until(running, "not reloaded, all stays as it was: cannot read run/denoiser.ini: Too many open", 5)
            assert running.log().rstrip().endswith("; tried again in 1.0 s")
            until(running, "reloaded: ", 5)
        assert running.post("/denoise/embedding", rows(4))[0] == 200
