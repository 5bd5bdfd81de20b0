"""Files that change under a running service, logs that nobody reads, storage that is slow or refuses."""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest
from support import service
from support.fastcgi_peer import Peer, request
from test_lifecycle import ENDLESS, check, in_background, rows, until
from test_service import MODEL
from test_training import sentences, upload

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(not STRACE, reason="strace is not here")


def ready(running):
    """What /ready says to whoever runs the service."""
    with Peer(running.socket) as peer:
        peer.send(request("/ready", method="GET", DENOISER_INTERNAL="1"))
        reply = peer.reply()
    return reply.status, json.loads(reply.body)


def figure(running, name):
    with Peer(running.socket) as peer:
        peer.send(request("/metrics", method="GET", DENOISER_INTERNAL="1"))
        lines = peer.reply().body.decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))


def version(running):
    status, headers, _ = running.post("/denoise/embedding", rows(1))
    assert status == 200
    return headers["x-model-version"]


@pytest.fixture
def encoder(tmp_path):
    """An encoder of one's own, to be written into."""
    folder = tmp_path / "encoder"
    shutil.copytree(service.ENCODER, folder)
    return folder


# A log that nobody reads.

@contextlib.contextmanager
def with_unread_log(*arguments):
    """A service whose standard error is a small pipe; `unread` is its other end."""
    unread, log = os.pipe()
    fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
    # The descriptor is given on by a shell, so that the rest is as ever.
    wrapper = ["sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{log}', "sh"]
    try:
        with service.running(*arguments, model=MODEL, wrapper=wrapper) as running:
            running.unread = unread
            yield running
    finally:
        os.close(unread)
        os.close(log)


def gossip(running, count):
    """Makes the service log so many lines."""
    for _ in range(count):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            for _ in range(500):
                # The queue of connections may be full for a moment.
                with contextlib.suppress(BlockingIOError):
                    peer.connect(running.socket)
                    break
                time.sleep(0.01)
            peer.sendall(b"no record at all" * 2)


def drained(descriptor, seconds=5):
    """What comes out of a pipe until nothing comes for a while."""
    os.set_blocking(descriptor, False)
    data, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            data += os.read(descriptor, 1 << 16)
        except BlockingIOError:
            time.sleep(0.01)
    return data.decode()


def test_a_log_that_nobody_reads_holds_up_neither_requests_nor_the_stop():
    with with_unread_log("--slow-log", "1") as running:
        gossip(running, 200)
        for _ in range(40):
            assert running.request("POST", "/denoise/text", b'{"texts":["a b c d e f g h i j k l"]}',
                                   {"content-type": "application/json"}, timeout=5)[0] == 200
        assert running.request("GET", "/health", timeout=5)[0] == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0


def test_a_second_signal_ends_at_once_though_nobody_reads_the_log():
    with with_unread_log("--stop-timeout", "100") as running:
        gossip(running, 200)
        answer = in_background(running.post, "/denoise/text", ENDLESS)
        time.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(3) == 1
        assert answer.result(20)[0] == 503


def test_lines_that_nobody_took_are_counted_and_told():
    with with_unread_log() as running:
        gossip(running, 6000)
        assert service.wait_until(lambda: figure(running, "denoiser_log_lines_dropped_total") > 100)
        text = drained(running.unread)
        dropped = int(figure(running, "denoiser_log_lines_dropped_total"))
        assert f"denoiser: {dropped} lines of the log were dropped" in text
        # The rest came whole.
        assert all(line.startswith("denoiser: ") for line in text.splitlines())


# Files that are no files.

def stops(running, seconds=4):
    running.process.send_signal(signal.SIGTERM)
    return running.process.wait(seconds) == 0


def test_a_log_that_became_a_pipe_is_refused_and_stopping_goes_on():
    with service.running("--log", "run/own.log", model=MODEL) as running:
        log = running.folder / "run/own.log"
        kept = log.rename(running.folder / "run/own.log.1")
        os.mkfifo(log)
        running.process.send_signal(signal.SIGUSR1)
        assert service.wait_until(lambda: "cannot open the log run/own.log: a pipe" in kept.read_text(), 5)
        assert stops(running)
        assert "stopped after" in kept.read_text()


def test_a_configuration_that_became_a_pipe_is_refused_and_stopping_goes_on():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=prepare) as running:
        (running.folder / "run/denoiser.ini").unlink()
        os.mkfifo(running.folder / "run/denoiser.ini")
        running.process.send_signal(signal.SIGHUP)
        running.process.send_signal(signal.SIGHUP)
        until(running, "not reloaded, all stays as it was: cannot read run/denoiser.ini: a pipe", 10)
        assert running.post("/denoise/embedding", rows(4))[0] == 422
        running.process.send_signal(signal.SIGHUP)
        assert stops(running)


def test_a_device_may_take_the_log():
    with service.running("--log", "/dev/null", model=MODEL) as running:
        running.process.send_signal(signal.SIGUSR1)
        assert running.get("/health")[0] == 200
        assert stops(running)


# Slow storage.

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


@needs_strace
def test_slow_storage_under_the_model_delays_no_request():
    with service.running(model=MODEL) as running:
        model = "models/embedding_denoiser.pt"
        with meddling(running, model, "delay_enter=6000000"):
            os.utime(running.model)
            time.sleep(0.5)
            began = time.monotonic()
            for _ in range(20):
                assert running.get("/health")[0] == 200
                assert running.post("/denoise/embedding", rows(1))[0] == 200
            took = time.monotonic() - began
            print(f"40 requests in {took:.2f} s")
            assert took < 5


@needs_strace
def test_a_signal_to_stop_is_heard_in_the_middle_of_a_reload():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=prepare) as running:
        with meddling(running, "run/denoiser.ini", "delay_enter=8000000"):
            running.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            began = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            until(running, "stopping: signal 15", 5)
            print(f"heard after {time.monotonic() - began:.2f} s")


# What the system refuses for a moment.

@needs_strace
@pytest.mark.parametrize("error, words", [
    ("EMFILE", "Too many open files"), ("EIO", "Input/output error"), ("EACCES", "Permission denied")])
def test_a_model_that_could_not_be_read_for_a_moment_is_read_a_little_later(error, words, tmp_path):
    with service.running(model=MODEL) as running:
        before = version(running)
        train = [str(service.BINARY), "train", "-", "--epochs", "1", "--model", running.model]
        assert subprocess.run(
            train, input=sentences(30), text=True, capture_output=True,
            env={**os.environ, "ENCODER_PATH": service.ENCODER}).returncode == 0
        # Published, but under another name so far.
        new = pathlib.Path(running.model).rename(tmp_path / "new.pt")
        shutil.copy(MODEL, running.model)
        assert service.wait_until(lambda: version(running) == before)
        with meddling(running, "models/embedding_denoiser.pt", f"error={error}:when=1..2"):
            shutil.copy(new, running.folder / "models/beside")
            os.rename(running.folder / "models/beside", running.model)
            assert service.wait_until(lambda: version(running) and words in running.log(), 5), running.log()
            assert version(running) == before
            status, page = ready(running)
            assert status == 200 and words in page["behind"]
            assert figure(running, "denoiser_model_behind") == 1
            # Nobody touches the file again.
            assert service.wait_until(lambda: version(running) != before, 10), running.log()
        assert "behind" not in ready(running)[1]
        assert figure(running, "denoiser_model_behind") == 0


@needs_strace
def test_a_reload_that_the_system_refused_for_a_moment_is_done_a_little_later():
    def prepare(folder):
        (folder / "run/denoiser.ini").write_text("rows = 3\n")
    with service.running("--config", "run/denoiser.ini", model=MODEL, prepare=prepare) as running:
        (running.folder / "run/denoiser.ini").write_text("rows = 4\n")
        with meddling(running, "run/denoiser.ini", "error=EMFILE:when=1"):
            running.process.send_signal(signal.SIGHUP)
            until(running, "not reloaded, all stays as it was: cannot read run/denoiser.ini: Too many open", 5)
            assert running.log().rstrip().endswith("; tried again in 1.0 s")
            until(running, "reloaded: ", 5)
        assert running.post("/denoise/embedding", rows(4))[0] == 200


@needs_strace
def test_packed_weights_that_could_not_be_opened_for_a_moment_are_used_a_little_later(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, packed = numbers(running), encoder / "model.packed.safetensors"
        shutil.copy(packed, encoder / "beside")
        with meddling(running, str(packed), "error=EMFILE:when=1..2"):
            os.rename(encoder / "beside", packed)
            until(running, f"{packed}: cannot open: Too many open files; texts are slower until it can be read", 10)
            assert are_alike(numbers(running), expected)
            until(running, "reloaded the encoder", 10)
        assert numbers(running) == expected


# The model's file is gone, or damaged.

def test_without_its_file_the_model_stays_until_hup_and_then_the_built_in_one_answers():
    with service.running(model=MODEL) as running:
        before = version(running)
        os.unlink(running.model)
        assert service.wait_until(lambda: version(running) and "is gone; still serving" in running.log(), 5)
        assert version(running) == before
        assert "no such file" in ready(running)[1]["behind"]
        running.process.send_signal(signal.SIGHUP)
        until(running, "reloaded: ")
        assert version(running) != before and version(running).startswith("1-")
        assert "behind" not in ready(running)[1]
        assert f"is gone: {version(running)} is live in place of {before}" in running.log()
        # A new one is served as ever.
        shutil.copy(MODEL, running.model)
        assert service.wait_until(lambda: version(running) == before, 5)


def test_without_its_file_and_a_built_in_one_none_is_loaded_after_hup():
    with service.running("--no-default-model", model=MODEL) as running:
        os.unlink(running.model)
        running.process.send_signal(signal.SIGHUP)
        until(running, "reloaded: ")
        assert running.post("/denoise/embedding", rows(1))[0] == 503


def damaged(folder, *, versions):
    """A model of which the last 1,000 bytes are lost, and kept versions before it; returns its bytes."""
    model = folder / "models/embedding_denoiser.pt"
    for number in range(versions + 1):
        run = subprocess.run(
            [str(service.BINARY), "train", "-", "--epochs", "1", "--model", str(model)],
            input=sentences(30, seed=number), text=True, capture_output=True,
            env={**os.environ, "ENCODER_PATH": service.ENCODER})
        assert run.returncode == 0, run.stderr
    content = model.read_bytes()[:-1000]
    model.write_bytes(content)
    return content


@pytest.mark.parametrize("versions", [0, 2])
def test_over_a_damaged_model_the_newest_whole_version_is_served_until_an_upload(versions):
    content = []
    with service.running("--epochs", "1", prepare=lambda folder: content.append(
            damaged(folder, versions=versions))) as running:
        served = version(running)
        # Without a kept version, the one that is built in.
        assert served.startswith("2-" if versions else "1-")
        assert f"serving {served} in its place" in running.log()
        assert "embedding_denoiser.pt" in ready(running)[1]["behind"]
        status, lines = check(running.folder, "--model", running.model)
        problem = next(line for line in lines if line.startswith("problem"))
        assert status == 78 and f"serve would start with {served} in its place" in problem
        status, headers, answer = upload(running, sentences(40))
        assert status == 200, answer
        assert version(running) == headers["x-model-version"]
        assert headers["x-model-version"].startswith("4-" if versions else "2-")
        assert "behind" not in ready(running)[1]
        # Nothing is lost, not even what there was of the damaged one.
        kept = running.folder / "models/embedding_denoiser.pt.versions"
        assert (kept / "damaged.pt").read_bytes() == content[0]
        assert len(list(kept.glob("*-*.pt"))) == versions


def test_what_is_no_file_is_not_replaced(tmp_path):
    for make in (pathlib.Path.mkdir, os.mkfifo):
        path = tmp_path / f"m{make.__name__}.pt"
        make(path)
        run = subprocess.run(
            [str(service.BINARY), "train", "-", "--epochs", "1", "--model", str(path)], input=sentences(30),
            text=True, capture_output=True, env={**os.environ, "ENCODER_PATH": service.ENCODER}, timeout=60)
        assert run.returncode != 0 and "not a regular file" in run.stderr
        assert not path.is_file()


def test_a_500_names_no_folder_but_the_log_does():
    def prepare(folder):
        (folder / "models/own.pt").mkdir()
    with service.running("--epochs", "1", prepare=prepare, environment={"MODEL_PATH": "models/none.pt"}) as running:
        folder = running.folder / "models/sub"
        folder.mkdir()
        # A folder in the file's place, named in full.
        other = service.start_responder(
            running.folder, "--epochs", "1", "--socket", "run/other.sock", "--model", str(folder / "m.pt"))
        try:
            service.wait_until((running.folder / "run/other.sock").exists)
            (folder / "m.pt").mkdir()
            body = (b'--X\r\nContent-Disposition: form-data; name="file"; filename="t"\r\n\r\n'
                    + sentences(30).encode() + b"\r\n--X--\r\n")
            with Peer(str(running.folder / "run/other.sock")) as peer:
                peer.send(request("/upload/", body, content_type="multipart/form-data; boundary=X"))
                reply = peer.reply()
            detail = json.loads(reply.body)["detail"]
            assert reply.status == 500 and detail == "處理失敗: m.pt: not a regular file"
            assert service.wait_until(lambda: f"training failed: {folder}/m.pt: not a regular" in running.log(), 5)
        finally:
            service.stop(other)


# The encoder's files.

TEXT = {"texts": ["The quick brown fox jumps over the lazy dog.", "文字 and Ünïcode"]}


def numbers(running):
    """The vectors of two texts; nothing where they are refused."""
    status, headers, answer = running.post("/denoise/text", TEXT)
    if status != 200:
        assert status == 503 and "retry-after" in headers, answer
        return None
    return [number for row in answer["denoised_embeddings"] for number in row]


def are_alike(left, right):
    return max(abs(a - b) for a, b in zip(left, right)) < 1e-5


def never_others(running, expected, seconds, until=lambda: False):
    """Asks again and again: only these numbers may come; returns how often any came."""
    end, answered = time.monotonic() + seconds, 0
    while time.monotonic() < end and not until():
        found = numbers(running)
        if found:
            assert are_alike(found, expected)
            answered += 1
        time.sleep(0.02)
    return answered


def overwrite(path, content, at=0):
    """As scp and cp do it: in place."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(content)


def test_packed_weights_written_over_in_place_are_noticed_and_the_published_ones_take_their_place(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, packed = numbers(running), encoder / "model.packed.safetensors"
        overwrite(packed, bytes(8 << 20), at=16 << 20)
        assert service.wait_until(lambda: f"{packed} was written over in place" in running.log(), 1.5)
        # The published weights may answer before their log line is read.
        never_others(running, expected, 30, lambda: "reloaded the encoder" in running.log())
        assert "reloaded the encoder" in running.log()
        assert never_others(running, expected, 2) > 0
        assert running.process.poll() is None


@pytest.mark.parametrize("sets_times", [False, True])
def test_published_weights_written_over_in_place_are_refused_until_they_are_whole(encoder, sets_times):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, plain = numbers(running), encoder / "model.safetensors"
        whole, times = plain.read_bytes(), plain.stat()

        def write(content):
            overwrite(plain, content, at=60 << 20)
            if sets_times:
                os.utime(plain, ns=(times.st_atime_ns, times.st_mtime_ns))

        (encoder / "SHA256SUMS").write_text(subprocess.run(
            ["sha256sum", "model.safetensors"], cwd=encoder, capture_output=True, text=True).stdout)
        write(bytes(8 << 20))
        assert service.wait_until(lambda: str(plain) in running.log(), 1.5)
        assert never_others(running, expected, 4) == 0
        # What needs no encoder goes on, and whoever runs the service is told.
        assert running.post("/denoise/embedding", rows(1))[0] == 200
        assert ready(running)[0] == 503
        write(whole[60 << 20:68 << 20])
        assert service.wait_until(lambda: "reloaded the encoder" in running.log(), 120), running.log()
        assert never_others(running, expected, 2) > 0
        assert ready(running)[0] == 200


def test_of_an_unknown_file_written_over_in_place_hup_says_that_it_is_whole(encoder):
    plain = encoder / "model.safetensors"
    (encoder / "model.packed.safetensors").unlink()
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        overwrite(plain, bytes(4 << 20), at=60 << 20)
        until(running, "nothing says that it is whole; SIGHUP", 120)
        assert never_others(running, expected, 1) == 0
        running.process.send_signal(signal.SIGHUP)
        until(running, "reloaded: ")
        assert not are_alike(numbers(running), expected)


def test_an_encoder_cut_short_in_place_is_refused_and_named(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected, packed = numbers(running), encoder / "model.packed.safetensors"
        os.truncate(packed, 1_000_000)
        never_others(running, expected, 30, lambda: "reloaded the encoder" in running.log())
        assert str(packed) in running.log()
        assert never_others(running, expected, 2) > 0


def test_a_file_cut_short_in_the_middle_of_a_request_ends_the_process_with_a_line(encoder):
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        packed = encoder / "model.packed.safetensors"
        answer = in_background(running.post, "/denoise/text", ENDLESS)
        # Once it computes: a request that begins later would be refused.
        assert service.wait_until(lambda: figure(running, "denoiser_tokens_total") > 0, 60)
        os.truncate(packed, 1_000_000)
        assert running.process.wait(20) == 74
        lines = [line for line in running.log().splitlines() if "cannot be read any more" in line]
        assert len(lines) == 1 and lines[0].startswith(f"denoiser: {packed}: ")
        assert answer.result(20)[0] == 503


def test_files_that_are_replaced_by_renaming_are_taken_up_without_a_refusal(encoder):
    packed = encoder / "model.packed.safetensors"
    kept = packed.rename(encoder.parent / "kept")
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        shutil.copy(kept, encoder / "beside")
        os.rename(encoder / "beside", packed)
        for name in ("model.safetensors", "vocab.txt", "config.json"):
            shutil.copy(encoder / name, encoder / "beside")
            os.rename(encoder / "beside", encoder / name)
            assert numbers(running)
        asked = never_others(running, expected, 20, lambda: "reloaded the encoder" in running.log())
        assert asked > 3
        assert f"{packed} was replaced; the encoder read before goes on meanwhile" in running.log()
        assert never_others(running, expected, 2) > 3


def test_a_vocabulary_that_is_just_being_copied_is_not_taken_up(encoder):
    """Its first half is a vocabulary, too."""
    vocabulary = encoder / "vocab.txt"
    whole = vocabulary.read_bytes()
    half = whole[:whole.index(b"\n", len(whole) // 2) + 1]
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        with open(vocabulary, "wb") as file:
            file.write(half)
        assert never_others(running, expected, 4) > 3
        assert f"{vocabulary} was written over in place" in running.log()
        assert "reloaded the encoder" not in running.log()
        vocabulary.write_bytes(whole)
        until(running, "reloaded the encoder", 20)
        assert never_others(running, expected, 2) > 3


@needs_strace
def test_files_that_are_replaced_while_others_are_read_are_all_taken_up(encoder):
    """An upgrade is one renaming after the other, and a reload may come between two."""
    def replace(name, content):
        (encoder / "beside").write_bytes(content)
        os.rename(encoder / "beside", encoder / name)

    configuration = json.loads((encoder / "config.json").read_text())
    other = json.dumps(configuration | {"layer_norm_eps": 1e-3}).encode()
    with service.running("--encoder", str(encoder), model=MODEL) as running:
        expected = numbers(running)
        with meddling(running, str(encoder / "model.safetensors"), "delay_enter=1500000"):
            replace("vocab.txt", (encoder / "vocab.txt").read_bytes())
            running.process.send_signal(signal.SIGHUP)
            # By now the configuration is read, and the weights are not.
            time.sleep(0.8)
            replace("config.json", other)
            until(running, "reloaded: ", 30)
        assert service.wait_until(lambda: not are_alike(numbers(running), expected), 10), running.log()
