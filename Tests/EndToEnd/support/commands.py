"""Runs of the command line in a folder of their own."""
import os
import subprocess

from support import service

TEXTS = ["hello world", "a cat sleeps", "the sea"]


def denoiser(folder, *arguments, environment=None, **options):
    """Runs a command in `folder`, where no model is; status, standard output and standard error as bytes."""
    variables = {key: value for key, value in os.environ.items() if key != "MODEL_PATH"}
    return subprocess.run(
        [str(service.BINARY), *arguments], cwd=folder, timeout=120,
        env={**variables, "ENCODER_PATH": service.ENCODER, **(environment or {})},
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})


def refusal(folder, *arguments, status, answered=0, **options):
    """The one line with which a command is refused, after it has answered so many lines."""
    run = denoiser(folder, *arguments, **options)
    lines = run.stderr.decode().splitlines()
    assert run.returncode == status and len(lines) == 1, (run.returncode, lines)
    assert run.stdout.count(b"\n") == answered and run.stdout[-1:] in (b"", b"\n"), run.stdout[:200]
    assert lines[0].startswith("denoiser: "), lines
    return lines[0]


def many_texts(folder, count):
    (folder / "texts").write_text("".join(f"text number {i}\n" for i in range(count)))
