"""Where the output of a command goes, and what is left of the old one when a run fails."""
import concurrent.futures
import io
import json
import os
import resource
import signal
import stat
import subprocess

import numpy
import pytest
from support import service
from support.commands import TEXTS, denoiser, many_texts, refusal
from support.service import MODEL


def vectors(run):
    assert run.returncode == 0 and not run.stderr, run.stderr
    return numpy.array([json.loads(line) for line in run.stdout.splitlines()], numpy.float32)


def test_an_array_is_what_the_lines_are_and_replaces_the_old_with_its_rights(tmp_path):
    lines = vectors(denoiser(tmp_path, "embed", *TEXTS))
    assert lines.shape == (3, 384) and numpy.allclose(numpy.linalg.norm(lines, axis=1), 1, atol=1e-5)
    path = tmp_path / "v.npy"
    for mode in (0o644, 0o600, 0o664):
        path.write_bytes(b"old")
        path.chmod(mode)
        if os.getuid() == 0:
            os.chown(path, 1234, 4321)
        run = denoiser(tmp_path, "embed", *TEXTS, "-o", "v.npy")
        assert run.returncode == 0 and not run.stdout and not run.stderr
        assert (numpy.load(path) == lines).all()
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == mode
        assert os.getuid() != 0 or (status.st_uid, status.st_gid) == (1234, 4321)
    assert os.listdir(tmp_path) == ["v.npy"]


def test_an_array_goes_to_streams_as_it_comes(tmp_path):
    wanted = vectors(denoiser(tmp_path, "embed", *TEXTS))
    for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        run = denoiser(tmp_path, "embed", *TEXTS, "--output", name)
        assert run.returncode == 0 and (numpy.load(io.BytesIO(run.stdout)) == wanted).all(), name
    # Standard output is a file that holds something already.
    for name in ("-", "/dev/stdout", "sink"):
        (tmp_path / "sink").write_bytes(b"before")
        with open(tmp_path / "sink", "ab") as sink:
            assert denoiser(tmp_path, "embed", *TEXTS, "--output", name, stdout=sink).returncode == 0
        written = (tmp_path / "sink").read_bytes()
        assert written[:6] == b"before" and (numpy.load(io.BytesIO(written[6:])) == wanted).all(), name
    os.mkfifo(tmp_path / "pipe")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        assert denoiser(tmp_path, "embed", *TEXTS, "--output", "pipe").returncode == 0
        assert (numpy.load(io.BytesIO(read.result(30))) == wanted).all()
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert denoiser(tmp_path, "embed", *TEXTS, "-o", "/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_an_output_is_written_where_a_link_points(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "v.npy").symlink_to("next.npy")
    (tmp_path / "next.npy").symlink_to("real/v.npy")
    wanted = vectors(denoiser(tmp_path, "embed", *TEXTS))
    for _ in range(2):
        assert denoiser(tmp_path, "embed", *TEXTS, "-o", "v.npy").returncode == 0
        assert (numpy.load(tmp_path / "real/v.npy") == wanted).all()
        assert (tmp_path / "v.npy").is_symlink() and (tmp_path / "next.npy").is_symlink()
        assert os.listdir(tmp_path / "real") == ["v.npy"]
    # Models too, and where the folder is missing.
    (tmp_path / "text").write_text("a\nb\n")
    (tmp_path / "m.pt").symlink_to("far/away/m.pt")
    for _ in range(2):
        assert denoiser(tmp_path, "train", "text", "--epochs", "1", "--model", "m.pt").returncode == 0
        assert (tmp_path / "m.pt").is_symlink()
    assert sorted(os.listdir(tmp_path / "far/away")) == ["m.pt", "m.pt.lock", "m.pt.versions"]
    assert len(denoiser(tmp_path, "models", "--model", "m.pt").stdout.splitlines()) >= 2


@pytest.mark.parametrize("output, status, words", [
    ("v.npz", 64, '--output is "v.npz"'), ("v.txt", 64, ".npy"), ("v", 64, ".npy"), ("", 64, ".npy"),
    (".npy", 64, ".npy"), ("v.NPY", 64, ".npy"), ("v.npy.gz", 64, ".npy"), ("folder", 64, ".npy"),
    ("no/v.npy", 74, "there is no folder no"), ("text/v.npy", 74, "text/v.npy: cannot create: Not a directory"),
    ("folder.npy", 74, "cannot write folder.npy: Is a directory"),
    ("/dev/full", 74, "cannot write /dev/full: No space left on device"),
    ("full.npy", 74, "cannot write full.npy: No space left on device"),
    ("circle.npy", 74, "circle.npy: cannot create: Too many levels of symbolic links"),
    ("lost.npy", 74, "lost.npy: cannot create: No such file or directory"),
])
def test_an_output_that_cannot_be_written_is_refused_in_one_line(tmp_path, output, status, words):
    for folder in ("folder", "folder.npy"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text").write_text("a\nb\n")
    for link, target in (("full.npy", "/dev/full"), ("circle.npy", "circle.npy"), ("lost.npy", "no/x.npy")):
        (tmp_path / link).symlink_to(target)
    before = sorted(os.listdir(tmp_path))
    assert words in refusal(tmp_path, "embed", "a", "--output", output, status=status)
    if status == 64:
        # Before anything is read or loaded.
        line = refusal(
            tmp_path, "embed", "--input", "missing", "-o", output, status=status, environment={"ENCODER_PATH": "none"})
        assert words in line
    assert sorted(os.listdir(tmp_path)) == before and (tmp_path / "full.npy").is_symlink()


def test_a_run_that_fails_or_is_ended_leaves_the_old_output(tmp_path):
    many_texts(tmp_path, 40000)
    (tmp_path / "v.npy").write_bytes(b"old")

    def is_untouched():
        return (tmp_path / "v.npy").read_bytes() == b"old" and sorted(os.listdir(tmp_path)) == ["texts", "v.npy"]

    # Beyond the limit of file sizes, as on a disk that is full: 200 texts would fit.
    line = refusal(
        tmp_path, "embed", "--input", "texts", "-o", "v.npy", status=74,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (307_200, 307_200)))
    assert "v.npy: cannot write: File too large" in line and is_untouched()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = subprocess.Popen(
            [str(service.BINARY), "embed", "--input", "texts", "-o", "v.npy"], cwd=tmp_path,
            env={**os.environ, "ENCODER_PATH": service.ENCODER}, stderr=subprocess.DEVNULL,
            # A shell's background job ignores SIGINT, and what nohup starts SIGHUP; what is ignored stays so.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        assert service.wait_until(lambda: list(tmp_path.glob(".v.npy.*.new")))
        process.send_signal(number)
        assert process.wait(20) == -number and is_untouched(), number
    # What a killed run leaves is removed by the next.
    process = subprocess.Popen(
        [str(service.BINARY), "embed", "--input", "texts", "-o", "v.npy"], cwd=tmp_path,
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, stderr=subprocess.DEVNULL)
    assert service.wait_until(lambda: list(tmp_path.glob(".v.npy.*.new")))
    process.kill()
    process.wait()
    assert (tmp_path / "v.npy").read_bytes() == b"old"
    assert denoiser(tmp_path, "embed", "a", "-o", "v.npy").returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["texts", "v.npy"]


@pytest.mark.parametrize("command", [
    ["embed", "a"], ["denoise", "a", "--model", str(MODEL)], ["tokenize", "a"],
    ["similarity", "a", "b", "--model", str(MODEL)], ["evaluate", "text", "--model", str(MODEL)],
    ["models", "--model", str(MODEL)], ["train", "text", "--epochs", "1", "--output", "m.pt"]])
def test_a_standard_output_that_is_full_is_an_error(tmp_path, command):
    (tmp_path / "text").write_text("a\nb\n")
    with open("/dev/full", "wb") as full:
        run = denoiser(tmp_path, *command, stdout=full)
    assert run.returncode == 74
    assert run.stderr.decode().splitlines()[-1] == (
        "denoiser: cannot write standard output: No space left on device")


@pytest.mark.parametrize("command", [["tokenize"], ["embed"], ["embed", "--output", "-"]])
@pytest.mark.parametrize("is_ignored", [False, True])
def test_a_standard_output_that_is_closed_ends_the_command_quietly(tmp_path, command, is_ignored):
    many_texts(tmp_path, 20000)
    process = subprocess.Popen(
        [str(service.BINARY), *command, "--input", "texts"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "ENCODER_PATH": service.ENCODER},
        restore_signals=not is_ignored)
    assert len(process.stdout.read(100)) == 100
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(20) == -signal.SIGPIPE
