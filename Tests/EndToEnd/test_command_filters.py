"""Commands as filters: a line out for every line in, as it goes, whatever the length of the input."""
import base64
import contextlib
import io
import json
import os
import pty
import resource
import select
import signal
import subprocess

import numpy
import pytest
from support import service
from support.commands import denoiser, many_texts, refusal
from support.service import MODEL

FILTERS = [["embed"], ["embed", "--format", "base64"], ["denoise", "--model", str(MODEL)], ["tokenize"]]
BAD = [(b"caf\xe9\n", "byte 4: 0xE9 is not UTF-8"), (b"\xff", "byte 1: 0xFF is not UTF-8")]


@contextlib.contextmanager
def filtering(*arguments, **options):
    """A command that filters pipes; nothing is buffered at our ends."""
    with subprocess.Popen(
            [str(service.BINARY), *arguments], bufsize=0, env={**os.environ, "ENCODER_PATH": service.ENCODER},
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}) as process:
        try:
            yield process
        finally:
            process.kill()


def read_some(descriptor, size=1 << 16):
    """What a pipe gives; fails if it gives nothing."""
    assert select.select([descriptor], [], [], 30)[0], "no answer"
    return os.read(descriptor, size)


def read_line(pipe):
    """The next line of an unbuffered pipe; "" at its end."""
    line = b""
    while not line.endswith(b"\n") and (byte := read_some(pipe.fileno(), 1)):
        line += byte
    return line


def answer(process, text):
    process.stdin.write(text)
    return read_line(process.stdout)


def lines_of(folder, *arguments, **options):
    run = denoiser(folder, *arguments, **options)
    assert run.returncode == 0 and run.stderr == b"", run.stderr
    return run.stdout.splitlines(keepends=True)


# Each line at once, in order.

@pytest.mark.parametrize("command", FILTERS)
def test_each_line_is_answered_before_the_next_is_written(tmp_path, command):
    texts = [b"hello world", "日本語".encode(), b"", b"a cat sleeps", b"the sea"]
    wanted = [lines_of(tmp_path, *command, "--", text)[0] for text in texts]
    with filtering(*command) as process:
        for text, line in zip(texts, wanted):
            assert answer(process, text + b"\n") == line
        # CR LF in two writes: CR ends the line, LF begins none.
        assert answer(process, texts[0] + b"\r") == wanted[0]
        assert answer(process, b"\n" + texts[3] + b"\r\n") == wanted[3]
        # A line in pieces, then one whose end the input's end is.
        for byte in texts[4]:
            process.stdin.write(bytes([byte]))
        assert answer(process, b"\n") == wanted[4]
        process.stdin.write(texts[1])
        process.stdin.close()
        assert process.stdout.read() == wanted[1] and process.stderr.read() == b"" and process.wait(10) == 0


@pytest.mark.parametrize("command", [["embed"], ["tokenize"]])
def test_a_file_that_grows_is_followed(tmp_path, command):
    # `tail -f log | denoiser embed`
    (tmp_path / "log").write_bytes(b"one\n")
    with subprocess.Popen(["tail", "-f", "log"], cwd=tmp_path, stdout=subprocess.PIPE) as tail:
        with filtering(*command, stdin=tail.stdout) as process:
            tail.stdout.close()
            for text in ("one", "two", "three"):
                if text != "one":
                    with open(tmp_path / "log", "a") as log:
                        log.write(f"{text}\n")
                assert read_line(process.stdout) == lines_of(tmp_path, *command, text)[0]
            tail.kill()
            assert process.stdout.read() == b"" and process.wait(10) == 0


@pytest.mark.parametrize("command", [["embed"], ["tokenize"]])
def test_who_types_is_answered_line_by_line(tmp_path, command):
    ours, theirs = pty.openpty()
    with filtering(*command, stdin=theirs) as process:
        os.close(theirs)
        for text in ("hello world", "the sea"):
            os.write(ours, f"{text}\n".encode())
            assert read_line(process.stdout) == lines_of(tmp_path, *command, text)[0]
        os.write(ours, b"\x04")
        assert process.stdout.read() == b"" and process.wait(10) == 0
        os.close(ours)


def test_lines_that_wait_keep_their_order_however_they_come(tmp_path):
    many_texts(tmp_path, 5000)
    wanted = lines_of(tmp_path, "tokenize", "--input", "texts")
    assert [json.loads(line)[3:-1] != [] for line in wanted] == [True] * 5000 and len(set(wanted)) == 5000
    text = (tmp_path / "texts").read_bytes()
    for size in (1 << 20, 70_000, 4_096, 999):
        with filtering("tokenize") as process, open(tmp_path / "out", "w+b") as out:
            copier = subprocess.Popen(["cat"], stdin=process.stdout, stdout=out)
            process.stdout.close()
            for start in range(0, len(text), size):
                process.stdin.write(text[start:start + size])
            process.stdin.close()
            assert process.wait(30) == 0 and copier.wait(10) == 0
            out.seek(0)
            assert out.readlines() == wanted, size


def test_a_line_is_one_text_however_it_ends(tmp_path):
    # In bert-base-uncased's vocabulary "a" is 1037, "b" 1038 and "c" 1039.
    a, b, c = ([101, 1037 + i, 102] for i in range(3))
    nothing = [101, 102]
    for text, wanted in [
            (b"", []), (b"\n", [nothing]), (b"a", [a]), (b"a\n", [a]), (b"a\n\nb", [a, nothing, b]),
            (b"a\r\nb\r\n", [a, b]), (b"a\rb\rc", [a, b, c]), (b"a\r\r\nb\n\r", [a, nothing, b, nothing]),
            (b"\xef\xbb\xbfa\nb\n", [a, b]), ("a\u2028b\n".encode(), [[101, 1037, 1038, 102]])]:
        (tmp_path / "text").write_bytes(text)
        for options in ({}, {"stdin": None, "input": text}):
            source = "-" if options else "text"
            lines = lines_of(tmp_path, "tokenize", "--input", source, **options)
            assert [json.loads(line) for line in lines] == wanted, (text, source)
    # Files follow one another; each begins a line.
    (tmp_path / "one").write_bytes(b"a\nb")
    (tmp_path / "two").write_bytes(b"c")
    lines = lines_of(
        tmp_path, "tokenize", "-i", "one", "-i", "-", "-i", "two", stdin=None, input=b"b\nc")
    assert [json.loads(line) for line in lines] == [a, b, b, c, c]


def test_a_seed_gives_the_same_vectors_in_a_pipe_and_in_a_file(tmp_path):
    # An adaptive denoiser looks at noisy vectors together.
    many_texts(tmp_path, 300)
    command = ["denoise", "--model", str(MODEL), "--noise-level", "0.1", "--seed", "7"]
    for kind in ([], ["--model", str(MODEL)]):
        command = ["denoise", *kind, "--noise-level", "0.1", "--seed", "7"]
        wanted = denoiser(tmp_path, *command, "--input", "texts")
        with filtering(*command) as process, open(tmp_path / "out", "w+b") as out:
            copier = subprocess.Popen(["cat"], stdin=process.stdout, stdout=out)
            for line in (tmp_path / "texts").read_bytes().splitlines(keepends=True):
                process.stdin.write(line)
            process.stdin.close()
            assert process.wait(30) == 0 and copier.wait(10) == 0
            out.seek(0)
            assert wanted.returncode == 0 and out.read() == wanted.stdout


# Formats.

@pytest.mark.parametrize("command", [["embed"], ["denoise", "--model", str(MODEL)]])
def test_all_formats_hold_the_same_bits_wherever_they_go(tmp_path, command):
    many_texts(tmp_path, 40)
    text = (tmp_path / "texts").read_bytes()
    lines = lines_of(tmp_path, *command, "--input", "texts")
    wanted = numpy.array([json.loads(line) for line in lines], "<f4")
    assert wanted.shape == (40, 384) and (wanted != 0).any()
    encoded = [base64.b64encode(row.tobytes()) + b"\n" for row in wanted]
    assert {len(line) for line in encoded} == {2049}

    def same(written):
        return numpy.load(io.BytesIO(written)).tobytes() == wanted.tobytes() and len(written) == 128 + wanted.nbytes

    assert lines_of(tmp_path, *command, "--format", "json", "--input", "texts") == lines
    assert lines_of(tmp_path, *command, "--format", "base64", "--input", "texts") == encoded
    for kind, wanted_lines in (("json", lines), ("base64", encoded)):
        for name in ("v.txt", "v.npy", "v"):
            assert lines_of(tmp_path, *command, "--format", kind, "-o", name, "--input", "texts") == []
            assert (tmp_path / name).read_bytes().splitlines(keepends=True) == wanted_lines
        assert lines_of(tmp_path, *command, "--format", kind, "-o", "-", "--input", "texts") == wanted_lines
    for arguments in (["--format", "npy"], ["-o", "-"], ["--format", "npy", "--output", "/dev/stdout"]):
        # The length of a file is counted first; a pipe is copied for that.
        for options in ({"input": text, "stdin": None}, {"stdin": open(tmp_path / "texts", "rb")}):
            run = denoiser(tmp_path, *command, *arguments, **options)
            assert run.returncode == 0 and same(run.stdout) and run.stderr == b"", arguments
        # Standard output is a file: the length is written at the end.
        for mode in ("wb", "ab"):
            with open(tmp_path / "sink", mode) as sink:
                sink.write(b"before" if mode == "wb" else b"")
                sink.flush()
                run = denoiser(tmp_path, *command, *arguments, stdin=None, input=text, stdout=sink)
                assert run.returncode == 0
                os.write(sink.fileno(), b"behind")
            written = (tmp_path / "sink").read_bytes()
            size = 128 + wanted.nbytes
            assert same(written[-size - 6:-6]) and written[-6:] == b"behind", (arguments, mode)
    assert denoiser(tmp_path, *command, "-o", "v.npy", stdin=None, input=text).returncode == 0
    assert same((tmp_path / "v.npy").read_bytes())
    assert denoiser(tmp_path, *command, "-o", "v.npy", stdin=None, input=b"").returncode == 0
    assert numpy.load(tmp_path / "v.npy").shape == (0, 384)
    assert not {name for name in os.listdir(tmp_path)} - {"texts", "v", "v.npy", "v.txt", "sink"}


@pytest.mark.parametrize("arguments, words", [
    (["--format", "npy", "--output", "v.txt"], '--output is "v.txt"'),
    (["--output", "v.jsonl"], "--format json or base64"),
    (["--format", "json", "--output", ""], "--output names no file"),
    (["--format", "csv"], "csv"),
])
def test_a_format_that_does_not_fit_is_refused_in_one_line(tmp_path, arguments, words):
    assert words in refusal(tmp_path, "embed", "a", *arguments, status=64)
    assert os.listdir(tmp_path) == []


def test_an_array_in_a_pipe_needs_room_for_a_copy_of_the_texts(tmp_path):
    line = refusal(
        tmp_path, "embed", "-o", "-", status=74, stdin=None, input=b"a\n", environment={"TMPDIR": "missing"})
    assert "missing" in line and "--output FILE.npy" in line
    # Files need none, nor do lines.
    (tmp_path / "text").write_bytes(b"a\n")
    for arguments in (["-o", "-", "-i", "text"], ["--format", "json"]):
        run = denoiser(
            tmp_path, "embed", *arguments, stdin=None, input=b"a\n", environment={"TMPDIR": "missing"})
        assert run.returncode == 0 and run.stdout


# Lines that are no text.

@pytest.mark.parametrize("command", FILTERS)
@pytest.mark.parametrize("bad, words", BAD)
def test_a_bad_line_ends_the_command_after_those_before_it(tmp_path, command, bad, words):
    wanted = lines_of(tmp_path, *command, "one", "two")
    with filtering(*command) as process:
        assert [answer(process, text) for text in (b"one\n", b"two\r\n")] == wanted
        process.stdin.write(bad + b"four\n")
        process.stdin.close()
        assert process.stdout.read() == b"" and process.wait(10) == 65
        told = process.stderr.read().decode()
        assert told.startswith(f"denoiser: standard input, line 3, {words}") and told.count("\n") == 1
    # The same if all waits at once, and in a file behind another.
    run = denoiser(tmp_path, *command, stdin=None, input=b"one\ntwo\n" + bad + b"four\n")
    assert (run.returncode, run.stdout.splitlines(keepends=True)) == (65, wanted)
    assert run.stderr.decode() == told
    (tmp_path / "a").write_bytes(b"one\n")
    (tmp_path / "b").write_bytes(b"two\n" + bad)
    run = denoiser(tmp_path, *command, "--input", "a", "--input", "b")
    assert (run.returncode, run.stdout.splitlines(keepends=True)) == (65, wanted)
    assert run.stderr.decode().startswith(f"denoiser: b, line 2, {words}") and run.stderr.count(b"\n") == 1


@pytest.mark.parametrize("line, words", [
    (b"a", "not JSON"), (b'{"text":"a"}', "a line is a JSON string"), (b'"caf\xe9"', "byte 5: 0xE9 is not UTF-8")])
def test_a_bad_line_of_json_lines_has_its_number_with_blank_ones_counted(tmp_path, line, words):
    told = refusal(
        tmp_path, "embed", "--jsonl", status=65, answered=2, stdin=None, input=b'"a"\n\n \n"b"\n' + line + b'\n"c"\n')
    assert told.startswith("denoiser: standard input, line 5") and words in told


def test_nothing_is_replaced_after_a_bad_line(tmp_path):
    (tmp_path / "text").write_bytes(b"a\nb\n\xff\nc\n")
    for name, arguments in (("v.npy", []), ("v.txt", ["--format", "json"]), ("w.txt", ["--format", "base64"])):
        (tmp_path / name).write_bytes(b"old")
        line = refusal(tmp_path, "embed", "--input", "text", *arguments, "-o", name, status=65)
        assert "text, line 3, byte 1" in line and (tmp_path / name).read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["text", "v.npy", "v.txt", "w.txt"]
    # An array in a pipe would be shorter than it says: none begins.
    for options in ({"stdin": None, "input": (tmp_path / "text").read_bytes()}, {"stdin": open(tmp_path / "text", "rb")}):
        run = denoiser(tmp_path, "embed", "-o", "-", **options)
        assert run.returncode == 65 and run.stdout == b"" and b"line 3, byte 1" in run.stderr
    # Behind a shell's > the lines before are there, as with text.
    with open(tmp_path / "sink", "wb") as sink:
        run = denoiser(tmp_path, "embed", "-o", "-", "--input", "text", stdout=sink)
    assert run.returncode == 65 and numpy.load(tmp_path / "sink").shape == (2, 384)


def test_what_is_missing_is_told_before_the_first_line(tmp_path):
    (tmp_path / "text").write_bytes(b"a\n")
    (tmp_path / "folder").mkdir()
    for name, words in (("missing", "No such file"), ("folder", "Is a directory")):
        line = refusal(tmp_path, "tokenize", "--input", "text", "--input", name, status=74)
        assert f"cannot read {name}: {words}" in line
    run = denoiser(tmp_path, "tokenize", stdin=None, input=b"\x1f\x8b\x08\x00")
    assert run.returncode == 65 and b"standard input: gzip-compressed" in run.stderr


# Ends.

@pytest.mark.parametrize("command", FILTERS)
def test_a_filter_that_waits_ends_at_once(tmp_path, command):
    for number in (signal.SIGTERM, signal.SIGINT):
        with filtering(*command, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)) as process:
            assert answer(process, b"one\n")
            process.send_signal(number)
            assert process.wait(10) == -number and process.stderr.read() == b""
    # Nobody reads on.
    with filtering(*command) as process:
        assert answer(process, b"one\n")
        process.stdout.close()
        process.stdin.write(b"two\n")
        assert process.wait(10) == -signal.SIGPIPE and process.stderr.read() == b""


def test_pipes_that_do_not_block_are_waited_for(tmp_path):
    # A shell's other programs may have made a shared pipe so.
    many_texts(tmp_path, 4000)
    wanted = b"".join(lines_of(tmp_path, "tokenize", "--input", "texts"))
    into, out = os.pipe(), os.pipe()
    for descriptor in (into[0], out[1]):
        os.set_blocking(descriptor, False)
    with filtering("tokenize", stdin=into[0], stdout=out[1]) as process:
        os.close(into[0]), os.close(out[1])
        os.write(into[1], b"text number 0\n")
        got = read_some(out[0])
        assert got == wanted.splitlines(keepends=True)[0]
        writer = subprocess.Popen(["tail", "-n", "+2", "texts"], cwd=tmp_path, stdout=into[1])
        os.close(into[1])
        while piece := read_some(out[0]):
            got += piece
        assert writer.wait(10) == 0 and process.wait(10) == 0 and got == wanted
    os.close(out[0])


def test_cut_texts_are_told_at_the_end_with_the_first(tmp_path):
    long = b"word " * 400
    for command in (["embed"], ["tokenize"]):
        run = denoiser(tmp_path, *command, stdin=None, input=b"a\n" + long + b"\nb\n" + long + b"\n")
        assert run.returncode == 0
        assert run.stderr == b"denoiser: 2 texts were cut at 256 tokens: the first is standard input, line 2\n"


# Memory.

def most_memory(folder, *arguments, lines, line=b"the sea is calm tonight\n"):
    """KiB that a command held at most while it filtered so many lines."""
    with open(folder / "lines", "wb") as file:
        for start in range(0, lines, 10_000):
            file.write(line * min(10_000, lines - start))
    usage = folder / "usage"
    script = "import os,resource,subprocess,sys;r=subprocess.run(sys.argv[2:]);" \
             "open(sys.argv[1],'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss));sys.exit(r.returncode)"
    with open(folder / "lines", "rb") as file, open(os.devnull, "wb") as sink:
        cat = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        run = subprocess.run(
            ["python3", "-c", script, str(usage), str(service.BINARY), *arguments], stdin=cat.stdout, stdout=sink,
            env={**os.environ, "ENCODER_PATH": service.ENCODER}, timeout=120)
        cat.stdout.close()
        assert cat.wait() == 0 and run.returncode == 0
    (folder / "lines").unlink()
    return int(usage.read_text())


def test_a_hundred_times_the_lines_take_the_same_memory(tmp_path):
    few, many = (most_memory(tmp_path, "tokenize", lines=count) for count in (2_000, 200_000))
    # Held whole, the lines alone would take 20 MB more.
    assert many < few + 4_096, (few, many)
    # Where 1,024 texts and their vectors fit, more do, too.
    few, many = (most_memory(tmp_path, "embed", lines=count, line=b"a\n") for count in (2_048, 8_192))
    assert many < few + 4_096, (few, many)


def test_a_line_that_does_not_end_is_refused(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

    with open("/dev/zero", "rb") as zeros:
        line = refusal(tmp_path, "tokenize", status=65, stdin=zeros, preexec_fn=limit)
    assert "standard input, line 1: longer than 64 MiB" in line
