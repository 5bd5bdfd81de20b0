"""The command line as people use it: files that are missing, bytes that are not UTF-8, outputs, terminals."""
import json
import os
import pathlib
import subprocess

import pytest
import service

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
