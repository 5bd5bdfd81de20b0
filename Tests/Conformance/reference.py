"""Starts the reference application on uvicorn, and stops it again."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile

from support import service

HERE = pathlib.Path(__file__).resolve().parent


@contextlib.contextmanager
def running(root_path="", *arguments):
    """The port of a live FastAPI that answers as the service should; `root_path` is its mount, `arguments` are uvicorn's."""
    port = service.free_port()
    with tempfile.TemporaryFile() as log:
        # The command itself: `python -m` would take two frames of the depth Python allows, and so of JSON's.
        # Tracebacks are part of what it does on some of the requests.
        process = subprocess.Popen(
            [str(pathlib.Path(sys.executable).parent / "uvicorn"), "reference_app:app", "--port", str(port),
             "--log-level", "warning", "--root-path", root_path, *arguments],
            cwd=HERE, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            health = service.Service(HERE, process, None, port)
            ready = service.wait_until(lambda: health.request("GET", "/health")[0] == 200)
            log.seek(0)
            assert ready, f"uvicorn does not answer:\n{log.read().decode()}"
            yield port
        finally:
            service.stop(process)
