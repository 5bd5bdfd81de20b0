"""Starts `denoiser serve` behind a real nginx, both in a temporary folder, and stops them again."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("DENOISER", TOP / ".build/release/denoiser"))
# What /docs loads (nginx/fetch-docs-assets); the folder may be missing.
DOCS_ASSETS = pathlib.Path(os.environ.get("DOCS_ASSETS", TOP / "models/docs-assets"))
FIXTURES = TOP / "Tests/ModelFilesTests/Fixtures"
# A model that the original code saved.
MODEL = FIXTURES / "embedding_denoiser.pt"
ENCODER = os.environ.get("ENCODER_PATH", str(TOP / "models/all-MiniLM-L6-v2"))
# Where the files for a site put the service.
MOUNTS = {"denoiser.conf": "", "denoiser_mounted.conf": "/api/v1"}
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A running service: `port` through nginx, `socket` without it, `process` the responder."""

    def __init__(self, folder, process, nginx, port):
        self.folder, self.process, self.nginx, self.port = folder, process, nginx, port
        self.socket = str(folder / "run/denoiser.sock")
        self.model = str(folder / "models/embedding_denoiser.pt")

    def request(self, method, path, body=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def post(self, path, value, **options):
        status, headers, body = self.request(
            "POST", path, json.dumps(value).encode(), {"content-type": "application/json"}, **options)
        return status, headers, json.loads(body)

    def get(self, path):
        status, headers, body = self.request("GET", path)
        return status, headers, json.loads(body)

    def log(self):
        return (self.folder / "run/service.log").read_text()


def stop(process, number=signal.SIGTERM, seconds=20):
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def lay_out(folder, port, configuration="nginx.conf", site="denoiser.conf"):
    """The shipped nginx files in `folder`, on `port`; `site` is the one with the service's locations."""
    (folder / "run").mkdir(mode=0o700)
    (folder / "models").mkdir()
    for part in (TOP / "nginx/conf").glob("denoiser*.conf"):
        shutil.copy(part, folder / "run" / part.name)
    (folder / "models/docs-assets").symlink_to(DOCS_ASSETS)
    text = (TOP / "nginx/conf" / configuration).read_text()
    text = text.replace("listen 127.0.0.1:8000;", f"listen 127.0.0.1:{port};")
    text = text.replace("include denoiser.conf;", f"include {site};")
    # Started by root, nginx would serve as another user, whom the socket refuses.
    (folder / "run/nginx.conf").write_text(("user root;\n" if os.getuid() == 0 else "") + text)


def lift_limits(folder):
    """For `prepare`: nginx passes on as many requests at a time as come, so that the service meets them."""
    file = folder / "run/nginx.conf"
    text, count = re.subn(r"^ *limit_conn denoiser.*\n", "", file.read_text(), flags=re.MULTILINE)
    assert count == 4
    file.write_text(text)


def start_responder(folder, *arguments, model=None, environment=None, wrapper=()):
    if model:
        shutil.copy(model, folder / "models/embedding_denoiser.pt")
    with open(folder / "run/service.log", "ab") as log:
        return subprocess.Popen(
            [*wrapper, str(BINARY), "serve", "--socket", "run/denoiser.sock", *arguments],
            cwd=folder, env={**os.environ, "ENCODER_PATH": ENCODER, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def wait_until(answer, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if answer():
                return True
        time.sleep(0.05)
    return False


def until(running, words, seconds=20):
    assert wait_until(lambda: words in running.log(), seconds), f"no \"{words}\"\n{running.log()}"


@contextlib.contextmanager
def running(
        *arguments, model=None, environment=None, prepare=None, wrapper=(), site="denoiser.conf"):
    """A service in a fresh folder; `model` is copied to its MODEL_PATH first, and
    `prepare` gets the folder before anything starts; `wrapper` is a command that starts the service;
    `site` says where it is mounted."""
    with tempfile.TemporaryDirectory(prefix="denoiser-") as name:
        folder, port = pathlib.Path(name), free_port()
        lay_out(folder, port, site=site)
        if prepare:
            prepare(folder)
        process = start_responder(
            folder, *arguments, model=model, environment=environment, wrapper=wrapper)
        nginx = subprocess.Popen(
            [NGINX, "-p", f"{folder}/", "-c", "run/nginx.conf", "-e", "run/nginx-error.log"], cwd=folder)
        service = Service(folder, process, nginx, port)
        try:
            ready = wait_until(lambda: service.request("GET", MOUNTS[site] + "/health")[0] == 200)
            assert ready, f"no answer from /health\n{service.log()}"
            yield service
        finally:
            stop(nginx, signal.SIGQUIT)
            stop(process)
