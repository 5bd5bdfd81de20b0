"""The lock that one training run holds: who may hold it, and what becomes of two runs when its file goes."""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from support import service
from support.inside import figure, version
from support.service import MODEL
from support.uploads import sentences, upload
from support.work import in_background

OPTIONS = ["--denoiser", "autoencoder", "--activate", "always"]


def lock_of(running):
    return pathlib.Path(running.model + ".lock")


def chain(model):
    """Each version and its parent, newest first; the built-in one has none."""
    run = subprocess.run([str(service.BINARY), "models", "--model", str(model)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return re.findall(r"^[* ] (\d+-[0-9a-f]+)(?:  from (\S+))?", run.stdout, re.MULTILINE)


@pytest.mark.skipif(os.getuid() != 0, reason="another user is needed")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0])
def test_another_user_cannot_hold_it(mask):
    before = os.umask(mask)
    try:
        with service.running("--epochs", "1", *OPTIONS, model=MODEL, prepare=lambda folder: folder.chmod(0o755)) as running:
            (running.folder / "models").chmod(0o755)
            assert upload(running, sentences(30))[0] == 200
            assert lock_of(running).stat().st_mode & 0o777 == 0o600
            # An old one that others could read is put right by the next run.
            lock_of(running).chmod(0o644)
            assert upload(running, sentences(30))[0] == 200
            hold = subprocess.run(
                ["flock", "--nonblock", str(lock_of(running)), "true"], user=65534, group=65534, extra_groups=[],
                capture_output=True, text=True)
            assert hold.returncode != 0 and "Permission denied" in hold.stderr, hold
            assert upload(running, sentences(30))[0] == 200
    finally:
        os.umask(before)


@contextlib.contextmanager
def training(model, lines, epochs):
    """A run of the command that has begun to train; ends with its status and its lines."""
    process = subprocess.Popen(
        [str(service.BINARY), "train", "-", "--epochs", str(epochs), *OPTIONS, "--model", str(model)],
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    try:
        process.stdin.write(sentences(lines))
        process.stdin.close()
        assert process.stdout.readline().startswith("epoch ")
        yield process
    finally:
        service.stop(process)


@pytest.mark.parametrize("replaced", [False, True])
def test_two_runs_whose_lock_file_went_do_not_publish_over_each_other(replaced):
    """The first cannot end before the second: it is told so long after the second is live."""
    with service.running("--epochs", "2", *OPTIONS, model=MODEL) as running:
        assert upload(running, sentences(40, seed=1))[0] == 200
        with training(running.model, 40, 400) as first:
            lock_of(running).unlink()
            if replaced:
                shutil.copy("/dev/null", lock_of(running))
            status, headers, answer = upload(running, sentences(40, seed=2))
            assert status == 200, answer
            output, status = first.stdout.read(), first.wait(60)
        live = headers["x-model-version"]
        # It met the lock of the second, or what that has published.
        assert status == 75 and output.splitlines()[-1].startswith("denoiser: another training run"), output
        assert version(running) == live
        versions = [entry for entry in chain(running.model) if entry[1]]
        assert [parent for _, parent in versions[:-1]] == [name for name, _ in versions[1:]], versions
        assert len(versions) == 3
        # Nothing was lost: the next one is made from what is live.
        status, headers, answer = upload(running, sentences(40, seed=3))
        assert status == 200 and not list(pathlib.Path(running.model).parent.glob("**/*.new")), answer


def test_an_upload_whose_lock_file_went_is_told_to_come_again():
    with service.running("--epochs", "300", *OPTIONS, model=MODEL) as running:
        answer = in_background(upload, running, sentences(60, seed=1))
        assert service.wait_until(lambda: figure(running, "denoiser_training_underway") == 1)
        lock_of(running).unlink()
        with open(os.devnull, "w") as quiet:
            other = subprocess.run(
                [str(service.BINARY), "train", "-", "--epochs", "1", *OPTIONS, "--model", running.model],
                input=sentences(40), text=True, stdout=subprocess.PIPE, stderr=quiet,
                env={**os.environ, "ENCODER_PATH": service.ENCODER}, timeout=60)
        assert other.returncode == 0
        status, headers, body = answer.result(60)
        assert status == 503 and headers["retry-after"], body
        assert service.wait_until(lambda: version(running) in other.stdout, 5)
