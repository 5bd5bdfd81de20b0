"""The command line as people use it: files that are missing, bytes that are not UTF-8, outputs, terminals."""
import concurrent.futures
import contextlib
import fcntl
import io
import json
import os
import pty
import resource
import signal
import stat
import struct
import subprocess
import termios

import numpy
import pytest
from support import service

MODEL = service.TOP / "Tests/ModelFilesTests/Fixtures/embedding_denoiser.pt"


def denoiser(folder, *arguments, environment=None, **options):
    """Runs a command in `folder`, where no model is; status, standard output and standard error as bytes."""
    variables = {key: value for key, value in os.environ.items() if key != "MODEL_PATH"}
    return subprocess.run(
        [str(service.BINARY), *arguments], cwd=folder, timeout=120,
        env={**variables, "ENCODER_PATH": service.ENCODER, **(environment or {})},
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})


def refusal(folder, *arguments, status, **options):
    """The one line with which a command is refused."""
    run = denoiser(folder, *arguments, **options)
    lines = run.stderr.decode().splitlines()
    assert run.returncode == status and len(lines) == 1 and not run.stdout, (run.returncode, run.stdout, lines)
    assert lines[0].startswith("denoiser: "), lines
    return lines[0]


# Bytes that are not UTF-8.

@pytest.mark.parametrize("arguments, words", [
    (["embed", b"caf\xe9"], r'argument 2, byte 4: 0xE9 is not UTF-8: "caf\xE9"'),
    (["similarity", "a", "é ".encode() + b"\x80"], r'argument 3, byte 4: 0x80 is not UTF-8: "\xC3\xA9 \x80"'),
    (["tokenize", b"\xff\xfe"], r"argument 2, byte 1: 0xFF"),
    (["embed", "a", "--output", b"\xe4.npy"], r"argument 4, byte 1: 0xE4"),
    (["models", b"--model=\xed\xa0\x80.pt"], r"argument 2, byte 9: 0xED"),
    ([b"\xf0\x9f\x98"], "argument 1, byte 1: 0xF0"),
])
def test_an_argument_that_is_not_utf_8_is_refused_with_its_place(tmp_path, arguments, words):
    assert words in refusal(tmp_path, *arguments, status=64)


@pytest.mark.parametrize("name, command", [
    ("MODEL_PATH", ["models"]), ("MODEL_PATH", ["denoise", "a"]), ("ENCODER_PATH", ["tokenize", "a"]),
    ("ENCODER_PATH", ["pack"]),
])
def test_a_variable_that_is_not_utf_8_is_refused(tmp_path, name, command):
    line = refusal(tmp_path, *command, status=64, environment={name: os.fsdecode(b"m\xf6dell")})
    assert f"{name}, byte 2: 0xF6 is not UTF-8" in line
    # What is not used is not looked at.
    assert denoiser(tmp_path, "help", environment={name: os.fsdecode(b"\xff")}).returncode == 0


@pytest.mark.parametrize("text, place", [
    (b"one\ntwo\ncaf\xe9\n", "line 3, byte 4: 0xE9"),
    ("日本\r\nx".encode() + b"\xff\r\n", "line 2, byte 2: 0xFF"),
    (b"one\rtwo\r\xa0", "line 3, byte 1: 0xA0"),
    (b"cut \xe2\x82", "line 1, byte 5: 0xE2"),
    ("one\n".encode("utf-16"), "line 1, byte 1: 0xFF is not UTF-8; this looks like UTF-16"),
])
@pytest.mark.parametrize("command", [
    ["train"], ["evaluate"], ["embed", "--input"], ["denoise", "--input"], ["tokenize", "--input"],
    ["embed", "--jsonl", "--input"]])
def test_a_file_that_is_not_utf_8_is_refused_with_line_and_byte(tmp_path, command, text, place):
    (tmp_path / "text").write_bytes(text)
    assert f"text, {place}" in refusal(tmp_path, *command, "text", status=65)
    line = refusal(tmp_path, *command, "-", status=65, stdin=None, input=text)
    assert f"standard input, {place}" in line
    assert os.listdir(tmp_path) == ["text"]


def test_a_configuration_or_key_file_that_is_not_utf_8_is_refused_with_line_and_byte(tmp_path):
    (tmp_path / "d.ini").write_bytes(b"rows = 7\n# gr\xfcn\n")
    assert "d.ini, line 2, byte 5: 0xFC" in refusal(tmp_path, "serve", "--config", "d.ini", status=78)
    (tmp_path / "keys").write_bytes(b"\x80\n")
    (tmp_path / "keys").chmod(0o600)
    line = refusal(tmp_path, "serve", "--keys", "keys", "--socket", "s", status=78)
    assert "keys, line 1, byte 1: 0x80" in line


# Command lines that cannot be understood.

@pytest.mark.parametrize("arguments, words", [
    (["embed", "-5 degrees"], 'a text that begins with - stands behind --: denoiser embed -- "-5 degrees"'),
    (["denoise", "--noise-level", "0", "--hello there"], 'denoiser denoise -- "--hello there"'),
    (["tokenize", "--jsonl", "-"], None),
    (["similarity", "-a", "b"], 'denoiser similarity -- "-a"'),
    (["similarity", "b", "-a"], 'denoiser similarity -- "-a"'),
    (["embed", "--inptu", "x"], "Did you mean '--input'? A text that begins with -"),
    (["embed", "--input"], "Missing value for '--input <file>' (see: denoiser help embed)"),
    (["denoise", "--noise-level", "-1", "x"], "denoiser help denoise"),
    (["train"], "(see: denoiser help train)"),
    (["train", "--eopchs", "3", "x"], "Did you mean '--epochs'? (see: denoiser help train)"),
    (["nonsense"], "'nonsense' (see: denoiser help)"),
])
def test_a_command_line_that_is_wrong_is_one_line_that_helps(tmp_path, arguments, words):
    if words:
        assert words in refusal(tmp_path, *arguments, status=64)
    else:
        assert denoiser(tmp_path, *arguments).returncode == 0


def test_a_text_that_begins_with_a_dash_stands_behind_two(tmp_path):
    ids = denoiser(tmp_path, "tokenize", "--", "-5 degrees", "--help").stdout.split(b"\n")
    # In bert-base-uncased's vocabulary "-" is 1011, "5" 1019, "degrees" 5445, "help" 2393.
    assert ids == [b"[101,1011,1019,5445,102]", b"[101,1011,1011,2393,102]", b""]
    for command in ["embed", "denoise", "tokenize", "similarity"]:
        text = denoiser(tmp_path, "help", command).stdout.decode()
        assert " -- " in text and "begins with -" in text


# Files that are named and missing, or not what they should be.

DEFAULT = "models/embedding_denoiser.pt"
READERS = [
    ["denoise", "a"], ["similarity", "a", "b"], ["evaluate", "text"], ["models"],
    ["train", "text", "--start", "continue", "--epochs", "1"]]


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("wrong, words", [
    ("typo.pt", "typo.pt: no such file ({} names it)"),
    ("no/folder.pt", "no/folder.pt: no such file ({} names it)"),
    ("text/m.pt", "text/m.pt: no such file ({} names it)"),
    ("dangling.pt", "dangling.pt: this link leads to no file ({} names it)"),
])
def test_a_named_model_that_is_missing_is_an_error_for_who_only_reads_it(tmp_path, command, wrong, words):
    (tmp_path / "text").write_text("a\nb\n")
    (tmp_path / "dangling.pt").symlink_to("nowhere.pt")
    before = sorted(os.listdir(tmp_path))
    for arguments, environment, namer in [
            (["--model", wrong], {}, "--model"), ([], {"MODEL_PATH": wrong}, "MODEL_PATH"),
            (["--model", wrong], {"MODEL_PATH": str(MODEL)}, "--model")]:
        line = refusal(tmp_path, *command, *arguments, status=78, environment=environment)
        assert words.format(namer) in line
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("command", READERS)
def test_the_default_in_place_of_a_missing_default_file_is_told_in_one_line(tmp_path, command):
    (tmp_path / "text").write_text("a\nb\n")
    # An empty variable is as none.
    run = denoiser(tmp_path, *command, environment={"MODEL_PATH": ""})
    lines = [line for line in run.stderr.decode().splitlines() if not line.startswith("epoch ")]
    assert run.returncode == 0 and len(lines) == 1, lines
    assert f"{DEFAULT}: no such file" in lines[0]
    if command[0] in ("denoise", "similarity", "evaluate"):
        assert "the built-in model is used" in lines[0]
    # One that is there is used in silence.
    (tmp_path / "models").mkdir(exist_ok=True)
    (tmp_path / DEFAULT).write_bytes(MODEL.read_bytes())
    run = denoiser(tmp_path, *command)
    lines = [line for line in run.stderr.decode().splitlines() if not line.startswith("epoch ")]
    assert run.returncode == 0 and lines == [] and run.stdout


@pytest.mark.parametrize("arguments, words", [
    (["denoise", "a", "--model", "folder"], "folder: "),
    (["denoise", "a", "--model", "empty"], "empty: "),
    (["denoise", "a", "--model", ""], "--model names no file"),
    (["tokenize", "a", "--encoder", ""], "--encoder names no folder"),
    (["embed", "a", "--encoder", "typo"], "typo: no such folder (--encoder names it)"),
    (["tokenize", "a", "--encoder", "empty"], "empty: not a folder (--encoder names it)"),
    (["pack", "--encoder", "typo"], "typo: no such folder (--encoder names it)"),
    (["similarity", "a", "b", "--encoder", "folder", "--model", str(MODEL)], "folder/"),
    (["train", "missing"], "missing: No such file"),
    (["train", "folder"], "folder: Is a directory"),
    (["evaluate", "folder"], "folder: Is a directory"),
    (["embed", "--input", "folder"], "folder: Is a directory"),
    (["tokenize", "--input", "missing"], "missing: No such file"),
    (["train", "empty"], "empty: no text to train on"),
    (["serve", "--config", "missing"], "missing: No such file or directory (--config names it)"),
    (["serve", "--keys", "missing"], "missing: No such file or directory (--keys names it)"),
    (["serve", "--keys", "folder"], "folder is no regular file"),
    (["serve", "--encoder", "typo"], "typo: no such folder (--encoder names it)"),
    (["serve", "--model", "folder", "--socket", "s"], "folder: "),
    (["train", "text", "--output", "m.npz"], "--output is"),
    (["train", "missing", "--output", "m"], ".pt, .pth, .safetensors"),
    (["train", "text", "--model", "m.onnx"], "--model is"),
    (["train", "text", "--output", ""], "--output names no file"),
    (["train", "text", "--output", "folder/.pt/m.txt"], ".pt, .pth, .safetensors"),
])
def test_a_file_that_is_not_what_it_should_be_is_named_in_one_line(tmp_path, arguments, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("a\nb\n")
    run = denoiser(tmp_path, *arguments)
    lines = run.stderr.decode().splitlines()
    assert run.returncode in (64, 65, 74, 78) and len(lines) == 1 and words in lines[0], (run.returncode, lines)
    assert sorted(os.listdir(tmp_path)) == ["empty", "folder", "text"] and not os.listdir(tmp_path / "folder")


def test_a_missing_encoder_is_named_with_the_variable(tmp_path):
    line = refusal(tmp_path, "embed", "a", status=78, environment={"ENCODER_PATH": "typo"})
    assert "typo: no such folder (ENCODER_PATH names it)" in line
    line = refusal(tmp_path, "embed", "a", status=78, environment={"ENCODER_PATH": ""})
    assert "models/all-MiniLM-L6-v2: no such folder; nginx/fetch-encoder fetches" in line


@pytest.mark.parametrize("arguments, variables, words", [
    ([], {}, f", the built-in one: {DEFAULT}: no such file"),
    (["--model", "typo.pt"], {}, ", the built-in one: typo.pt: no such file (--model names it)"),
    ([], {"MODEL_PATH": "typo.pt"}, ", the built-in one: typo.pt: no such file (MODEL_PATH names it)"),
    (["--no-default-model"], {}, f", model none: {DEFAULT}: no such file"),
    (["--model", str(MODEL)], {}, "denoiser.sock, model 0-d9b428b2"),
])
def test_serve_says_in_its_first_line_which_model_it_serves(arguments, variables, words):
    with service.running(*arguments, environment={"MODEL_PATH": "", **variables}) as running:
        first = running.log().splitlines()[0]
        assert words in first and ("built-in" in first) == ("built-in" in words), first
        # It may be made.
        assert running.get("/health")[2]["model_loaded"] is ("none" not in words)
        check = denoiser(running.folder, "serve", "--check", *arguments, environment=variables)
        told = [line for line in check.stdout.decode().splitlines() if " model: " in line]
        assert len(told) == 1 and told[0].startswith("ok ") and words.split(", model ")[-1] in told[0], told


def test_train_makes_the_model_that_is_named_and_missing(tmp_path):
    (tmp_path / "text").write_text("a\nb\n")
    for arguments in (["--model", "new/m.pt"], ["--output", "o.safetensors"], ["--output", "p.pth"]):
        run = denoiser(tmp_path, "train", "text", "--epochs", "1", *arguments)
        assert run.returncode == 0, run.stderr
        assert (tmp_path / arguments[1]).stat().st_size > 100_000
        run = denoiser(tmp_path, "similarity", "a", "a", "--model", arguments[1])
        assert run.returncode == 0 and not run.stderr
    # A file of another name that is there already is read, so it is written too.
    (tmp_path / "m.bin").write_bytes(MODEL.read_bytes())
    assert denoiser(tmp_path, "train", "text", "--epochs", "1", "--model", "m.bin").returncode == 0


# Where output goes.

TEXTS = ["hello world", "a cat sleeps", "the sea"]


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


def many_texts(folder, count):
    (folder / "texts").write_text("".join(f"text number {i}\n" for i in range(count)))


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


# The progress bar.

@contextlib.contextmanager
def terminal(columns, rows=24):
    """A terminal's two ends."""
    ours, theirs = pty.openpty()
    resize(ours, columns, rows)
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def resize(descriptor, columns, rows=24):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def drawn(folder, *arguments, columns=80, environment=None, shown="stderr", at=None):
    """What a command draws on a terminal of its own; `at` is called with the terminal after the first drawing."""
    variables = {key: value for key, value in os.environ.items()
                 if key not in ("LC_ALL", "LC_CTYPE", "LANG", "COLUMNS", "TERM", "MODEL_PATH")}
    variables |= {"ENCODER_PATH": service.ENCODER, "TERM": "xterm", "LANG": "C.UTF-8", **(environment or {})}
    with terminal(columns) as (ours, theirs):
        other = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [str(service.BINARY), *arguments], cwd=folder, stdin=subprocess.DEVNULL,
            env={key: value for key, value in variables.items() if value is not None},
            **{**other, shown: theirs})
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 4096):
                seen += chunk
                if at:
                    at(ours)
                    at = None
        assert process.wait(60) == 0, seen
        return seen.decode()


def lines_of(seen):
    """The lines that were drawn one over the other; the last is empty."""
    first, *lines = seen.split("\r\x1b[K")
    assert first == "" and lines[-1] == "", seen[-200:]
    return lines[:-1]


EMBED = ["embed", "--input", "texts", "--output", "v.npy"]


@pytest.mark.parametrize("columns, variables, most", [
    (80, {}, 79), (200, {}, 79), (40, {}, 39), (24, {}, 23), (14, {}, 13), (8, {}, 7), (4, {}, 3), (2, {}, 1),
    (0, {}, 79), (0, {"COLUMNS": "30"}, 29), (120, {"COLUMNS": "30"}, 29), (30, {"COLUMNS": "120"}, 29),
    (30, {"COLUMNS": "nonsense"}, 29), (0, {"COLUMNS": "0"}, 79),
])
def test_the_bar_keeps_to_the_terminals_width(tmp_path, columns, variables, most):
    many_texts(tmp_path, 1100)
    lines = lines_of(drawn(tmp_path, *EMBED, columns=columns, environment=variables))
    assert lines and all(len(line) <= most for line in lines) and not any("\n" in line for line in lines), lines
    last = lines[-1]
    if most >= 9:
        assert "1100/1100" in last
    elif most >= 4:
        assert last == "100%"
    if most >= 39:
        assert last.startswith("Embedding ██") and "░" in lines[0]
    if most == 79:
        assert last == "Embedding " + "█" * 30 + " 1100/1100  0 s left"


def test_the_bar_follows_a_window_that_changes(tmp_path):
    many_texts(tmp_path, 6000)
    lines = lines_of(drawn(tmp_path, *EMBED, columns=90, at=lambda ours: resize(ours, 25)))
    assert len(lines[0]) > 24 and lines[2:] and all(len(line) <= 24 for line in lines[2:]), lines


@pytest.mark.parametrize("variables, block", [
    ({"LANG": None}, "#"), ({"LANG": "C"}, "#"), ({"LANG": "de_DE.ISO-8859-1"}, "#"), ({"LANG": "de_DE"}, "#"),
    ({"LANG": "de_DE.utf8@euro"}, "█"), ({"LC_ALL": "POSIX"}, "#"), ({"LC_ALL": "", "LC_CTYPE": "C"}, "#"),
    ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, "█"), ({"LANG": "C", "LC_ALL": "C.UTF-8", "LC_CTYPE": "C"}, "█"),
    ({"LANG": "zh_TW.Big5"}, "#"),
])
def test_the_bar_is_drawn_in_the_locales_characters(tmp_path, variables, block):
    many_texts(tmp_path, 1100)
    seen = drawn(tmp_path, *EMBED, environment=variables)
    assert f"Embedding {block * 30} 1100/1100" in seen and seen.isascii() == (block == "#")


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": None}, {"TERM": ""}])
def test_where_a_line_cannot_be_drawn_again_there_is_no_bar(tmp_path, variables):
    many_texts(tmp_path, 1100)
    assert drawn(tmp_path, *EMBED, environment=variables) == ""
    (tmp_path / "texts").write_text("a\nb\n")
    seen = drawn(tmp_path, "train", "texts", "--epochs", "20", "--output", "m.pt", environment=variables)
    assert seen.count("epoch ") == 10 and "\x1b" not in seen
    # No terminal at all.
    run = denoiser(tmp_path, *EMBED, environment={"TERM": "xterm"})
    assert run.returncode == 0 and run.stderr == b""


def test_training_draws_one_bar_after_the_other_and_takes_them_away(tmp_path):
    many_texts(tmp_path, 300)
    seen = drawn(tmp_path, "train", "texts", "--epochs", "60", "--output", "m.pt", columns=100)
    lines = [line for line in lines_of(seen) if line]
    assert lines[0].startswith("Embedding ") and lines[-1].startswith("Training " + "█" * 30 + " 60/60  0 s left  loss 0.0")
    assert "epoch" not in seen and "\n" not in seen


def test_lines_on_the_terminal_are_not_mixed_with_a_bar(tmp_path):
    many_texts(tmp_path, 300)
    with terminal(80) as (ours, theirs):
        process = subprocess.Popen(
            [str(service.BINARY), "embed", "--input", "texts"], cwd=tmp_path, stdout=theirs, stderr=theirs,
            env={**os.environ, "ENCODER_PATH": service.ENCODER, "TERM": "xterm"})
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 1 << 16):
                seen += chunk
        assert process.wait(30) == 0
    assert b"\x1b" not in seen and len(seen.splitlines()) == 300
    # Bytes that are no text are not for a terminal.
    with terminal(80) as (ours, theirs):
        run = denoiser(tmp_path, "embed", "a", "--output", "-", stdout=theirs)
        os.close(theirs)
    assert run.returncode == 64 and b"a NumPy array is no text for a terminal" in run.stderr


def test_an_error_stands_on_a_line_of_its_own(tmp_path):
    many_texts(tmp_path, 2000)
    with terminal(80) as (ours, theirs):
        process = subprocess.Popen(
            [str(service.BINARY), *EMBED], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=theirs,
            env={**os.environ, "ENCODER_PATH": service.ENCODER, "TERM": "xterm"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)))
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 4096):
                seen += chunk
        assert process.wait(30) == 74
    assert seen.endswith(b"\r\x1b[Kdenoiser: v.npy: cannot write: File too large\r\n")


# Texts and files.

def test_a_text_that_names_a_file_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("hello world\nthe sea\n")
    (tmp_path / "folder").mkdir()
    for command in (["embed"], ["tokenize"], ["denoise", "--model", str(MODEL)]):
        for texts in (["notes.txt"], ["hello", "notes.txt"]):
            run = denoiser(tmp_path, *command, *texts)
            assert run.returncode == 0 and len(run.stdout.splitlines()) == len(texts)
            assert run.stderr.decode() == (
                'denoiser: "notes.txt" is taken as a text; --input notes.txt takes the lines of that file\n')
        for texts in (["hello world", "the sea"], ["folder"], ["missing.txt"], [""]):
            assert denoiser(tmp_path, *command, *texts).stderr == b""
        by_file = denoiser(tmp_path, *command, "--input", "notes.txt")
        assert by_file.stderr == b"" and by_file.stdout == denoiser(tmp_path, *command, "hello world", "the sea").stdout
    run = denoiser(tmp_path, "similarity", "a", "notes.txt", "--model", str(MODEL))
    assert run.returncode == 0 and run.stderr == b'denoiser: "notes.txt" is taken as a text: similarity reads no files\n'


def test_files_are_named_by_input_everywhere_and_arguments_of_train_still_work(tmp_path):
    (tmp_path / "a").write_text("".join(f"line {i}\n" for i in range(20)))
    (tmp_path / "b").write_text("the sea\nthe land")
    ways = [["a", "b"], ["--input", "a", "--input", "b"], ["-i", "a", "-i", "b"], ["a", "--input", "b"], ["-i", "a", "-i", "-"]]
    for command in (["train", "--epochs", "2", "--seed", "1", "--output", "m.pt"], ["evaluate", "--model", str(MODEL)]):
        told = set()
        for way in ways:
            with open(tmp_path / "b") as b:
                run = denoiser(tmp_path, *command, *way, stdin=b)
            assert run.returncode == 0, run.stderr
            rows = run.stdout.decode().splitlines()
            assert any(row.split()[:2] == ["lines", "22"] for row in rows)
            told.add("\n".join(row for row in rows if not row.startswith(("seconds", "model version"))))
        assert len(told) == 1
        assert "There is no text: name a file with --input" in refusal(tmp_path, *command, status=64)
    both = denoiser(tmp_path, "tokenize", "--input", "b", "--input", "b").stdout.splitlines()
    assert both == denoiser(tmp_path, "tokenize", "the sea", "the land").stdout.splitlines() * 2


def test_blank_lines_of_json_lines_are_skipped_and_a_bad_one_is_named(tmp_path):
    def ids(text):
        (tmp_path / "l.jsonl").write_bytes(text)
        run = denoiser(tmp_path, "tokenize", "--jsonl", "--input", "l.jsonl")
        assert run.returncode == 0 and run.stderr == b"", run.stderr
        return [json.loads(line) for line in run.stdout.splitlines()]

    # In bert-base-uncased's vocabulary "a" is 1037 and "b" 1038.
    a, b = [101, 1037, 102], [101, 1038, 102]
    assert ids(b'"a"\n\n"b"\n') == [a, b]
    assert ids(b'\r\n \t\r\n"a"\r\n\r\n"b"') == [a, b]
    assert ids(b'\n\n') == [] and ids(b"") == []
    assert ids(b'""\n"a\\nb"\n') == [[101, 102], [101, 1037, 1038, 102]]
    for line in (b"a", b'{"text":"a"}', b"1", b'"a" "b"', b'"a', b"null"):
        (tmp_path / "l.jsonl").write_bytes(b'"a"\n\n' + line + b'\n"b"\n')
        told = refusal(tmp_path, "tokenize", "--jsonl", "--input", "l.jsonl", status=65)
        assert "l.jsonl, line 3: " in told


def test_noise_follows_from_the_seed(tmp_path):
    def denoised(*arguments):
        run = denoiser(tmp_path, "denoise", "--model", str(MODEL), *arguments)
        assert run.returncode == 0, run.stderr
        return run.stdout.splitlines()

    noisy = ["--noise-level", "0.1"]
    first = denoised(*noisy, "--seed", "7", *TEXTS)
    assert first == denoised(*noisy, "--seed", "7", *TEXTS)
    assert first[:2] == denoised(*noisy, "--seed", "7", *TEXTS[:2])
    assert len({line for line in first + denoised(*noisy, "--seed", "8", *TEXTS)}) == 6
    assert denoised(*noisy, TEXTS[0]) != denoised(*noisy, TEXTS[0])
    # Without noise there is nothing to follow.
    assert denoised("--seed", "7", *TEXTS) == denoised(*TEXTS)
    # The same text twice in a run gets noise of its own each time.
    assert len(set(denoised(*noisy, "--seed", "7", "a", "a"))) == 2
    assert "--seed" in refusal(tmp_path, "denoise", "--seed", "-1", "a", status=64)
