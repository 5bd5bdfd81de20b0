"""Files that a command names and that are missing, or not what they should be."""
import os

import pytest
from support import service
from support.commands import denoiser, refusal
from support.service import MODEL


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
