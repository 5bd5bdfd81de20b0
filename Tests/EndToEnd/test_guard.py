"""Limits, overload, access and what can be seen from outside, through nginx and on the socket."""
import concurrent.futures
import contextlib
import json
import math
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import pytest
from support import service
from support.fastcgi_peer import PARAMETERS, STDIN, Peer, begin, pairs, record, request, stream, variables
from support.nginx_files import edit, raw, status_page, with_status
from support.service import MODEL
from support.uploads import form, upload
from support.work import LONG

USE, TRAIN = "use-key-0123456789", "train-key-0123456789"
ONE = {"texts": ["hello"]}


# Limits.

@pytest.fixture(scope="module")
def small():
    options = {"body-bytes": 20_000, "upload-bytes": 30_000, "texts": 3, "tokens": 8, "rows": 2, "lines": 5,
               "json-depth": 4, "errors": 2, "quoted-bytes": 10, "form-parts": 3, "form-field-bytes": 2048,
               "form-headers": 2, "form-header-bytes": 100}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with service.running(*arguments, "--epochs", "1", model=MODEL) as running:
        assert running.log().count("limits: ") == 1
        line = next(line for line in running.log().splitlines() if "limits: " in line)
        for name, value in options.items():
            assert f"{name} {value}" in line
        yield running


def test_each_limit_of_a_json_request_is_kept_and_named(small):
    status, headers, _ = small.post("/denoise/text", {"texts": ["a b c d e f", "a b c d e f g"]})
    assert status == 200 and headers["x-truncated"] == "1"
    for path, value, words in [
            ("/denoise/text", {"texts": ["a"] * 4}, ["at most 3 items", "not 4"]),
            ("/denoise/embedding", {"embeddings": [[0] * 384] * 3}, ["at most 2 items", "not 3"]),
            ("/denoise/text", {"texts": ["x" * 20_000]}, ["20015 bytes, at most 20000"])]:
        status, _, answer = small.post(path, value)
        assert status in (413, 422) and all(word in json.dumps(answer) for word in words)
    assert small.post("/denoise/text", [[[[]]]])[0] == 422
    assert small.post("/denoise/text", [[[[[]]]]])[0] == 400
    errors = small.post("/denoise/text", {"texts": [1, 2, 3]})[2]["detail"]
    assert [error["input"] for error in errors] == [1, 2]
    errors = small.post("/denoise/text", {"texts": [1, "x", 12345678901]})[2]["detail"]
    assert [error["input"] for error in errors] == [1, None]


def test_each_limit_of_a_form_is_kept_and_named(small):
    status, _, body = upload(small, b"x" * 30_000)
    assert status == 413 and f"{len(form(b'x' * 30_000))} bytes, at most 30000" in body["detail"]
    status, _, body = upload(small, b"a line\n" * 6)
    assert status == 422 and "6 lines, more than the limit of 5" in json.dumps(body)
    head = b'--X\r\nContent-Disposition: form-data; name="%s"\r\n%s\r\n%s\r\n'
    for sent, word in [(head % (b"a", b"", b"1") * 4, "Maximum number of fields is 3"),
                       (head % (b"a", b"", b"1" * 3000), "maximum size of 2KB"),
                       (head % (b"a", b"A: b\r\nC: d\r\n", b""), "Invalid multipart data"),
                       (head % (b"a" * 100, b"", b""), "Invalid multipart data")]:
        status, _, body = small.request(
            "POST", "/upload/", sent + b"--X--", {"content-type": "multipart/form-data; boundary=X"})
        assert status == 400 and word in body.decode()


@pytest.mark.parametrize("status, arguments, word", [
    (78, ["--memory", "100"], "these limits need"), (64, ["--tokens", "513"], "from 2 to 512"),
    (64, ["--json-depth", "5000"], "--json-depth"), (64, ["--lines", "0"], "from 1 to 1000000000"),
    (64, ["--request-deadline", "0"], "from 1 to 1000000000")])
def test_limits_that_cannot_be_are_refused_at_start(tmp_path, status, arguments, word):
    run = subprocess.run(
        [str(service.BINARY), "serve", "--socket", str(tmp_path / "s"), "--encoder", service.ENCODER, *arguments],
        capture_output=True, text=True, timeout=30)
    assert run.returncode == status and word in run.stderr.splitlines()[0]


def test_an_upload_of_64_mib_of_text_is_taken():
    line = b"a line of a mebibyte " + b"x " * ((1 << 19) - 11) + b"\n"
    text = (line * 65)[:64 << 20]
    with service.running("--epochs", "1") as running:
        status, _, body = upload(running, text)
        assert status == 200 and body["word_count"] == len(text.split())
        status, _, body = upload(running, text + b"x" * (65 << 10))
        assert status == 413 and "at most 67174400" in body["detail"]


def test_threads_follow_the_affinity(tmp_path):
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            ["taskset", "-c", "0", str(service.BINARY), "serve", "--socket", str(tmp_path / "s"),
             "--encoder", service.ENCODER, "--model", str(MODEL)], stderr=log)
    try:
        assert service.wait_until(lambda: "compute-threads 1," in (tmp_path / "log").read_text())
    finally:
        service.stop(process)


# Overload.

def test_a_request_past_its_deadline_is_503_and_its_work_is_dropped():
    with service.running("--request-deadline", "1", model=MODEL) as running:
        start = time.monotonic()
        status, headers, answer = running.post("/denoise/text", LONG)
        assert status == 503 and list(answer) == ["detail"]
        # 1 at the deadline. Before, the first measurement of its work may tell the time that it lacks, to a tenth.
        told = re.search(r"tokens alone take ([\d.]+) seconds, and ([\d.]+) are left", answer["detail"])
        lacking = float(told.group(1)) - float(told.group(2)) if told else 1
        expected = {min(max(math.ceil(lacking + error), 1), 60) for error in (-0.1, 0, 0.1)} if told else {1}
        assert int(headers["retry-after"]) in expected
        print(f"\nanswered 503 after {time.monotonic() - start:.2f} s")
        # What is left of it would take minutes.
        start = time.monotonic()
        assert running.post("/denoise/text", ONE)[0] == 200
        print(f"next answer after {(time.monotonic() - start) * 1e3:.0f} ms")


def test_a_body_whose_time_was_over_while_the_process_was_stopped_is_503():
    with service.running("--request-deadline", "2", model=MODEL) as running:
        with Peer(running.socket) as peer:
            # A thread has it, and waits for the rest.
            peer.send(begin() + stream(PARAMETERS, pairs(variables("/denoise/text", length=200_000)))
                      + record(STDIN, b" " * 60_000) + record(STDIN, b" " * 60_000))
            assert service.wait_until(lambda: not peer.unread())
            running.process.send_signal(signal.SIGSTOP)
            time.sleep(5.5)
            running.process.send_signal(signal.SIGCONT)
            reply = peer.reply()
        assert (reply.status, reply.headers["retry-after"], list(json.loads(reply.body))) == (503, "1", ["detail"])
        assert running.post("/denoise/text", ONE)[0] == 200


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_fields_that_are_not_utf_8_cost_about_what_others_do():
    """Of the same size, and so that the difference is not lost in what an upload costs anyway."""
    def form_of(field):
        part = b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + field + b"\r\n"
        return part * 24 + b"--X--\r\n"

    with service.running("--form-parts", "64", model=MODEL) as running:
        costs = {}
        for name, field in [("first", b"a"), ("UTF-8", b"a" * 1_000_000), ("none", b"\xe9" * 1_000_000)]:
            before = cpu_seconds(running.process)
            status, _, answer = running.request(
                "POST", "/upload/", form_of(field), {"content-type": "multipart/form-data; boundary=X"})
            assert status == 422 and b"UploadFile" in answer, answer[:200]
            costs[name] = cpu_seconds(running.process) - before
        print(costs)
        # Read byte by byte into a string, it was sixty times as much.
        assert costs["none"] < 0.5 + 8 * costs["UTF-8"]


def test_more_requests_than_may_wait_are_answered_503_at_once():
    arguments = ["--request-threads", "2", "--queue", "2", "--request-deadline", "60"]
    with service.running(*arguments, model=MODEL) as running:
        body = json.dumps({"texts": LONG["texts"][:20]}).encode()

        def ask(_):
            start = time.monotonic()
            with Peer(running.socket, seconds=60) as peer:
                peer.send(request("/denoise/text", body))
                reply = peer.reply()
            return reply.status, reply.headers.get("retry-after"), json.loads(reply.body), time.monotonic() - start

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(ask, range(24)))
        busy = [answer for answer in answers if answer[0] == 503]
        served = [answer for answer in answers if answer[0] == 200]
        assert len(busy) + len(served) == 24 and len(served) >= 4 and len(busy) >= 10
        assert all(retry and value == {"detail": "伺服器忙碌中，請稍後再試"} for _, retry, value, _ in busy)
        print(f"\n{len(busy)} of 24 answered 503, the slowest after {max(a[3] for a in busy) * 1e3:.0f} ms; "
              f"served ones took {min(a[3] for a in served):.1f} s and more")


def test_training_beyond_its_time_is_ended_and_names_the_limit():
    lines = b"\n".join(b"a text of some words, number %d" % i for i in range(2000))
    with service.running("--training-time", "1", "--epochs", "100000", model=MODEL) as running:
        before = running.post("/denoise/text", ONE)[1]["x-model-version"]
        status, _, body = upload(running, lines)
        assert status == 422 and "longer than the limit of 1 seconds" in json.dumps(body)
        assert running.post("/denoise/text", ONE)[1]["x-model-version"] == before


def test_what_nginx_itself_refuses_has_the_same_shape():
    with service.running(model=MODEL) as running:
        close = b"Host: a\r\nConnection: close\r\n"
        for sent, expected in [
                (b"GET / HTTP/1.1\r\nConnection: close\r\nHost: a b\r\n\r\n", 400),
                (b"POST /health HTTP/1.1\r\n" + close + b"Content-Length: x\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n" + close + b"X: " + b"y" * 40_000 + b"\r\n\r\n", 400),
                (b"GET /" + b"y" * 40_000 + b" HTTP/1.1\r\n" + close + b"\r\n", 414),
                (b"TRACE / HTTP/1.1\r\n" + close + b"\r\n", 405),
                (b"POST / HTTP/1.1\r\n" + close + b"Content-Length: 99999999\r\n\r\n", 413)]:
            status, head, answer = raw(running.port, sent)
            assert status == expected and "content-type: application/json" in head
            assert list(answer) == ["detail"], answer
        service.stop(running.process)
        status, headers, answer = running.get("/health")
        assert status == 503 and headers["retry-after"] == "2" and list(answer) == ["detail"]


def test_nginx_waiting_too_long_is_504_of_the_same_shape():
    prepare = edit("fastcgi_read_timeout 60s", "fastcgi_read_timeout 300ms", "denoiser.conf")
    with service.running(model=MODEL, prepare=prepare) as running:
        status, headers, answer = running.post("/denoise/text", LONG)
        assert status == 504 and headers["retry-after"] and list(answer) == ["detail"]
        assert headers["content-type"] == "application/json"


def test_the_limit_of_requests_an_address_is_429_of_the_same_shape():
    def prepare(folder):
        edit("# limit_req_zone", "limit_req_zone")(folder)
        edit("# limit_req zone=denoiser burst=40", "limit_req zone=denoiser burst=3")(folder)
    with service.running(model=MODEL, prepare=prepare) as running:
        answers = [running.get("/health") for _ in range(20)]
        limited = [answer for answer in answers if answer[0] == 429]
        assert limited and all(a[1]["retry-after"] == "1" and list(a[2]) == ["detail"] for a in limited)


# Access.

def keys_in(folder, mode=0o600):
    path = folder / "keys"
    path.write_text(f"# who may\nuse {USE}\ntrain {TRAIN}\n")
    path.chmod(mode)


def test_keys_open_the_routes_they_are_for():
    with service.running("--keys", "keys", "--epochs", "1", model=MODEL, prepare=keys_in) as running:
        def status(key, path="/denoise/text"):
            headers = {"authorization": f"Bearer {key}"} if key else {}
            if path == "/upload/":
                return upload(running, b"one\ntwo\n", **headers)[0]
            return running.request("POST", path, json.dumps(ONE).encode(),
                                   {"content-type": "application/json", **headers})[0]

        assert [status(key) for key in (None, "wrong", USE, TRAIN)] == [401, 401, 200, 200]
        assert [status(key, "/upload/") for key in (None, "wrong", USE, TRAIN)] == [401, 401, 403, 200]
        status_, headers, answer = running.post("/denoise/text", ONE)
        assert (status_, headers["www-authenticate"], answer) == (401, "Bearer", {"detail": "Not authenticated"})
        for path in ("/", "/health", "/openapi.json"):
            assert running.get(path)[0] == 200
        # A new key counts with SIGHUP; a file that cannot be used changes nothing.
        path = running.folder / "keys"
        path.write_text("use another-key-0123456789\n")
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: status("another-key-0123456789") == 200)
        assert status(USE) == 401
        path.write_text("use short\n")
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "not reloaded" in running.log())
        assert status("another-key-0123456789") == 200
        assert "another-key" not in running.log() and USE not in running.log()


@pytest.mark.parametrize("mode, text, word", [
    (0o644, f"use {USE}\n", "chmod 600"), (0o620, f"use {USE}\n", "chmod 600"),
    (0o600, "", "no key"), (0o600, f"# a\nmay {USE}\n", "line 2"), (None, "", "No such file")])
def test_a_key_file_that_cannot_be_used_is_refused_with_78(tmp_path, mode, text, word):
    if mode is not None:
        (tmp_path / "keys").write_text(text)
        (tmp_path / "keys").chmod(mode)
    run = subprocess.run(
        [str(service.BINARY), "serve", "--socket", str(tmp_path / "s"), "--encoder", service.ENCODER,
         "--keys", str(tmp_path / "keys")], capture_output=True, text=True, timeout=30)
    assert run.returncode == 78 and word in run.stderr and USE not in run.stderr


def test_the_socket_is_for_its_owner_and_group():
    with service.running(model=MODEL) as running:
        assert stat.S_IMODE(os.stat(running.socket).st_mode) == 0o660
        if os.getuid() != 0:
            return
        # Another user gets no answer, even where the file would let him in.
        os.chmod(running.socket, 0o666)
        for folder in (running.folder, running.folder / "run"):
            os.chmod(folder, 0o755)
        run = subprocess.run(
            ["python3", "-c", "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
             "s.sendall(bytes([1,1,0,1,0,8,0,0,0,1,0,0,0,0,0,0])); print(s.recv(100))", running.socket],
            user=65534, group=65534, extra_groups=[], capture_output=True, text=True, timeout=30)
        assert "b''" in run.stdout or "Reset" in run.stderr or "Broken" in run.stderr
        assert "refused a connection of user 65534" in running.log()


def parameters_nginx_sends(running, sent):
    """Stands in for the service once, and answers 404."""
    os.unlink(running.socket)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(running.socket)
        listener.listen()
        client = threading.Thread(target=lambda: raw(running.port, sent))
        client.start()
        peer, _ = listener.accept()
        data = b""
        while b"\1\4\0\1\0\0\0\0" not in data:
            data += peer.recv(65536)
        peer.sendall(struct.pack("!BBHHBx", 1, 6, 1, 15, 0) + b"Status: 404\r\n\r\n"
                     + struct.pack("!BBHHBx", 1, 3, 1, 8, 0) + bytes(8))
        peer.close()
        with contextlib.suppress(Exception):
            client.join()
    return data


def test_what_a_client_sends_becomes_no_variable_of_its_own_choice():
    with service.running(model=MODEL) as running:
        service.stop(running.process)
        with open(running.socket, "w"):
            pass
        data = parameters_nginx_sends(
            running, b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nProxy: http://evil/\r\n"
                     b"Denoiser-Internal: 1\r\nDENOISER_INTERNAL: 1\r\nRequest-Id: mine\r\n\r\n")
        assert b"evil" not in data
        assert b"HTTP_DENOISER_INTERNAL" in data and b"\x11\x01DENOISER_INTERNAL" not in data
        assert re.search(rb"REQUEST_ID[0-9a-f]{32}", data)


def test_nothing_of_a_request_stays_in_a_file():
    secret = "a-word-that-is-nowhere-else"
    with service.running("--epochs", "1", "--slow-log", "1", model=MODEL) as running:
        # Larger than what nginx keeps in memory.
        texts = [secret] + ["x" * 1000] * 2000
        assert running.post("/denoise/text", {"texts": [*texts, secret]})[0] == 200
        headers = {"content-type": "application/json", "authorization": f"Bearer {secret}", "x": secret}
        running.request("POST", f"/denoise/text?{secret}", json.dumps(ONE).encode(), headers)
        running.request("POST", "/denoise/text", json.dumps({"texts": [[secret]]}).encode(), headers)
        running.request("GET", f"/{secret}")
        upload(running, (secret + "\n" + "y z " * 1_000_000).encode())
        assert "slow request" in running.log()
        service.wait_until(lambda: not any((running.folder / "run/nginx-body").iterdir()), 5)
        found = subprocess.run(
            ["grep", "-rlIa", secret, str(running.folder), "--exclude=*.sock"], capture_output=True, text=True)
        assert found.returncode == 1, found.stdout
        assert stat.S_IMODE(os.stat(running.folder / "run/nginx-body").st_mode) == 0o700


# Seen from outside.

def test_metrics_tell_what_happened_and_only_where_they_should():
    with service.running("--epochs", "2", model=MODEL, prepare=with_status) as running:
        for _ in range(3):
            running.post("/denoise/text", {"texts": ["a", "b c"]})
        running.post("/denoise/text", {"texts": 1})
        assert upload(running, b"one\ntwo\n")[0] == 200
        for path in ("/metrics", "/ready"):
            assert running.get(path)[2] == {"detail": "Not Found"}
            assert running.request("GET", path, headers={"denoiser-internal": "1"})[0] == 404
        # A request is counted once it is answered, so its client may come first.
        values = {}

        def counts_all():
            nonlocal headers, text
            status, headers, body = status_page(running, "/metrics")
            assert status == 200
            text = body.decode()
            values.update(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
            return values.get('denoiser_requests_total{route="none",status="404"}') == "4"

        headers, text = {}, ""
        service.wait_until(counts_all)
        assert headers["content-type"].startswith("text/plain; version=0.0.4")
        assert values['denoiser_requests_total{route="/denoise/text",status="200"}'] == "3"
        assert values['denoiser_requests_total{route="/denoise/text",status="422"}'] == "1"
        assert values['denoiser_requests_total{route="none",status="404"}'] == "4"
        assert values['denoiser_training_runs_total{result="live"}'] == "1"
        assert values['denoiser_request_duration_seconds_count{route="/upload/"}'] == "1"
        assert float(values['denoiser_stage_seconds_total{route="/denoise/text",stage="encode"}']) > 0
        assert int(values["denoiser_batch_sequences_sum"]) == 8
        assert int(values["denoiser_batch_sequences_count"]) == int(values['denoiser_batch_sequences_bucket{le="+Inf"}'])
        version = running.post("/denoise/text", ONE)[1]["x-model-version"]
        assert values[f'denoiser_model_info{{version="{version}",kind="adaptive"}}'] == "1"
        assert 0 < int(values["denoiser_private_memory_bytes"]) < int(values["denoiser_memory_bound_bytes"])
        assert 0 < int(values["process_open_fds"]) < 200
        # Every value belongs to a figure that is described.
        described = re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M)
        assert len(described) == len(set(described))
        for name in values:
            base = re.sub(r"(_bucket|_sum|_count)$", "", name.partition("{")[0])
            assert base in described or name.partition("{")[0] in described, name
        status, _, body = status_page(running, "/ready")
        assert (status, json.loads(body)) == (200, {"status": "ready", "model": version})
        service.stop(running.process)
        status, headers, body = status_page(running, "/ready")
        assert (status, headers["retry-after"], list(json.loads(body))) == (503, "2", ["detail"])


def test_progress_of_a_training_run_shows():
    with service.running("--epochs", "1000000", model=MODEL, prepare=with_status) as running:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            run = pool.submit(upload, running, b"\n".join(b"line %d" % i for i in range(100)))
            assert service.wait_until(lambda: 'progress_ratio{stage="train"}' in
                                      status_page(running, "/metrics")[2].decode())
            assert "denoiser_training_underway 1" in status_page(running, "/metrics")[2].decode()
            running.process.terminate()
            run.result()


def test_without_a_model_it_is_not_ready():
    with service.running("--no-default-model", prepare=with_status) as running:
        status, headers, body = status_page(running, "/ready")
        assert status == 503 and headers["retry-after"] and json.loads(body) == {"detail": "no model is loaded"}


def test_an_answer_names_its_request_and_a_slow_one_is_logged_by_that_name():
    with service.running("--slow-log", "1", model=MODEL) as running:
        status, headers, _ = running.post("/denoise/text", {"texts": ["never to be logged"] * 100})
        request_id = headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", request_id)
        assert service.wait_until(lambda: f"id={request_id}" in running.log())
        line = next(line for line in running.log().splitlines() if request_id in line)
        print("\n" + line)
        fields = dict(field.split("=") for field in line.partition("slow request ")[2].split())
        assert (fields["route"], fields["status"]) == ("/denoise/text", str(status))
        stages = [name for name in fields if name.endswith("_ms") and name != "total_ms"]
        assert {"read_ms", "parse_ms", "queue_ms", "encode_ms", "denoise_ms", "write_ms"} <= set(stages)
        total = float(fields["total_ms"])
        assert abs(sum(float(fields[name]) for name in stages) - total) < 0.05 * total + 2
        assert "never to be logged" not in running.log()
    with service.running("--slow-log", "0", model=MODEL) as running:
        assert running.post("/denoise/text", ONE)[0] == 200
        assert "slow request" not in running.log()


def test_a_request_id_that_could_break_a_line_is_left_out():
    with service.running("--slow-log", "1", model=MODEL) as running:
        for number, given in enumerate([b"a\r\nX-Evil: 1", b"a b", b"x" * 200, b"id=1"]):
            with Peer(running.socket) as peer:
                peer.send(request("/denoise/text", json.dumps(ONE).encode(), REQUEST_ID=given))
                assert "x-request-id" not in peer.reply().headers
            assert service.wait_until(lambda: running.log().count("slow request id=- ") > number)
