"""The model's file gone, damaged or no file at all, under a running service."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from support import service
from support.configuration import check
from support.fastcgi_peer import Peer, request
from support.inside import ready, version
from support.service import MODEL, until
from support.uploads import sentences, upload
from support.work import rows


def test_without_its_file_the_model_stays_until_hup_and_then_the_built_in_one_answers():
    with service.running(model=MODEL) as running:
        before = version(running)
        os.unlink(running.model)
        assert service.wait_until(lambda: version(running) and "is gone; still serving" in running.log(), 5)
        assert version(running) == before
        assert "no such file" in ready(running)[1]["behind"]
        running.process.send_signal(signal.SIGHUP)
        until(running, "reloaded: ")
        assert version(running) != before and version(running).startswith("1-")
        assert "behind" not in ready(running)[1]
        assert f"is gone: {version(running)} is live in place of {before}" in running.log()
        # A new one is served as ever.
        shutil.copy(MODEL, running.model)
        assert service.wait_until(lambda: version(running) == before, 5)


def test_without_its_file_and_a_built_in_one_none_is_loaded_after_hup():
    with service.running("--no-default-model", model=MODEL) as running:
        os.unlink(running.model)
        running.process.send_signal(signal.SIGHUP)
        until(running, "reloaded: ")
        assert running.post("/denoise/embedding", rows(1))[0] == 503


def damaged(folder, *, versions):
    """A model of which the last 1,000 bytes are lost, and kept versions before it; returns its bytes."""
    model = folder / "models/embedding_denoiser.pt"
    for number in range(versions + 1):
        run = subprocess.run(
            [str(service.BINARY), "train", "-", "--epochs", "1", "--model", str(model)],
            input=sentences(30, seed=number), text=True, capture_output=True,
            env={**os.environ, "ENCODER_PATH": service.ENCODER})
        assert run.returncode == 0, run.stderr
    content = model.read_bytes()[:-1000]
    model.write_bytes(content)
    return content


@pytest.mark.parametrize("versions", [0, 2])
def test_over_a_damaged_model_the_newest_whole_version_is_served_until_an_upload(versions):
    content = []
    with service.running("--epochs", "1", prepare=lambda folder: content.append(
            damaged(folder, versions=versions))) as running:
        served = version(running)
        # Without a kept version, the one that is built in.
        assert served.startswith("2-" if versions else "1-")
        assert f"serving {served} in its place" in running.log()
        assert "embedding_denoiser.pt" in ready(running)[1]["behind"]
        status, lines = check(running.folder, "--model", running.model)
        problem = next(line for line in lines if line.startswith("problem"))
        assert status == 78 and f"serve would start with {served} in its place" in problem
        status, headers, answer = upload(running, sentences(40))
        assert status == 200, answer
        assert version(running) == headers["x-model-version"]
        assert headers["x-model-version"].startswith("4-" if versions else "2-")
        assert "behind" not in ready(running)[1]
        # Nothing is lost, not even what there was of the damaged one.
        kept = running.folder / "models/embedding_denoiser.pt.versions"
        assert (kept / "damaged.pt").read_bytes() == content[0]
        assert len(list(kept.glob("*-*.pt"))) == versions


def test_what_is_no_file_is_not_replaced(tmp_path):
    for make in (pathlib.Path.mkdir, os.mkfifo):
        path = tmp_path / f"m{make.__name__}.pt"
        make(path)
        run = subprocess.run(
            [str(service.BINARY), "train", "-", "--epochs", "1", "--model", str(path)], input=sentences(30),
            text=True, capture_output=True, env={**os.environ, "ENCODER_PATH": service.ENCODER}, timeout=60)
        assert run.returncode != 0 and "not a regular file" in run.stderr
        assert not path.is_file()


def test_a_500_names_no_folder_but_the_log_does():
    def prepare(folder):
        (folder / "models/own.pt").mkdir()
    with service.running("--epochs", "1", prepare=prepare, environment={"MODEL_PATH": "models/none.pt"}) as running:
        folder = running.folder / "models/sub"
        folder.mkdir()
        # A folder in the file's place, named in full.
        other = service.start_responder(
            running.folder, "--epochs", "1", "--socket", "run/other.sock", "--model", str(folder / "m.pt"))
        try:
            service.wait_until((running.folder / "run/other.sock").exists)
            (folder / "m.pt").mkdir()
            body = (b'--X\r\nContent-Disposition: form-data; name="file"; filename="t"\r\n\r\n'
                    + sentences(30).encode() + b"\r\n--X--\r\n")
            with Peer(str(running.folder / "run/other.sock")) as peer:
                peer.send(request("/upload/", body, content_type="multipart/form-data; boundary=X"))
                reply = peer.reply()
            detail = json.loads(reply.body)["detail"]
            assert reply.status == 500 and detail == "處理失敗: m.pt: not a regular file"
            assert service.wait_until(lambda: f"training failed: {folder}/m.pt: not a regular" in running.log(), 5)
        finally:
            service.stop(other)
