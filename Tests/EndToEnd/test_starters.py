"""Every way of starting the service, with the files of the package, passes the same recorded requests."""
import configparser
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import pytest
from support import installation, paths, recorded, service
from support.fatal import CRASHING, JSON, MARKED, Beside, Watch, needs_crashes
from support.work import LONG


def program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


@pytest.fixture(scope="module")
def place(package):
    with installation.installed(package[0]) as made:
        yield made


def processes(place):
    """The numbers of the service's processes that run from this installation."""
    found = set()
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.readlink(entry / "exe") == str(place.folder / "denoiser"):
                found.add(int(entry.name))
    return found


@contextlib.contextmanager
def spawn_fcgi(place):
    control = str(place.folder / "nginx/spawn-fcgi/denoiser")
    place.run(control, "start", "2")
    try:
        with place.nginx():
            yield
    finally:
        place.run(control, "stop")


@contextlib.contextmanager
def supervisord(place):
    configuration = str(place.folder / "nginx/supervisor/supervisord.conf")
    with place.process("supervisord", "-n", "-c", configuration, log="supervisor-test.log"):
        yield


@contextlib.contextmanager
def cron(place):
    """The line of the crontab, in the environment that cron gives it."""
    lines = [line.split() for line in (place.folder / "nginx/cron/crontab").read_text().splitlines()
             if line and not line.startswith("#")]
    command = lines[0][1:]
    assert lines[0][0] == "@reboot" and lines[1][5:] == command

    def tick():
        place.run("sh", "-c", " ".join(command), env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "SHELL": "/bin/sh"})

    try:
        tick()
        yield tick
    finally:
        for name in ("denoiser", "nginx"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((place.folder / f"run/{name}.pid").read_text()), 15)
        assert service.wait_until(lambda: not processes(place))


def unit(place, name):
    """A unit file's settings; those that come more than once are not asked for."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(place.folder / "nginx/systemd" / name)
    return parser


@contextlib.contextmanager
def systemd(place):
    """Two processes on the socket of the units, as systemd hands it over."""
    made, settings = unit(place, "denoiser.socket")["Socket"], unit(place, "denoiser@.service")["Service"]
    assert settings["Type"] == "notify"
    manager = place.folder / "run/notify"
    with (socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
          contextlib.ExitStack() as running):
        told.bind(str(manager))
        told.settimeout(30)
        manager.chmod(0o666)
        # As systemd does with a file that was left behind.
        pathlib.Path(made["ListenStream"]).unlink(missing_ok=True)
        listener.bind(made["ListenStream"])
        listener.listen(int(made["Backlog"]))
        pathlib.Path(made["ListenStream"]).chmod(int(made["SocketMode"], 8))
        if installation.USER:
            shutil.chown(made["ListenStream"], installation.USER["user"])
        # The process number is known only inside; descriptor 3 is systemd's first.
        start = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&"$SOCKET"'
        try:
            for _ in range(2):
                running.enter_context(place.process(
                    "bash", "-c", start, "bash", *settings["ExecStart"].split(), cwd=settings["WorkingDirectory"],
                    pass_fds=[listener.fileno()],
                    env={**installation.ENVIRONMENT, "SOCKET": str(listener.fileno()), "NOTIFY_SOCKET": str(manager)}))
            # systemd takes a process of this type for started only when it says so.
            ready = 0
            while ready < 2:
                ready += b"READY=1" in told.recv(4096)
            running.enter_context(place.nginx())
            yield
        finally:
            os.unlink(made["ListenStream"])
            manager.unlink()


@contextlib.contextmanager
def socket_activate(place):
    """systemd's own program for trying socket activation; it needs no running systemd."""
    made, settings = unit(place, "denoiser.socket")["Socket"], unit(place, "denoiser@.service")["Service"]
    try:
        with place.process("systemd-socket-activate", "--listen", made["ListenStream"], *settings["ExecStart"].split(),
                           preexec_fn=lambda: os.umask(0o077)), place.nginx():
            yield
    finally:
        os.unlink(made["ListenStream"])


APACHE = """
ServerRoot "{run}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{run}/apache.pid"
DefaultRuntimeDir "{run}"
Mutex "file:{run}"
TypesConfig /dev/null
ErrorLog "{run}/apache-error.log"
{modules}
DocumentRoot "{site}"
<Directory "{site}">
    AllowOverride All
    Require all granted
</Directory>
FcgidIPCDir "{run}/fcgid"
FcgidProcessTableFile "{run}/fcgid/table"
Include "{folder}/nginx/apache/fcgid.conf"
"""
APACHE_MODULES = ("mpm_event", "authz_core", "mime", "dir", "env", "rewrite", "fcgid")


@contextlib.contextmanager
def mod_fcgid(place):
    folder, site, run = place.folder, place.folder / "site", place.folder / "run"
    place.run("mkdir", "-p", str(site), str(run / "fcgid"))
    # What nginx/README.md tells to do.
    place.run("cp", "nginx/apache/.htaccess", "nginx/apache/denoiser.fcgi", str(site))
    place.run("ln", "-sfn", "../models/docs-assets", str(site / "docs-assets"))
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES)
    configuration = run / "apache.conf"
    configuration.write_text(APACHE.format(folder=folder, site=site, run=run, port=place.port, modules=modules))
    with place.process(program("apache2"), "-D", "FOREGROUND", "-f", str(configuration)):
        yield
    assert service.wait_until(lambda: not processes(place))


@contextlib.contextmanager
def lighttpd(place):
    # On SIGTERM it ends with 1 now and then; this is its graceful stop.
    with place.process(program("lighttpd"), "-D", "-f", str(place.folder / "nginx/lighttpd/lighttpd.conf"), number=signal.SIGINT):
        yield


STARTERS = {
    spawn_fcgi: "spawn-fcgi", systemd: "nginx", socket_activate: "systemd-socket-activate", supervisord: "supervisord",
    cron: "flock", mod_fcgid: "apache2", lighttpd: "lighttpd",
}
# What the web server answers itself, with its status.
OWN_ANSWERS = {
    # Only the server's configuration can let an encoded slash through (AllowEncodedSlashes).
    mod_fcgid: {"path GET /health%2F: GET /health%2F": 404},
}


@pytest.fixture(params=STARTERS, ids=lambda starter: starter.__name__)
def started(request, place):
    if not program(STARTERS[request.param]):
        pytest.skip(f"{STARTERS[request.param]} is not installed")
    with request.param(place) as handle:
        place.wait_until_ready()
        yield request.param, handle
    assert service.wait_until(lambda: not processes(place)), "a process outlived its starter"


def test_the_recorded_requests_are_answered_the_same(started, place):
    count, faults = recorded.differences(place.port)
    assert count > 500
    for name, status in OWN_ANSWERS.get(started[0], {}).items():
        assert faults.pop(name).startswith(f"status {status}")
    assert faults == {}
    # Below /v1/, too: the vectors are those of the other routes.
    _, _, denoised = place.post("/denoise/text", {"texts": ["hello", "good bye"]})
    status, _, answer = place.post("/v1/embeddings", {"model": "all-MiniLM-L6-v2-denoised", "input": ["hello", "good bye"]})
    assert status == 200 and [entry["embedding"] for entry in answer["data"]] == denoised["denoised_embeddings"]
    status, _, body = place.request("GET", "/v1/models/another")
    assert status == 404 and json.loads(body)["error"]["code"] == "model_not_found"
    # Behind a proxy that ends TLS; the tests are such a one.
    for scheme in ("https", "http"):
        status, headers, _ = place.request("GET", "/health/?a=b", headers={"X-Forwarded-Proto": scheme})
        assert (status, headers["location"]) == (307, f"{scheme}://127.0.0.1:{place.port}/health?a=b")


# Those that look after what they started; of systemd only the settings can be looked at here.
KEEPERS = pytest.mark.parametrize(
    "starter", [spawn_fcgi, supervisord, cron, mod_fcgid, lighttpd], ids=lambda starter: starter.__name__)


def answers(place, seconds=30):
    sent = b'{"texts": ["again"]}', {"content-type": "application/json"}
    return service.wait_until(lambda: place.request("POST", "/denoise/text", *sent)[0] == 200, seconds)


@KEEPERS
def test_what_crashes_comes_back_however_often(starter, place):
    if not program(STARTERS[starter]):
        pytest.skip(f"{STARTERS[starter]} is not installed")
    with starter(place):
        place.wait_until_ready()
        # systemd gives up after five by default, supervisord after three.
        for _ in range(7):
            killed = processes(place)
            assert killed
            for process in killed:
                os.kill(process, signal.SIGKILL)
            assert answers(place), f"no answer\n{place.logs()}"
    assert service.wait_until(lambda: not processes(place))


@needs_crashes
@KEEPERS
def test_a_crash_on_a_marked_request_ends_two_processes_at_most_and_they_come_back(starter, place, monkeypatch):
    if not program(STARTERS[starter]):
        pytest.skip(f"{STARTERS[starter]} is not installed")
    monkeypatch.setattr(place, "wrapper", CRASHING)
    with starter(place):
        place.wait_until_ready()
        for _ in range(2):
            with Beside(lambda: processes(place), place.request) as beside:
                status, _, body = place.request("POST", "/denoise/embedding", MARKED, JSON)
                assert status >= 500, body[:200]
                assert answers(place), f"no answer\n{place.logs()}"
            assert 1 <= len(beside.ended) <= 2, place.logs()
            print(f"{beside.statuses.count(200)} of {len(beside.statuses)} others answered 200")
            assert beside.statuses[0] == 200 and 200 in beside.statuses[-3:]
    assert service.wait_until(lambda: not processes(place))


@KEEPERS
def test_a_fatal_request_ends_two_processes_at_most_and_they_come_back(starter, place):
    if not program(STARTERS[starter]):
        pytest.skip(f"{STARTERS[starter]} is not installed")
    with starter(place):
        place.wait_until_ready()
        for _ in range(3):
            with Watch(lambda: processes(place)) as watch:
                status, _, body = place.request(
                    "POST", "/denoise/text", json.dumps(LONG).encode(), {"content-type": "application/json"})
                assert status >= 500, body[:200]
                assert answers(place), f"no answer\n{place.logs()}"
            assert 1 <= len(watch.killed) <= 2
    assert service.wait_until(lambda: not processes(place))


# A user manager of systemd's that thinks the machine was booted with it.
MANAGER = """
mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system
exec /lib/systemd/systemd --user --log-target=console
"""


@contextlib.contextmanager
def manager(place):
    """systemd itself with the units; gives what runs systemctl."""
    home = place.folder / "home"
    (home / "run").mkdir(parents=True, mode=0o700)
    shutil.copytree(place.folder / "nginx/systemd", home / ".config/systemd/user")
    environment = {**installation.ENVIRONMENT, "HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"),
                   "PATH": installation.ENVIRONMENT["PATH"] + ":/usr/sbin"}

    def control(*arguments):
        return subprocess.run(["systemctl", "--user", *arguments], env=environment, capture_output=True, text=True, timeout=60)

    with open(home / "manager.log", "wb") as log:
        process = subprocess.Popen([*place.wrapper, "unshare", "-m", "sh", "-c", MANAGER], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
    try:
        if not service.wait_until(lambda: control("list-units").returncode == 0, 10):
            pytest.skip("no user manager of systemd starts here")
        yield control
    finally:
        control("exit")
        service.stop(process)


@needs_crashes
@pytest.mark.skipif(os.getuid() != 0 or not os.path.exists("/lib/systemd/systemd"), reason="needs root and systemd")
def test_systemd_itself_starts_the_units_again_however_often(package):
    with installation.installed(package[0]) as place:
        configuration = place.folder / "nginx/nginx.conf"
        # Started by root, nginx would serve as another user, whom the socket refuses.
        configuration.write_text("user root;\n" + configuration.read_text())
        place.wrapper = CRASHING
        with manager(place) as control:
            started = control("start", "denoiser.socket", "denoiser@1", "denoiser@2", "denoiser-nginx")
            assert started.returncode == 0, started.stderr
            place.wait_until_ready()
            for _ in range(7):
                for process in processes(place):
                    os.kill(process, signal.SIGKILL)
                # What comes before the restart waits in the socket.
                assert answers(place), control("status", "denoiser@1", "denoiser.socket").stdout
            with Beside(lambda: processes(place), place.request) as beside:
                status, _, body = place.request("POST", "/denoise/embedding", MARKED, JSON)
                assert status == 503, body[:200]
                assert answers(place)
            assert 1 <= len(beside.ended) <= 2
        assert service.wait_until(lambda: not processes(place))


def test_the_units_come_back_however_often(place):
    for name in ("denoiser@.service", "denoiser-nginx.service"):
        settings = unit(place, name)
        assert settings["Unit"]["StartLimitIntervalSec"] == "0"
        assert settings["Service"]["Restart"] == "always"
        # A file that is missing (78) may come.
        assert settings["Service"].get("RestartPreventExitStatus", "64") == "64"
    assert unit(place, "denoiser.socket")["Socket"]["TriggerLimitIntervalSec"] == "0"


@pytest.mark.parametrize("starter", [cron, mod_fcgid, lighttpd], ids=lambda starter: starter.__name__)
def test_what_was_killed_is_started_again(starter, place):
    if not program(STARTERS[starter]):
        pytest.skip(f"{STARTERS[starter]} is not installed")
    with starter(place) as tick:
        place.wait_until_ready()
        killed = processes(place)
        assert killed
        if tick:
            # A second run beside the first starts nothing.
            tick()
            assert processes(place) == killed
        for process in killed:
            os.kill(process, signal.SIGKILL)
        assert service.wait_until(lambda: not processes(place) & killed)
        if tick:
            tick()
        place.wait_until_ready()
        assert place.post("/denoise/text", {"texts": ["again"]})[0] == 200
    assert service.wait_until(lambda: not processes(place))


# What a site says that keeps uploads to itself, in the other web servers' words.
@pytest.fixture
def uploads_denied(place, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "APACHE", APACHE + """
<If "%{{REQUEST_URI}} == '/upload/'">
    Require all denied
</If>
""")
    path = place.folder / "nginx/lighttpd/lighttpd.conf"
    text = path.read_text()
    path.write_text(text.replace('( "mod_alias",', '( "mod_access", "mod_alias",')
                    + '\n$HTTP["url"] == "/upload/" { url.access-deny = ( "" ) }\n')
    yield
    path.write_text(text)


@pytest.mark.parametrize("starter", [mod_fcgid, lighttpd], ids=lambda starter: starter.__name__)
def test_no_spelling_of_a_route_passes_a_rule_for_it_by(starter, place, uploads_denied):
    if not program(STARTERS[starter]):
        pytest.skip(f"{STARTERS[starter]} is not installed")
    with starter(place):
        place.wait_until_ready()
        ask = paths.Asker(place.port)
        assert ask("POST", "/upload/", b"{}")[0] == 403
        assert paths.route(ask, "/denoise/text")[0] == "/denoise/text"
        assert [spelling for spelling in paths.spellings() if paths.route(ask, spelling)[0] == "/upload/"] == []
    assert service.wait_until(lambda: not processes(place))


@pytest.mark.skipif(not program("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_units(place):
    units = sorted((place.folder / "nginx/systemd").iterdir())
    names = [str(unit).replace("@.service", "@1.service") for unit in units]
    # The instance that is looked at, as systemctl would make it.
    template = place.folder / "nginx/systemd/denoiser@.service"
    instance = place.folder / "nginx/systemd/denoiser@1.service"
    try:
        instance.symlink_to(template)
        result = place.run("systemd-analyze", "verify", "--user", "--man=no", *names, check=False,
                           env={**installation.ENVIRONMENT, "XDG_RUNTIME_DIR": str(place.folder / "run")})
    finally:
        instance.unlink(missing_ok=True)
    # Other packages' units are theirs.
    ours = [line for line in (result.stdout + result.stderr).splitlines() if "denoiser" in line]
    assert result.returncode == 0 and ours == []
