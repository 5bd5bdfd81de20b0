#!/usr/bin/env python3
"""Runs the examples of Sources/API/OpenAI/README.md with the real clients and a real PostgreSQL.

usage: openai_clients.py     (some minutes and 700 MB; not a part of nginx/test)

The clients come from the Python package index into a folder of its own that goes with the run. PostgreSQL's programs are
those of Debian's package postgresql. LangChain's vocabulary of OpenAI, which it downloads elsewhere, is the copy inside LiteLLM.
"""
import contextlib
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import venv

from support import service

PAGE = service.TOP / "Sources/API/OpenAI/README.md"
CLIENTS = ["openai==3.57.0", "langchain-openai==1.7.4", "llama-index-embeddings-openai-like==0.4.0", "litellm==1.110.2"]
PRINTS = {"Python": "2 384 8", "JavaScript": "2 384 8", "LangChain": "384 2", "LlamaIndex": "384", "LiteLLM": "384",
          "PostgreSQL": "a cat sleeps\na kitten naps"}

# LangChain as it comes: it sends token ids, and must be told what to set.
DEFAULT = """
import openai
from langchain_openai import OpenAIEmbeddings

embeddings = OpenAIEmbeddings(base_url="http://127.0.0.1:8000/v1", api_key="any word", model="all-MiniLM-L6-v2")
try:
    embeddings.embed_query("hello world")
except openai.BadRequestError as error:
    print("check_embedding_ctx_length=False" in str(error))
"""


def examples():
    """The first block of each section, by the section's name."""
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]
    for section in sections:
        if block := re.search(r"^```(python|js|sh)\n(.*?)^```$", section, re.M | re.S):
            yield section.splitlines()[0], block.group(1), block.group(2)


@contextlib.contextmanager
def database(folder):
    """A PostgreSQL of its own; the environment by which psql finds it."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    user = {"user": "nobody"} if os.getuid() == 0 else {}
    place = folder / "database"
    place.mkdir()
    if user:
        shutil.chown(place, "nobody")
    subprocess.run([f"{programs}/initdb", "-D", place / "data", "-U", "tester", "-A", "trust"], check=True,
                   stdout=subprocess.DEVNULL, cwd=place, **user)
    process = subprocess.Popen(
        [f"{programs}/postgres", "-D", place / "data", "-k", place, "-c", "listen_addresses="], cwd=place,
        stderr=subprocess.DEVNULL, **user)
    environment = {"PGHOST": str(place), "PGUSER": "tester", "PGDATABASE": "postgres"}
    try:
        assert service.wait_until(lambda: subprocess.run(
            ["psql", "-c", "SELECT 1"], env={**os.environ, **environment}, capture_output=True).returncode == 0)
        yield environment
    finally:
        service.stop(process, 2)


def main():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        running = stack.enter_context(service.running())
        venv.create(folder / "venv", with_pip=True)
        python = str(folder / "venv/bin/python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *CLIENTS], check=True)
        cache = next((folder / "venv").rglob("litellm_core_utils/tokenizers"))
        (folder / "bin").mkdir()
        (folder / "bin/denoiser").symlink_to(service.BINARY)
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "ENCODER_PATH": service.ENCODER,
                       "TIKTOKEN_CACHE_DIR": str(cache), **stack.enter_context(database(folder))}
        failed = 0
        for name, language, text in [*examples(), ("LangChain as it comes", "python", DEFAULT)]:
            command = {"python": [python, "-c"], "js": ["node", "--input-type=module", "-e"],
                       "sh": ["bash", "-euo", "pipefail", "-c"]}[language]
            text = text.replace("8000", str(running.port))
            run = subprocess.run([*command, text], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
            expected = PRINTS.get(name, "True")
            is_right = run.returncode == 0 and run.stdout.strip() == expected
            failed += not is_right
            print(f"{name}: {'as written' if is_right else f'ended with {run.returncode}: {run.stdout}{run.stderr[-2000:]}'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
