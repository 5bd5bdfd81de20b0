"""Changes of the shipped nginx files before a test starts them, and requests that only nginx sees."""
import contextlib
import json
import socket

from support import service


def edit(old, new, name="nginx.conf"):
    """A change of an nginx file before anything starts."""
    def prepare(folder):
        path = folder / "run" / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    return prepare


def raw(port, sent):
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(sent)
        data = b""
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), json.loads(body)


def with_status(folder):
    port = service.free_port()
    edit("# include denoiser_status.conf;", "include denoiser_status.conf;")(folder)
    edit("listen 127.0.0.1:8001;", f"listen 127.0.0.1:{port};", "denoiser_status.conf")(folder)
    (folder / "run/status-port").write_text(str(port))


def status_page(running, path):
    port = int((running.folder / "run/status-port").read_text())
    return service.Service(running.folder, running.process, running.nginx, port).request("GET", path)
