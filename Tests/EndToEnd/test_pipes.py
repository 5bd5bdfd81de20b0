"""A pipe that nobody writes to, or a folder, in the place of each file that the service reads: nothing waits for it."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from support import service
from support.configuration import check, reload
from support.inside import ready, version
from support.service import MODEL, until
from support.uploads import sentences, upload

ENCODER_FILES = ["config.json", "vocab.txt", "model.safetensors"]


def put(make, path):
    """Puts what `make` makes in the place of `path`, by a rename as if it were an upgrade."""
    beside = path.with_name(path.name + ".beside")
    make(beside)
    if path.is_file():
        path.unlink()
    beside.rename(path)


def run(folder, *arguments, stdin=None):
    """A command in `folder`, which must end: status, and the lines of both outputs."""
    done = subprocess.run(
        [str(service.BINARY), *arguments], cwd=folder, env={**os.environ, "ENCODER_PATH": service.ENCODER},
        input=stdin, capture_output=True, text=True, timeout=20)
    return done.returncode, (done.stdout + done.stderr).splitlines()


MAKERS = pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])


def encoder_in(folder):
    encoder = folder / "encoder"
    encoder.mkdir()
    for name in ENCODER_FILES:
        (encoder / name).symlink_to(pathlib.Path(service.ENCODER) / name)
    return encoder


@MAKERS
@pytest.mark.parametrize("name", ["keys", *ENCODER_FILES])
def test_at_the_start_it_is_refused_in_one_line_that_names_it(tmp_path, make, name):
    encoder = encoder_in(tmp_path)
    put(make, encoder / name if name in ENCODER_FILES else tmp_path / name)
    options = ["--encoder", str(encoder), "--model", "m.pt", "--socket", "s"]
    if name == "keys":
        os.chmod(tmp_path / name, 0o600)
        options += ["--keys", name]
    status, lines = run(tmp_path, "serve", *options)
    assert status == 78 and len(lines) == 1 and name in lines[0], lines
    status, lines = run(tmp_path, "serve", "--check", *options)
    assert status == 78 and [name in line for line in lines if line.startswith("problem")] == [True], lines


@MAKERS
def test_under_a_running_service_it_changes_nothing_and_stopping_goes_on(tmp_path, make):
    keys = tmp_path / "keys"
    keys.write_text("train 0123456789abcdef\n")
    keys.chmod(0o600)
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=lambda folder: (
            folder / "run/denoiser.ini").write_text(f"keys = {keys}\n")) as running:
        put(make, keys)
        os.chmod(keys, 0o600)
        reload(running)
        assert "not reloaded, all stays as it was" in running.log() and str(keys) in running.log()
        assert upload(running)[0] == 401
        assert service.stop(running.process, seconds=10) == 0


@MAKERS
@pytest.mark.parametrize("name", ENCODER_FILES)
def test_in_the_encoders_folder_of_a_running_service_it_is_named_and_texts_are_answered_on(tmp_path, make, name):
    encoder = encoder_in(tmp_path)
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        before = running.post("/denoise/text", {"texts": ["a"]})[2]["denoised_embeddings"]
        put(make, encoder / name)
        assert service.wait_until(
            lambda: any(name in line for line in running.log().splitlines()[3:]), 20), running.log()
        running.process.send_signal(signal.SIGHUP)
        until(running, "not reloaded, all stays as it was")
        status, _, answer = running.post("/denoise/text", {"texts": ["a"]})
        # With other weights only, if at all.
        assert status == 503 or answer["denoised_embeddings"] == before
        assert service.stop(running.process, seconds=10) == 0


def trained(folder, count):
    """A model and `count` kept versions before it."""
    model = folder / "m.pt"
    for number in range(count + 1):
        status, lines = run(
            folder, "train", "-", "--epochs", "1", "--denoiser", "autoencoder", "--activate", "always",
            "--model", str(model), stdin=sentences(30, seed=number))
        assert status == 0, lines
    return model


@MAKERS
def test_as_a_kept_version_it_is_left_out_and_told(tmp_path, make):
    model = trained(tmp_path, 2)
    newest = sorted((tmp_path / "m.pt.versions").glob("2-*.pt"))[0]
    put(make, newest)
    status, lines = run(tmp_path, "models", "--model", "m.pt")
    assert status == 0 and any(newest.stem in line and "not a regular file" in line for line in lines), lines
    status, lines = run(tmp_path, "models", "--restore", newest.stem, "--model", "m.pt")
    assert status != 0 and len(lines) == 1, lines
    # The start with a damaged model takes the one before it.
    model.write_bytes(b"damaged")
    status, lines = check(tmp_path, "--model", "m.pt")
    assert status == 78 and "serve would start with 1-" in "\n".join(lines), lines


@MAKERS
def test_in_the_models_place_the_newest_whole_version_is_served(tmp_path, make):
    kept = []

    def prepare(folder):
        model = trained(folder / "models", 2)
        kept.append(sorted((folder / "models/m.pt.versions").glob("2-*.pt"))[0].stem)
        put(make, model)
    with service.running("--model", "models/m.pt", "--epochs", "1", prepare=prepare) as running:
        assert version(running) == kept[0]
        assert f"models/m.pt: not a regular file; serving {kept[0]} in its place" in running.log()
        assert "not a regular file" in ready(running)[1]["behind"]
        status, lines = check(running.folder, "--model", "models/m.pt")
        assert status == 78 and f"serve would start with {kept[0]} in its place" in "\n".join(lines)
        # What is no file may be somebody's data: it is not replaced.
        assert upload(running, sentences(30))[0] == 500 and version(running) == kept[0]
        model = running.folder / "models/m.pt"
        os.rmdir(model) if model.is_dir() else model.unlink()
        shutil.copy(MODEL, model)
        assert service.wait_until(lambda: version(running) != kept[0], 5)
        assert service.stop(running.process, seconds=10) == 0


@MAKERS
def test_in_the_models_place_without_a_version_it_is_a_wrong_name(tmp_path, make):
    make(tmp_path / "m.pt")
    status, lines = run(tmp_path, "serve", "--model", "m.pt", "--socket", "s")
    assert status == 78 and len(lines) == 1 and "m.pt: not a regular file" in lines[0], lines
