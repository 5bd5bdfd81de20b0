"""What schemathesis makes up from our /openapi.json is answered as that document says.

Environment: SCHEMATHESIS_EXAMPLES for each operation with a body (default 300), SCHEMATHESIS_SEED (default 1).
"""
import os
import pathlib
import re
import subprocess
import sys
import time

from support import service

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "300"))
HERE = pathlib.Path(__file__).resolve().parent
# Not asked: whether all of and only what the schema allows is taken. FastAPI takes "1" for a number, and no schema
# says of a text that it must hold something to train on.
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "unsupported_method", "allow_header_conformance"]


def test_answers_are_as_documented(tmp_path, capsys):
    began = time.monotonic()
    with service.running("--epochs", "1") as ours:
        run = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"http://127.0.0.1:{ours.port}/openapi.json",
             "--seed", os.environ.get("SCHEMATHESIS_SEED", "1"), "--max-examples", str(EXAMPLES),
             "--checks", ",".join(CHECKS), "--generation-database", "none", "--continue-on-failure", "--suppress-health-check", "all"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"},
            capture_output=True, text=True)
        assert ours.get("/health")[0] == 200
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    generated, passed = map(int, re.search(r"(\d+) generated, (\d+) passed", run.stdout).groups())
    assert generated == passed >= 3 * EXAMPLES
    with capsys.disabled():
        print(f"\nschemathesis: {generated} requests, {passed} as documented, {time.monotonic() - began:.1f} s")
