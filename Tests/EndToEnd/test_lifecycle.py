"""How the service is configured, logged, told what to do by signals, and ended."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest
from support import service
from support.configuration import check, configured, reload
from support.service import MODEL, until
from support.uploads import sentences, upload
from support.work import ENDLESS, in_background, rows


# Ends.

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_each_signal_to_stop_ends_with_0(number):
    with service.running(model=MODEL) as running:
        assert service.stop(running.process, number) == 0
        assert "stopped after" in running.log()


def test_what_takes_longer_than_the_stop_time_is_given_up():
    with service.running("--stop-timeout", "1", model=MODEL) as running:
        answer = in_background(running.post, "/denoise/text", ENDLESS)
        time.sleep(0.5)
        assert service.stop(running.process) == 1
        assert "gave up 1 requests" in running.log()
        # nginx says it in the service's place.
        assert answer.result(20)[0] == 503


def test_a_second_signal_ends_at_once():
    with service.running("--stop-timeout", "100", model=MODEL) as running:
        answer = in_background(running.post, "/denoise/text", ENDLESS)
        time.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
        until(running, "stopping: signal 15, 1 requests in flight")
        assert running.process.poll() is None
        assert service.stop(running.process, signal.SIGINT, seconds=5) == 1
        assert "ending at once" in running.log()
        assert answer.result(20)[0] == 503


def test_a_stop_ends_a_training_run_with_503_and_nothing_changed():
    with service.running("--epochs", "100000", model=MODEL) as running:
        before = pathlib.Path(running.model).read_bytes()
        answer = in_background(upload, running, sentences(200))
        time.sleep(1)
        assert service.stop(running.process) == 0
        status, headers, body = answer.result(20)
        assert status == 503 and "retry-after" in headers and "訓練已取消" in body["detail"]
        assert pathlib.Path(running.model).read_bytes() == before
        assert not list(pathlib.Path(running.model).parent.glob("**/*.new"))


def test_a_stop_ends_an_upload_that_waits_for_another_run():
    with service.running("--training-wait", "600", model=MODEL) as running:
        other = subprocess.Popen(
            [str(service.BINARY), "train", "-", "--epochs", "100000", "--model", running.model],
            env={**os.environ, "ENCODER_PATH": service.ENCODER}, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        other.stdin.write(sentences(50))
        other.stdin.close()
        other.stderr.readline()  # It has begun, so it has the lock.
        try:
            answer = in_background(upload, running, sentences(50))
            time.sleep(0.5)
            assert service.stop(running.process) == 0
            assert answer.result(20)[0] == 503
        finally:
            other.kill()
            other.wait()


def test_after_so_many_requests_the_process_ends_with_0():
    with service.running("--max-requests", "20", model=MODEL) as running:
        statuses = []
        with contextlib.suppress(OSError):
            while running.process.poll() is None and len(statuses) < 100:
                statuses.append(running.get("/health")[0])
        assert running.process.wait(10) == 0
        assert "--max-requests 20 are reached" in running.log()
        assert statuses.count(200) >= 15


def test_without_requests_for_so_long_the_process_ends_with_0():
    with service.running("--idle-exit", "2", model=MODEL) as running:
        for _ in range(6):
            time.sleep(0.5)
            assert running.get("/health")[0] == 200
        last = time.monotonic()
        assert running.process.wait(20) == 0
        print(f"ended {time.monotonic() - last:.2f} s after the last request")
        assert time.monotonic() - last > 1.9


# HUP and the configuration file.

def test_the_configuration_file_counts_and_the_command_line_wins():
    with configured("# limits\n\nrows = 3\n  texts=2 \n", "--texts", "4") as running:
        assert running.post("/denoise/embedding", rows(3))[0] == 200
        assert running.post("/denoise/embedding", rows(4))[0] == 422
        assert running.post("/denoise/text", {"texts": ["a"] * 4})[0] == 200
        assert running.post("/denoise/text", {"texts": ["a"] * 5})[0] == 422


def test_hup_reads_the_configuration_again():
    with configured("rows = 3\n") as running:
        process = running.process.pid
        reload(running, "rows = 5\nstop-timeout = 7\n")
        assert running.post("/denoise/embedding", rows(5))[0] == 200
        assert "--stop-timeout has changed, which counts from the next start on" in running.log()
        # Another model, and another encoder folder with the same files.
        (running.folder / "encoder").symlink_to(service.ENCODER)
        reload(running, "no-default-model\nmodel = models/none.pt\nencoder = encoder\n")
        assert running.get("/health")[2]["model_loaded"] is False
        reload(running, "")
        assert running.get("/health")[2]["model_loaded"] is True
        assert running.post("/denoise/text", {"texts": ["a"]})[0] == 200
        assert running.process.pid == process and running.process.poll() is None


@pytest.mark.parametrize("text, words", [
    ("rows = 3\n\ntexst = 9\n", "run/denoiser.ini:3: "),
    ("rows = many\n", "run/denoiser.ini:1: "),
    ("rows = 0\n", "it must be a whole number from 1 to 10000000"),
    ("rows = 4\n# more\nrows = 5\n", "run/denoiser.ini:3: rows stands in line 1, too"),
    ("nonsense here\n", "run/denoiser.ini:1: \"nonsense here\" is not `name = value`"),
    ("--rows = 3\n", "run/denoiser.ini:1: "),
    ("config = other\n", "config belongs on the command line"),
    ("no-default-model = perhaps\n", "must be true or false"),
    ("model = run/denoiser.ini\n", "run/denoiser.ini: "),
    ("encoder = nowhere\n", "nowhere/"),
    ("log = nowhere/log\n", "cannot open the log nowhere/log: No such file or directory"),
])
def test_a_configuration_that_cannot_be_used_changes_nothing(text, words):
    with configured("rows = 3\n") as running:
        reload(running, text)
        last = running.log().splitlines()[-1]
        assert last.startswith("denoiser: not reloaded, all stays as it was: ") and words in last
        assert running.post("/denoise/embedding", rows(3))[0] == 200
        assert running.post("/denoise/embedding", rows(4))[0] == 422


def test_a_damaged_model_is_refused_by_hup_and_the_old_one_stays():
    with configured("") as running:
        version = running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"]
        pathlib.Path(running.model).write_bytes(b"damaged")
        reload(running)
        assert "not reloaded" in running.log().splitlines()[-1]
        assert running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"] == version


@pytest.mark.parametrize("text", ["keys = nowhere\n", "log = nowhere/log\n", "memory = 1\n"])
def test_a_reload_that_fails_leaves_the_model_as_well(text):
    with configured("") as running:
        version = running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"]
        # Read again, it would be the built-in one.
        pathlib.Path(running.model).unlink()
        reload(running, text)
        assert "not reloaded, all stays as it was" in running.log()
        assert running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"] == version
        reload(running, "")
        assert running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"] != version


def test_a_reload_without_the_keys_says_that_training_is_open():
    with configured("") as running:
        def count():
            return running.log().count("no --keys: whoever reaches the service may train")
        keys = running.folder / "keys"
        keys.write_text("use a-key-0123456789\n")
        keys.chmod(0o600)
        assert count() == 1
        reload(running)
        reload(running, "keys = keys\n")
        assert count() == 1
        reload(running, "")
        assert count() == 2


def test_standard_input_is_no_configuration_to_be_read_again():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    wrapper = ["sh", "-c", 'exec "$@" < run/denoiser.ini', "sh"]
    with service.running("--config", "-", model=MODEL, prepare=prepare, wrapper=wrapper) as running:
        reload(running)
        last = running.log().splitlines()[-1]
        assert last.startswith("denoiser: not reloaded, all stays as it was: --config - is standard input")
        assert running.post("/denoise/embedding", rows(4))[0] == 422


# The log.

def test_usr1_opens_the_log_again_after_a_rename():
    with service.running("--log", "run/own.log", model=MODEL) as running:
        log = running.folder / "run/own.log"
        assert "serving on run/denoiser.sock" in log.read_text()
        old = log.rename(running.folder / "run/own.log.1")
        reload_line = "reloaded: "
        running.process.send_signal(signal.SIGHUP)  # Opens it again as well.
        assert service.wait_until(lambda: log.exists() and reload_line in log.read_text())
        log.rename(running.folder / "run/own.log.2")
        running.process.send_signal(signal.SIGUSR1)
        assert service.wait_until(log.exists)
        assert service.stop(running.process) == 0
        line = log.read_text().splitlines()[-1]
        assert "stopped after" in line and f"denoiser[{running.process.pid}]" in line
        assert "stopped" not in old.read_text()
        assert log.stat().st_mode & 0o007 == 0


def test_the_log_goes_where_a_reload_says_and_stays_there():
    with configured("") as running:
        first, log = running.folder / "run/service.log", running.folder / "run/own.log"
        (running.folder / "run/denoiser.ini").write_text("log = run/own.log\n")
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: log.exists() and "reloaded: " in log.read_text())
        assert "--log has changed" not in log.read_text() + first.read_text()
        # Taken out again, the file stays what it is, and is opened again after a rename.
        (running.folder / "run/denoiser.ini").write_text("")
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "--log has changed, which counts from" in log.read_text())
        log.rename(running.folder / "run/own.log.1")
        running.process.send_signal(signal.SIGUSR1)
        assert service.wait_until(log.exists)


def test_what_keeps_the_service_from_starting_is_told_to_whoever_started_it(tmp_path):
    run = subprocess.run(
        [str(service.BINARY), "serve", "--log", "own.log", "--socket", "no/folder/s"], cwd=tmp_path,
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, capture_output=True, text=True, timeout=30)
    assert run.returncode == 71 and "no/folder" in run.stderr
    run = subprocess.run(
        [str(service.BINARY), "serve", "--log", "no/folder/log", "--socket", "s"], cwd=tmp_path,
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, capture_output=True, text=True, timeout=30)
    assert run.returncode == 78 and "no/folder/log" in run.stderr


@pytest.mark.parametrize("name, words", [
    ("pipe", "a pipe that nobody reads"), ("folder", "Is a directory"), ("no/log", "No such file"),
    ("file/log", "Not a directory"), ("dangling", "No such file"), ("", "No such file"),
    ("file", None), ("new", None), ("link", None), ("/dev/null", None)])
def test_check_and_start_agree_on_the_log(tmp_path, name, words):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("no/log")
    (tmp_path / "link").symlink_to("folder/log")
    there = sorted(tmp_path.rglob("*"))

    def run(*arguments):
        return subprocess.run(
            [str(service.BINARY), "serve", "--log", name, *arguments], cwd=tmp_path,
            env={**os.environ, "ENCODER_PATH": service.ENCODER}, capture_output=True, text=True, timeout=30)
    check = run("--check", "--socket", "s")
    line = next(line for line in check.stdout.splitlines() if " log: " in line)
    assert sorted(tmp_path.rglob("*")) == there
    if words is None:
        assert line == f"ok       log: {name}" and check.returncode == 0
    else:
        assert line.startswith(f"problem  log: cannot open the log {name}: ") and words in line
        assert check.returncode == 78
        assert words in run("--socket", "s").stderr


def test_models_tells_why_none_is_live(tmp_path):
    def models():
        return subprocess.run([str(service.BINARY), "models", "--model", "m.pt"], cwd=tmp_path, capture_output=True, text=True)

    run = models()
    assert run.returncode == 78 and run.stdout == "" and "m.pt: no such file" in run.stderr
    (tmp_path / "m.pt").write_bytes(b"no model")
    run = models()
    assert run.returncode == 65 and "m.pt" in run.stderr


# systemd.

@pytest.mark.parametrize("is_abstract", [False, True])
def test_systemd_is_told_how_the_service_is(tmp_path, is_abstract):
    name = f"@denoiser-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if is_abstract else name)
        manager.settimeout(20)
        environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"}

        def message(first):
            while True:
                lines = manager.recv(4096).decode().splitlines()
                if lines[0] == first:
                    return dict(line.split("=", 1) for line in lines)

        with service.running(model=MODEL, environment=environment) as running:
            assert message("READY=1")["STATUS"].startswith("serving on run/denoiser.sock, model ")
            signs = []
            for _ in range(4):
                message("WATCHDOG=1")
                signs.append(time.monotonic())
            print(f"signs of life every {(signs[-1] - signs[0]) / 3:.3f} s")
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            running.process.send_signal(signal.SIGHUP)
            told = int(message("RELOADING=1")["MONOTONIC_USEC"])
            assert before <= told <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            message("READY=1")
            running.process.send_signal(signal.SIGTERM)
            assert message("STOPPING=1")["STATUS"] == "stopping: signal 15"
            assert running.process.wait(20) == 0


def test_a_process_that_hangs_gives_no_sign_of_life(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with service.running(model=MODEL, environment=environment) as running:
            while manager.recv(4096) != b"WATCHDOG=1\n":
                pass
            # The first thread is the one that polls; the others go on.
            polling = running.process.pid
            with held(polling):
                manager.settimeout(1)
                count = 0
                with contextlib.suppress(TimeoutError):
                    while count < 20:
                        manager.recv(4096)
                        count += 1
                assert count <= 2, "at most what was under way"
            manager.settimeout(20)
            while manager.recv(4096) != b"WATCHDOG=1\n":
                pass


@contextlib.contextmanager
def held(thread):
    """Holds one thread of a process still, as a debugger does."""
    import ctypes
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    seize, interrupt, detach = 0x4206, 0x4207, 17
    if library.ptrace(seize, thread, None, None) != 0:
        pytest.skip("tracing is forbidden here")
    assert library.ptrace(interrupt, thread, None, None) == 0
    os.waitpid(thread, 0x40000000)
    try:
        yield
    finally:
        library.ptrace(detach, thread, None, None)


# --check.

def test_check_finds_a_good_installation_good(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "d.ini").write_text("socket = run/s\nrows = 7\n")
    status, lines = check(tmp_path, "--config", "d.ini", "--model", str(MODEL), "--log", "run/log")
    assert status == 0, lines
    assert [line.split(":")[0].split()[1] for line in lines] == [
        "configuration", "encoder", "model", "socket", "log", "keys", "limits", "memory"]
    assert all(line.startswith("ok ") for line in lines)
    assert not (tmp_path / "run/s").exists() and not (tmp_path / "run/log").exists()


@pytest.mark.parametrize("arguments, words", [
    (["--rows", "0"], "'--rows <rows>': it must be a whole number from 1 to"),
    (["--rowss", "1"], "--rowss"),
    (["--config", "missing.ini"], "missing.ini"),
    (["--config", "wrong.ini"], "wrong.ini:2: "),
    (["--encoder", "."], "vocab.txt"),
    (["--model", "wrong.ini"], "wrong.ini"),
    (["--socket", "no/folder/s"], "no/folder"),
    (["--socket", "wrong.ini"], "is not a socket"),
    (["--socket", "x" * 200], "choose a shorter one"),
    (["--socket", "s", "--socket-group", "no-such-group"], "no-such-group"),
    (["--listen", "nonsense"], "is not HOST:PORT"),
    (["--allow-user", "no such user"], "no such user"),
    (["--log", "no/folder/log"], "no/folder/log"),
])
def test_check_tells_in_one_line_what_is_wrong(tmp_path, arguments, words):
    (tmp_path / "wrong.ini").write_text("rows = 2\nrowss = 3\n")
    status, lines = check(tmp_path, *arguments)
    problems = [line for line in lines if not line.startswith("ok ")]
    assert status == 78 and len(problems) == 1 and words in problems[0], lines


def test_check_minds_the_limit_of_open_files(tmp_path):
    run = subprocess.run(
        ["sh", "-c", f"ulimit -n 100; exec '{service.BINARY}' serve --check"], cwd=tmp_path,
        env={**os.environ, "ENCODER_PATH": service.ENCODER}, capture_output=True, text=True, timeout=60)
    assert run.returncode == 78 and "100 open files are allowed" in run.stdout


def test_check_leaves_a_running_service_alone():
    with service.running(model=MODEL) as running:
        status, lines = check(running.folder, "--socket", "run/denoiser.sock")
        assert status == 0, lines
        assert running.get("/health")[0] == 200
