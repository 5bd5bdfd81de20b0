"""An installation made by the package's own `install`, and what runs in it, as a user without rights."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from support import service

# Root would hide what a user may not do.
USER = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
# What a user's shell or cron has; of the tests' own environment nothing is needed.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def build_package(folder):
    """Runs nginx/package; gives the tarball and what was printed."""
    result = subprocess.run(
        [str(service.TOP / "nginx/package"), str(folder)], capture_output=True, text=True, timeout=900,
        env={**os.environ, "ENCODER_PATH": service.ENCODER})
    assert result.returncode == 0, result.stdout + result.stderr
    return pathlib.Path(result.stdout.splitlines()[-1]), result.stdout


class Installation:
    """`folder` holds an installed service that answers on `port` once something starts it.

    `wrapper` stands before each command.
    """

    wrapper = ()

    def __init__(self, folder, package, port):
        self.folder, self.port, self.unpacked = folder / "denoiser", port, folder / "unpacked"
        self.run("mkdir", str(self.unpacked), cwd=folder)
        self.run("tar", "xzf", str(package), "-C", str(self.unpacked), "--strip-components=1", cwd=folder)
        self.install()

    def run(self, *command, check=True, **options):
        options = {"cwd": self.folder, "env": ENVIRONMENT, "timeout": 120, **USER, **options}
        result = subprocess.run([*self.wrapper, *command], capture_output=True, text=True, **options)
        assert result.returncode == 0 or not check, f"{command}: {result.stdout}{result.stderr}"
        return result

    def install(self, *arguments):
        return self.run(
            str(self.unpacked / "install"), "--prefix", str(self.folder), "--port", str(self.port), *arguments,
            cwd=self.unpacked).stdout

    @contextlib.contextmanager
    def process(self, *command, number=signal.SIGTERM, log="test.log", **options):
        """Runs `command` until the block ends."""
        with open(self.folder / "run" / log, "ab") as output:
            process = subprocess.Popen(
                [*self.wrapper, *command], stdin=options.pop("stdin", subprocess.DEVNULL), stdout=output, stderr=output,
                **{"cwd": self.folder, "env": ENVIRONMENT, **USER, **options})
        try:
            yield process
        finally:
            status = service.stop(process, number)
            assert status in (0, -number, 128 + number), f"{command} ended with {status}\n{self.logs()}"

    def nginx(self):
        """The shipped nginx.conf, from whatever folder."""
        return self.process(
            service.NGINX, "-p", f"{self.folder}/", "-c", "nginx/nginx.conf", "-e", "run/nginx-error.log", number=signal.SIGQUIT,
            cwd="/")

    def request(self, method, path, body=None, headers=None, timeout=120):
        return service.Service.request(self, method, path, body, headers, timeout)

    def post(self, path, value):
        return service.Service.post(self, path, value)

    def wait_until_ready(self):
        assert service.wait_until(lambda: self.request("GET", "/health")[0] == 200), f"no answer\n{self.logs()}"

    def logs(self):
        return "".join(f"== {path.name}\n{path.read_text(errors='replace')[-2000:]}\n"
                       for path in sorted((self.folder / "run").glob("*log")))


@contextlib.contextmanager
def installed(package):
    """A fresh installation; its folder is the user's own."""
    with tempfile.TemporaryDirectory(prefix="denoiser-") as name:
        folder = pathlib.Path(name)
        if USER:
            shutil.chown(folder, USER["user"], USER["group"])
        yield Installation(folder, package, service.free_port())
