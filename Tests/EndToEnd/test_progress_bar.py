"""The progress bar on a real terminal."""
import contextlib
import fcntl
import os
import pty
import resource
import struct
import subprocess
import termios

import pytest
from support import service
from support.commands import denoiser, many_texts


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


def test_of_a_pipe_only_what_is_done_is_drawn(tmp_path):
    many_texts(tmp_path, 1100)
    os.mkfifo(tmp_path / "pipe")
    for columns, last in ((80, "Embedding 1100"), (12, "1100"), (4, "")):
        with subprocess.Popen("cat texts > pipe", shell=True, cwd=tmp_path):
            lines = lines_of(drawn(tmp_path, "embed", "--input", "pipe", "-o", "v.npy", columns=columns))
        # Blocks hold what is there; the last may come too soon after another to be drawn.
        assert lines and (lines[-1] == last or int(lines[-1].split()[-1]) >= 512), lines


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


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "unknown"}, {"TERM": None}, {"TERM": ""}])
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
    assert lines[0].startswith("Embedding ") and lines[-1].startswith("Adapting " + "█" * 30 + " 150/150  0 s left")
    assert any(line.startswith("Training " + "█" * 30 + " 60/60  0 s left  loss 0.0") for line in lines)
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
