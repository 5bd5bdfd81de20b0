"""Socket activation as systemd does it: the test holds the socket, and services are started on it."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

from support import service
from support.service import MODEL

# What systemd does: the socket becomes descriptor 3, the variables name the process.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextlib.contextmanager
def activated(wrapper=()):
    """nginx in front of a socket that this process holds; `start` hands it to one more service.

    `wrapper` stands before each service's command.
    """
    with tempfile.TemporaryDirectory(prefix="denoiser-") as name, socket.socket(socket.AF_UNIX) as listener:
        folder, port = pathlib.Path(name), service.free_port()
        service.lay_out(folder, port)
        listener.bind(str(folder / "run/denoiser.sock"))
        listener.listen(511)
        started = []

        def start(*arguments):
            with open(folder / "run/service.log", "ab") as log:
                started.append(subprocess.Popen(
                    [sys.executable, "-S", "-E", "-c", HAND_OVER, str(listener.fileno()),
                     *wrapper, str(service.BINARY), "serve", *arguments],
                    cwd=folder, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env={**os.environ, "ENCODER_PATH": service.ENCODER, "MODEL_PATH": str(MODEL)}))
            return started[-1]

        nginx = subprocess.Popen(
            [service.NGINX, "-p", f"{folder}/", "-c", "run/nginx.conf", "-e", "run/nginx-error.log"], cwd=folder)
        running = service.Service(folder, None, nginx, port)
        try:
            yield running, start
        finally:
            service.stop(nginx, signal.SIGQUIT)
            for process in started:
                service.stop(process)
