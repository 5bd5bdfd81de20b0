"""The commands in the READMEs are run as a reader would run them, in their order, or say why not.

A comment in front of a block of commands tells how:

    <!-- not run: REASON -->     the block is left out
    <!-- needs: PROGRAM -->      the block is left out if the program is not installed
    <!-- background -->          the block runs until the last block of its page has ended

A block of JSON behind a block of commands is what these print; "…" in it stands for anything. The port 8000 is replaced
by a free one.
"""
import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import docs_in_browser
import pytest
from support import installation, service

PAGES = sorted(
    str(path.relative_to(service.TOP)) for path in service.TOP.rglob("*.md")
    if not re.match(r"(\.build|\.git/|models|run)", str(path.relative_to(service.TOP))))
# Where the blocks of a page are run; on other pages each says why it is not.
RUN = ["README.md", "nginx/README.md"]
COMMANDS = {"sh", "bash", "shell", "console", "python", "js", "javascript"}
OTHERS = {"json", "nginx", "text", "swift", "c"}
# Options on those pages that are not the executable's.
FOREIGN = {"--prefix", "--port", "--inplace", "--spider"}


@dataclasses.dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    note: str
    answer: str | None = None

    @property
    def reason(self):
        found = re.match(r"not run: (.{10,})", self.note)
        return found and found.group(1)

    @property
    def is_left_out(self):
        needs = re.match(r"needs: (\S+)", self.note)
        return self.reason or needs and not shutil.which(needs.group(1), path=os.environ["PATH"] + ":/usr/sbin")


@functools.cache
def blocks(page):
    found, block, note = [], None, ""
    for number, line in enumerate((service.TOP / page).read_text().splitlines(), 1):
        if block is None and (fence := re.match(r"```(\w*)$", line)):
            block = Block(page, number, fence.group(1), "", note)
        elif block and line == "```":
            if block.language == "json" and found and found[-1].language in COMMANDS:
                found[-1].answer = block.text.strip()
            found.append(block)
            block = None
        elif block:
            block.text += line + "\n"
        else:
            comment = re.match(r"<!-- (.*) -->$", line)
            note = comment.group(1) if comment else ""
    assert block is None, f"{page}:{block.line}: this block has no end"
    return found


def prose(page):
    """The numbered lines outside of blocks."""
    inside = False
    for number, line in enumerate((service.TOP / page).read_text().splitlines(), 1):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


def check(block, status, output):
    assert status == 0, f"{block.page}:{block.line}: ended with {status}\n{output}"
    if block.answer:
        pattern = ".*".join(map(re.escape, block.answer.split("…")))
        assert re.fullmatch(pattern, output.strip(), re.S), f"{block.page}:{block.line}: printed {output}"


class Reader:
    """Types the blocks of a page into one terminal, whose folder stays from block to block."""

    def __init__(self, folder, port, environment, **user):
        self.folder, self.port, self.environment, self.user = folder, port, environment, user
        self.running, self.keeps_running = contextlib.ExitStack(), False

    def read(self, page):
        with self.running:
            for block in blocks(page):
                if block.language not in COMMANDS or block.is_left_out:
                    continue
                text = block.text.replace("8000", str(self.port))
                if block.language == "sh" and block.note == "background":
                    self.running.enter_context(self.background(block, text))
                    self.keeps_running = True
                else:
                    run = {"sh": self.shell, "python": self.python, "js": self.javascript}[block.language]
                    check(block, *run(text))
                    if not self.keeps_running:
                        assert service.wait_until(self.is_at_rest), f"{page}:{block.line}: what it started does not end"

    def start(self, *command, output=subprocess.PIPE):
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, text=True, **self.user)

    def is_answering(self):
        return service.Service.request(self, "GET", "/health")[0] == 200

    def is_at_rest(self):
        """Whether neither the web server nor the service of this folder runs: the next starter needs port and socket."""
        programs = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                programs.append(os.readlink(entry / "exe"))
        with socket.socket() as probe:
            return str(self.folder / "denoiser") not in programs and probe.connect_ex(("127.0.0.1", self.port)) != 0

    @contextlib.contextmanager
    def background(self, block, text):
        with tempfile.TemporaryFile("w+") as output:
            process = self.start("bash", "-euo", "pipefail", "-c", "exec " + text, output=output)
            try:
                ready = service.wait_until(lambda: process.poll() is not None or self.is_answering(), 60)
                output.seek(0)
                assert ready and process.poll() is None, f"{block.page}:{block.line}: no answer\n{output.read()}"
                yield
            finally:
                service.stop(process)

    def shell(self, text):
        with tempfile.NamedTemporaryFile("w+") as place, tempfile.TemporaryFile("w+") as output:
            os.chmod(place.name, 0o666)
            # What stays in the background has the output, too: it is read when the shell has ended.
            process = self.start("bash", "-euo", "pipefail", "-c", f"{text}\npwd >{place.name}", output=output)
            try:
                status = process.wait(120)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            output.seek(0)
            self.folder = pathlib.Path(place.read().strip() or self.folder)
            return status, output.read()

    def python(self, text):
        process = self.start(sys.executable, "-c", text)
        output = process.communicate(timeout=60)[0]
        return process.returncode or not output, output

    def javascript(self, text):
        """In a page of the service, and by Node.js if there is one."""
        chromium, node = shutil.which("chromium"), shutil.which("node")
        assert chromium or node, "neither chromium (nginx/test installs it) nor node is installed"
        outputs = []
        if chromium:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
                browser = docs_in_browser.Browser(chromium, profile)
                try:
                    browser.open(f"http://127.0.0.1:{self.port}/health")
                    logged = "const lines = [], console = {log: (...values) => lines.push(JSON.stringify(values))};"
                    answer = browser.call(
                        "Runtime.evaluate", expression=f"(async () => {{ {logged}\n{text}\nreturn lines.join() }})()",
                        awaitPromise=True, returnByValue=True)
                    assert "exceptionDetails" not in answer, answer
                    outputs.append(answer["result"]["value"])
                finally:
                    browser.close()
        if node:
            process = self.start(node, "--input-type=module", "--eval", text)
            outputs.append(process.communicate(timeout=60)[0])
            assert process.returncode == 0, outputs[-1]
        return not all(outputs), "\n".join(outputs)


@pytest.fixture
def clone(tmp_path):
    """A clone that has been built: `swift` does nothing there, and all but the sources is at its place."""
    for name in ("run", "models/all-MiniLM-L6-v2", "bin"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copytree(service.TOP / "nginx", tmp_path / "nginx")
    (tmp_path / ".build/release").mkdir(parents=True)
    (tmp_path / ".build/release/denoiser").symlink_to(service.BINARY)
    (tmp_path / "models/docs-assets").symlink_to(service.DOCS_ASSETS)
    for file in pathlib.Path(service.ENCODER).iterdir():
        (tmp_path / "models/all-MiniLM-L6-v2" / file.name).symlink_to(file.resolve())
    (tmp_path / "bin/swift").write_text("#!/bin/sh\n")
    (tmp_path / "bin/swift").chmod(0o755)
    return tmp_path


def test_the_readme_is_true_in_a_clone(clone):
    port = service.free_port()
    # As a reader would choose another port, whose own variables name no other files.
    mine = {name: value for name, value in os.environ.items() if name not in ("MODEL_PATH", "ENCODER_PATH")}
    environment = {**mine, "PORT": str(port), "PATH": f"{clone / 'bin'}:{os.environ['PATH']}"}
    Reader(clone, port, environment).read("README.md")
    assert (clone / "models/embedding_denoiser.pt").exists(), "the example of an upload has not trained"


def test_the_page_about_deployment_is_true_on_a_host(package):
    with tempfile.TemporaryDirectory(prefix="denoiser-") as name:
        home = pathlib.Path(name)
        shutil.copy(package[0], home / package[0].name)
        if installation.USER:
            shutil.chown(home, installation.USER["user"], installation.USER["group"])
        environment = {**installation.ENVIRONMENT, "HOME": str(home)}
        reader = Reader(home, service.free_port(), environment, **installation.USER)
        reader.read("nginx/README.md")
        assert reader.folder == home / "denoiser"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_says_why_not(page):
    for block in blocks(page):
        assert block.language in COMMANDS | OTHERS, f"{page}:{block.line}: is ```{block.language} a command?"
        if block.language in COMMANDS and page not in RUN:
            assert block.reason, f"{page}:{block.line}: neither run nor marked <!-- not run: REASON -->"
        if block.note.startswith("not run"):
            assert block.reason, f"{page}:{block.line}: no reason is given"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    for number, line in prose(page):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", line):
            if "://" not in target:
                assert ((service.TOP / page).parent / target).exists(), f"{page}:{number}: {target} does not exist"


@functools.cache
def paths():
    """Every file of the clone, with the slash that begins its path and each part of it."""
    found = (path.relative_to(service.TOP) for top in ("Sources", "Tests", "nginx", ".ci", ".github")
             for path in (service.TOP / top).rglob("*") if path.is_file() and "Corpus" not in path.parts)
    return [f"/{path}" for path in found]


@pytest.mark.parametrize("page", PAGES)
def test_source_files_that_are_named_exist(page):
    """By the end of their path. Configuration is left out: an installation has it in other folders."""
    for number, line in prose(page):
        for name in re.findall(r"`([\w./+-]+\.(?:swift|[ch]|py|sh))`", line):
            assert any(path.endswith(f"/{name}") for path in paths()), f"{page}:{number}: there is no {name}"


@pytest.mark.parametrize("page", PAGES)
def test_prose_is_wrapped_at_100_columns(page):
    for number, line in prose(page):
        assert len(line) <= 100 or line.startswith("|"), f"{page}:{number}: {len(line)} columns"


def told(*command):
    return subprocess.run([str(service.BINARY), *command], capture_output=True, text=True, check=True).stdout


def test_options_and_commands_are_those_of_the_executable():
    commands = re.findall(r"^  ([a-z]+) {3,}", told("help").split("SUBCOMMANDS:")[1], re.M)
    help = "".join(told("help", command) for command in commands)
    for page in RUN:
        for number, line in prose(page):
            for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)) - FOREIGN - {"--"}:
                assert re.search(re.escape(option) + r"(?![\w-])", help), f"{page}:{number}: {option} is no option"
    text = (service.TOP / "README.md").read_text()
    table = text.split("| Command | Does |\n|---|---|\n")[1].split("\n\n")[0]
    named = {name.split()[0] for row in table.splitlines() for name in re.findall(r"`([a-z][^`]*)`", row.split("|")[1])}
    assert named == set(commands)
