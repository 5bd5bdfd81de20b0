"""The command line as people use it: bytes that are not UTF-8, wrong options, texts and files."""
import json
import os

import pytest
from support.commands import TEXTS, denoiser, refusal
from support.service import MODEL


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
    ["train"], ["evaluate"], ["embed", "--input"], ["denoise", "--model", str(MODEL), "--input"],
    ["tokenize", "--input"]])
def test_a_file_that_is_not_utf_8_is_refused_with_line_and_byte(tmp_path, command, text, place):
    (tmp_path / "text").write_bytes(text)
    # Filters have answered the lines before.
    answered = int(place.split()[1].rstrip(",")) - 1 if "--input" in command else 0
    assert f"text, {place}" in refusal(tmp_path, *command, "text", status=65, answered=answered)
    line = refusal(tmp_path, *command, "-", status=65, answered=answered, stdin=None, input=text)
    assert f"standard input, {place}" in line
    assert os.listdir(tmp_path) == ["text"]


def test_a_configuration_or_key_file_that_is_not_utf_8_is_refused_with_line_and_byte(tmp_path):
    (tmp_path / "d.ini").write_bytes(b"rows = 7\n# gr\xfcn\n")
    assert "d.ini, line 2, byte 5: 0xFC" in refusal(tmp_path, "serve", "--config", "d.ini", status=78)
    (tmp_path / "keys").write_bytes(b"\x80\n")
    (tmp_path / "keys").chmod(0o600)
    line = refusal(tmp_path, "serve", "--keys", "keys", "--socket", "s", status=78)
    assert "keys, line 1, byte 1: 0x80" in line


def test_a_mark_that_an_editor_puts_in_front_of_settings_is_left_out(tmp_path):
    (tmp_path / "d.ini").write_text("\ufeffrows = 7\r\nkeys = keys\r\nsocket = s\r\n")
    (tmp_path / "keys").write_text("\ufeffuse 0123456789abcdef\r\n")
    (tmp_path / "keys").chmod(0o600)
    assert denoiser(tmp_path, "serve", "--config", "d.ini", "--check").returncode == 0


# Command lines that cannot be understood.

@pytest.mark.parametrize("arguments, words", [
    (["embed", "-5 degrees"], 'a text that begins with - stands behind --: denoiser embed -- "-5 degrees"'),
    (["denoise", "--noise-level", "0", "--hello there"], 'denoiser denoise -- "--hello there"'),
    (["tokenize", "-"], None),
    (["tokenize", "--jsonl", '"a"'], "--jsonl is for lines of --input or standard input"),
    (["similarity", "-a", "b"], 'denoiser similarity -- "-a"'),
    (["similarity", "b", "-a"], 'denoiser similarity -- "-a"'),
    (["embed", "--inptu", "x"], "Did you mean '--input'? A text that begins with -"),
    (["embed", "--input"], "Missing value for '--input <file>' (see: denoiser help embed)"),
    (["denoise", "--noise-level", "-1", "x"], "denoiser help denoise"),
    (["train"], "(see: denoiser help train)"),
    (["train", "--eopchs", "3", "x"], "Did you mean '--epochs'? (see: denoiser help train)"),
    (["train", "-x"], "Unknown option '-x' (see: denoiser help train)"),
    (["evaluate", "--foo"], "Unknown option '--foo'. Did you mean"),
    (["embed", "-h5"], "Unknown option '-h5'; a text that begins with - stands behind --"),
    (["serve", "-5h"], "Unknown option '-5h' (see: denoiser help serve)"),
    (["train", "--help=5"], "Unknown option '--help=5' (see: denoiser help train)"),
    (["--version=2"], "Unknown option '--version=2' (see: denoiser help)"),
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
    for text, lines in [("-", "standard input"), ("/dev/stdin", "that file"), ("pipe", "that file")]:
        if text == "pipe": os.mkfifo(tmp_path / text)
        run = denoiser(tmp_path, "tokenize", text)
        assert run.stderr.decode() == (
            f'denoiser: "{text}" is taken as a text; --input {text} takes the lines of {lines}\n')
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
        told = refusal(tmp_path, "tokenize", "--jsonl", "--input", "l.jsonl", status=65, answered=1)
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
