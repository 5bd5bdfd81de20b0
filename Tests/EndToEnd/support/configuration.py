"""A service with a configuration file: started, told to read it again, and checked."""
import contextlib
import os
import signal
import subprocess

from support import service
from support.service import MODEL


@contextlib.contextmanager
def configured(text, *arguments):
    """A service whose configuration file is run/denoiser.ini, made before it starts."""
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text(text)
    with service.running("--config", "run/denoiser.ini", *arguments, model=MODEL, prepare=prepare) as running:
        yield running


def reload(running, text=None):
    if text is not None:
        (running.folder / "run/denoiser.ini").write_text(text)
    done = running.log().count("reloaded")
    running.process.send_signal(signal.SIGHUP)
    assert service.wait_until(lambda: running.log().count("reloaded") > done), running.log()


def check(folder, *arguments):
    run = subprocess.run(
        [str(service.BINARY), "serve", "--check", *arguments], cwd=folder,
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, capture_output=True, text=True, timeout=60)
    return run.returncode, (run.stdout + run.stderr).splitlines()
