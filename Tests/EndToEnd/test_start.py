"""What the process meets at its start and in its configuration on a bad day: it runs, or says why in a line."""
import itertools
import os
import re
import signal
import subprocess
import time

import pytest
import service
from test_lifecycle import configured, reload
from test_service import MODEL

SERVE = [str(service.BINARY), "serve", "--encoder", service.ENCODER, "--model", str(MODEL)]


def numbers():
    """The options of `serve` that take a whole number, from its own help and its own refusals."""
    text = subprocess.run([str(service.BINARY), "help", "serve"], capture_output=True, text=True).stdout
    found = {}
    for name in re.findall(r"^  --([a-z-]+) <", text, re.MULTILINE):
        run = subprocess.run(
            [*SERVE, "--check", f"--{name}=x"], capture_output=True, text=True, timeout=60)
        bounds = re.search(r"it must be a whole number from (\d+) to (\d+)", run.stdout)
        if bounds:
            found[name] = int(bounds[1]), int(bounds[2])
    return found


def test_numbers_of_the_configuration_are_taken_or_refused_in_a_line(tmp_path):
    found = numbers()
    assert len(found) >= 28
    for name, (first, last) in found.items():
        for value in [last, last + 1]:
            run = subprocess.run([*SERVE, "--check", f"--{name}={value}"], capture_output=True, text=True, timeout=60)
            assert run.returncode in (0, 78) and not run.stderr, (name, value, run)
            if not first <= value <= last and name != "seed":
                assert run.returncode == 78 and len(run.stdout.splitlines()) == 1, (name, value, run.stdout)
            elif run.returncode == 0:
                total, parts = re.search(r"at most (\d+) MiB of private memory: (.*)", run.stdout).groups()
                # Each part is rounded up on its own.
                parts = [int(part) for part in re.findall(r" (\d+)(?:,|$)", parts)]
                assert 0 <= sum(parts) - int(total) <= len(parts), (name, value, run.stdout)


def test_a_number_too_large_and_hup_change_nothing():
    with configured("rows = 3\n") as running:
        for name in ["rows", "texts", "lines", "request-threads", "connections"]:
            for value in [2**62, 2**63 - 1]:
                reload(running, f"{name} = {value}\n")
                last = running.log().splitlines()[-1]
                assert last.startswith("denoiser: not reloaded, all stays as it was: ") and " to " in last
        assert running.process.poll() is None
        assert running.get("/health")[0] == 200
