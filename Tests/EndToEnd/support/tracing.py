"""System calls of a running service that are slow or fail, by strace."""
import contextlib
import shutil
import subprocess
import time

import pytest
from support import service

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(not STRACE, reason="strace is not here")


@contextlib.contextmanager
def meddling(running, path, what):
    """Calls that open `path` meet `what`, as strace words it."""
    tracer = subprocess.Popen(
        [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-P", path, "-e", f"inject=openat:{what}",
         "-p", str(running.process.pid)], cwd=running.folder, stderr=subprocess.PIPE)
    time.sleep(1)
    if tracer.poll() is not None:
        pytest.skip("tracing is forbidden here")
    try:
        yield
    finally:
        # A process that ends while a call of it is delayed keeps strace waiting; killed, it lets go.
        service.stop(tracer, seconds=5)
