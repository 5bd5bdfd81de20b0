#!/usr/bin/env python3
"""Makes a Python client from the service's own /openapi.json, and denoises and trains with it.

usage: generated_client.py     (about a minute; not a part of nginx/test)

The generator, openapi-python-client, comes from the Python package index into a folder of its own that goes with the run.
Exit status 0 only if the upload trained: the client's answer holds the loss, and the live model is another than before.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

from support import service

GENERATOR = "openapi-python-client==0.29.1"
TEXT = "".join(f"Sentence number {n} tells of the weather on day {n}.\n" for n in range(1, 41))

# Runs with the generated package beside it; only its own names are used.
USE = """
import io, sys
from denoiser_client import Client
from denoiser_client.api.default import denoise_text_denoise_text_post as denoise, upload_file_upload_post as upload
from denoiser_client.models import BodyUploadFileUploadPost, TextDenoiseRequest
from denoiser_client.types import File

client = Client(sys.argv[1])
answer = denoise.sync_detailed(client=client, body=TextDenoiseRequest(texts=["hello"]))
assert answer.status_code == 200 and answer.parsed.shape == [1, 384], answer
before = answer.headers["x-model-version"]
text = open(sys.argv[2], "rb")
answer = upload.sync_detailed(client=client, body=BodyUploadFileUploadPost(file=File(payload=text, file_name="text.txt")))
print(answer.content.decode())
assert answer.status_code == 200 and b'"loss"' in answer.content, answer
answer = denoise.sync_detailed(client=client, body=TextDenoiseRequest(texts=["hello"]))
assert answer.headers["x-model-version"] != before, "the upload trained nothing"
"""


def main():
    with tempfile.TemporaryDirectory() as name, service.running("--epochs", "1") as running:
        folder = pathlib.Path(name)
        venv.create(folder / "venv", with_pip=True)
        python = str(folder / "venv/bin/python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", GENERATOR], check=True)
        document = json.loads(running.request("GET", "/openapi.json")[2])
        (folder / "openapi.json").write_text(json.dumps(document))
        (folder / "options.yml").write_text("package_name_override: denoiser_client\nproject_name_override: denoiser-client\n")
        # It looks for its formatter beside itself.
        environment = {**os.environ, "PATH": f"{folder / 'venv/bin'}:{os.environ['PATH']}"}
        subprocess.run(
            ["openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none",
             "--config", "options.yml", "--output-path", "denoiser_client"],
            cwd=folder, check=True, env=environment)
        (folder / "text.txt").write_text(TEXT)
        run = subprocess.run(
            [python, "-c", USE, f"http://127.0.0.1:{running.port}", "text.txt"], cwd=folder)
        sys.exit(run.returncode)


if __name__ == "__main__":
    main()
