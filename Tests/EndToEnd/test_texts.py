"""What counts as a text and as a line: in uploads and in every command that reads lines."""
import json
import os
import re
import subprocess

import pytest
from support import service
from support.uploads import upload

BLANK = {
    "a byte order mark": "\ufeff", "and a line end": "\ufeff\r\n", "no width": "\u200b\u2060\n\u00ad\u200e",
    "control characters": "\0\x01\n\x1b\x7f\x85", "marks without a letter": "\u0301\n\u05b0\ufe0f",
    "private use": "\ue000\n\U000f0000", "a replacement character": "\ufffd", "spaces": " \n\t\n\u3000\u2028\n",
}


def run(*command, status=0, text=None, **options):
    """A command's standard output and standard error."""
    environment = {**os.environ, "ENCODER_PATH": service.ENCODER, **options.pop("environment", {})}
    given = text if text is None or isinstance(text, bytes) else text.encode()
    done = subprocess.run(
        [str(service.BINARY), *map(str, command)], env=environment, input=given, capture_output=True,
        timeout=120, **options)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture(scope="module")
def running():
    with service.running("--epochs", "1") as running:
        yield running


def test_an_upload_of_blank_lines_is_refused_and_the_live_model_stays(running):
    def version(): return running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"]
    before = version()
    for what, content in BLANK.items():
        status, _, answer = upload(running, content)
        assert status == 422, what
        assert answer["detail"] == [{
            "type": "value_error", "loc": ["body", "file"], "input": "text.txt",
            "msg": "Value error, the file holds no text to train on"}]
    assert version() == before
    assert not os.path.exists(running.model)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_commands_refuse_a_file_of_blank_lines(tmp_path, command):
    for content in BLANK.values():
        (tmp_path / "t").write_text(content, newline="")
        options = ["--output", tmp_path / "m.pt"] if command == "train" else []
        _, error = run(command, tmp_path / "t", *options, status=65)
        assert error.count("\n") == 1 and "no text to" in error
    assert not (tmp_path / "m.pt").exists()


def test_blank_lines_among_others_are_not_counted(tmp_path):
    (tmp_path / "t").write_text("\ufeff\n\u200b\none\n\0\n\u0301\ntwo\n")
    assert re.search(r"^lines +2$", run("evaluate", tmp_path / "t")[0], re.M)
    table = run("train", tmp_path / "t", "--epochs", "1", "--output", tmp_path / "m.pt")[0]
    assert "2 (2 distinct)" in table


LINES = ["The quick brown fox jumps over the lazy dog.", "A cat sleeps on the windowsill.", "Über die Brücke", "文字"]
ENDS = {"LF": ["\n"], "CR LF": ["\r\n"], "CR": ["\r"], "mixed": ["\r", "\r\n", "\n"]}


def ended(ends):
    return "".join(line + ends[i % len(ends)] for i, line in enumerate(LINES))


@pytest.mark.parametrize("name", ENDS)
def test_every_command_that_reads_lines_knows_all_line_ends(tmp_path, name):
    text, path = ended(ENDS[name]).encode(), tmp_path / "t"
    path.write_bytes(text)
    expected = run("tokenize", *LINES)[0]
    assert len(expected.splitlines()) == 4
    assert run("tokenize", "--input", path)[0] == run("tokenize", text=text)[0] == expected
    alike = run("embed", *LINES)[0]
    assert run("embed", "--input", path)[0] == run("embed", "--input", "-", text=text)[0] == alike
    assert len(run("denoise", "--input", path)[0].splitlines()) == 4
    assert re.search(r"^lines +4$", run("evaluate", path)[0], re.M)
    assert re.search(r"^lines +8 \(4 distinct\)$", run(
        "train", path, "-", "--epochs", "1", "--output", tmp_path / "m.pt", text=text)[0], re.M)


def test_a_pair_across_the_border_of_a_read_is_one_end(tmp_path):
    # Files and pipes are read in pieces of 65,536 bytes.
    text = b"a" * 65535 + b"\r" + b"\nb\r" + b"\nc"
    (tmp_path / "t").write_bytes(text)
    for given in ({"text": text}, {}):
        source = ["--input", "-" if given else tmp_path / "t"]
        assert len(run("tokenize", *source, **given)[0].splitlines()) == 3


def test_a_blank_line_is_an_empty_text_under_all_ends():
    for text in ("a\n\nb", "a\r\n\r\nb", "a\r\rb", "a\r\n\rb"):
        assert len(run("tokenize", text=text)[0].splitlines()) == 3, repr(text)


@pytest.mark.parametrize("name", ENDS)
def test_an_upload_knows_all_line_ends(running, name):
    content = "".join(f"{line} {i}\n" for i in range(10) for line in LINES).replace("\n", ENDS[name][0])
    status, headers, answer = upload(running, content)
    assert status == 200 and answer["word_count"] == len(content.split())
    assert f"trained model {headers['x-model-version']} (adaptive) on 40 lines (40 distinct)" in running.log()


# 300 words of a piece each: 302 tokens.
LONG = "river " * 300


def test_commands_say_on_standard_error_how_many_texts_were_cut_and_where_the_first_stands(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(f"short\r\n\r\n{LONG}\rshort\n{LONG}b\n{LONG}\n".encode())
    for command in ("tokenize", "embed", "denoise"):
        output, error = run(command, "--input", path)
        assert len(output.splitlines()) == 6
        assert told(error) == [f"denoiser: 3 texts were cut at 256 tokens: the first is {path}, line 3"]
        assert told(run(command, "a", LONG)[1]) == ["denoiser: 1 text was cut at 256 tokens: text 2"]
        assert told(run(command, text=LONG)[1]) == ["denoiser: 1 text was cut at 256 tokens: standard input, line 1"]
        assert told(run(command, "a", "river " * 254)[1]) == []
    assert told(run("similarity", LONG, "a")[1]) == ["denoiser: 1 text was cut at 256 tokens: text 1"]
    (tmp_path / "first").write_text("one\rtwo")
    expected = [f"denoiser: 3 texts were cut at 256 tokens: the first is {path}, line 3"]
    table, error = run("evaluate", tmp_path / "first", path)
    assert told(error) == expected and re.search(r"^truncated lines +3$", table, re.M)
    table, error = run("train", tmp_path / "first", path, "--epochs", "1", "--output", tmp_path / "m.safetensors")
    assert told(error) == expected and re.search(r"^truncated lines +3$", table, re.M)
    model = (tmp_path / "m.safetensors").read_bytes()
    header = json.loads(model[8:8 + int.from_bytes(model[:8], "little")])
    report = json.loads(header["__metadata__"]["report"])
    assert report["truncated_lines"] == 3 and report["lines"] == 7 and report["distinct_lines"] == 5


def told(error):
    """The lines about texts that were cut."""
    return [line for line in error.splitlines() if " cut " in line]


def test_an_upload_counts_the_lines_that_were_cut(running):
    for content, count in [(f"a\n{LONG}\nb\n{LONG}\n{LONG}b\n", "3"), ("a\n" + "river " * 254, None)]:
        status, headers, _ = upload(running, content)
        assert status == 200 and headers.get("x-truncated") == count
    assert "on 5 lines (4 distinct), 3 of them cut, loss" in running.log()
