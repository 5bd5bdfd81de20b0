"""The documentation pages in a real browser that reaches this machine only: docs_in_browser.py says what is looked at."""
import pathlib
import shutil
import subprocess
import sys

import pytest
from support import service

SCRIPT = pathlib.Path(__file__).resolve().parent / "docs_in_browser.py"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed (nginx/test installs it)")
@pytest.mark.parametrize("site, mount", service.MOUNTS.items())
def test_five_operations_are_shown_and_can_be_tried_out(site, mount):
    assert (service.DOCS_ASSETS / "swagger-ui-bundle.js").exists(), f"{service.DOCS_ASSETS}: run nginx/fetch-docs-assets"
    with service.running("--epochs", "2", site=site) as running:
        run = subprocess.run(
            [sys.executable, str(SCRIPT), f"http://127.0.0.1:{running.port}{mount}"], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "/denoise/text: 200" in run.stdout and "/upload/: 200" in run.stdout, run.stdout
