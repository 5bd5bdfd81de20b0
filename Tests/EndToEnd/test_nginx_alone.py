"""What nginx does by itself, with the shipped files: its refusals, its limits, its log, a site's own headers."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from support import service
from support.nginx_files import edit, raw
from support.service import MODEL
from support.uploads import upload

SITES = pytest.mark.parametrize("site, mount", service.MOUNTS.items())
# All that nginx 1.22 answers by itself, but for redirects and TLS; at 408 it closes without an answer.
STATUSES = [400, 401, 403, 404, 411, 412, 413, 414, 415, 416, 421, 429, 500, 501, 503, 504, 505]
RETRIED = {429: "1", 503: "2", 504: "2"}
ORIGIN = "https://app.example"


def is_shaped(answer, status):
    found, headers, body = answer
    detail = json.loads(body)
    return (found == status and headers["content-type"] == "application/json" and list(detail) == ["detail"]
            and headers.get("retry-after") == RETRIED.get(status))


def in_server(*lines):
    """Lines of a site's own in its server block."""
    return edit("limit_conn denoiser_address 100;", "limit_conn denoiser_address 100;\n" + "\n".join(lines))


def all_of(*changes):
    def prepare(folder):
        for change in changes:
            change(folder)
    return prepare


# Refusals.

@SITES
def test_every_status_of_nginx_has_the_errors_shape(site, mount):
    places = "".join(f"location = {mount}/gives/{status} {{ return {status}; }}\n" for status in STATUSES)
    first = f"location ^~ {mount}/ {{" if mount else "location / {"
    with service.running(model=MODEL, site=site, prepare=edit(first, f"{first}\n{places}", site)) as running:
        wrong = [status for status in STATUSES
                 if not is_shaped(running.request("GET", f"{mount}/gives/{status}"), status)]
        assert wrong == []


@SITES
def test_what_is_too_broken_for_a_path_has_it_too(site, mount):
    close = b"Host: a\r\nConnection: close\r\n"
    path = mount.encode()
    with service.running(model=MODEL, site=site) as running:
        for sent, expected in [
                (b"GET %s/ HTTP/1.1\r\nConnection: close\r\nHost: a b\r\n\r\n" % path, 400),
                (b"GET %s/ HTTP/1.1\r\nConnection: close\r\n\r\n" % path, 400),
                (b"\x16\x03\x01\r\n\r\n", 400),
                (b"POST %s/health HTTP/1.1\r\n" % path + close + b"Content-Length: x\r\n\r\n", 400),
                (b"GET %s/ HTTP/1.1\r\n" % path + close + b"X: " + b"y" * 40_000 + b"\r\n\r\n", 400),
                (b"GET %s/%%zz HTTP/1.1\r\n" % path + close + b"\r\n", 400),
                (b"GET %s/" % path + b"y" * 40_000 + b" HTTP/1.1\r\n" + close + b"\r\n", 414),
                (b"TRACE %s/health HTTP/1.1\r\n" % path + close + b"\r\n", 405),
                (b"CONNECT %s/health HTTP/1.1\r\n" % path + close + b"\r\n", 405),
                (b"POST %s/ HTTP/1.1\r\n" % path + close + b"Transfer-Encoding: rot13\r\n\r\n", 501),
                (b"GET %s/ HTTP/2.0\r\n" % path + close + b"\r\n", 505),
                (b"POST %s/ HTTP/1.1\r\n" % path + close + b"Content-Length: 99999999\r\n\r\n", 413),
                (b"GET %s/docs-assets/nope HTTP/1.1\r\n" % path + close + b"\r\n", 404),
                (b"GET %s/docs-assets/ HTTP/1.1\r\n" % path + close + b"\r\n", 404),
                (b"POST %s/docs-assets/nope HTTP/1.1\r\n" % path + close + b"\r\n", 404),
                (b"GET %s/denoiser-400 HTTP/1.1\r\n" % path + close + b"\r\n", 404)]:
            status, head, answer = raw(running.port, sent)
            assert status == expected and "content-type: application/json" in head, (sent[:60], status, head)
            assert list(answer) == ["detail"], answer


@SITES
def test_a_body_that_cannot_be_stored_is_500_of_that_shape(site, mount):
    with service.running(model=MODEL, site=site) as running:
        shutil.rmtree(running.folder / "run/nginx-body")
        answer = running.request("POST", mount + "/denoise/text", b"x" * 2_000_000, {"content-type": "application/json"})
        assert is_shaped(answer, 500)


def test_other_paths_of_a_site_keep_nginxs_own_answers():
    prepare = in_server("location = /own { return 403; }", "location = /gone { return 404; }", "location = /post { return 405; }")
    with service.running(model=MODEL, site="denoiser_mounted.conf", prepare=prepare) as running:
        for path, status in [("/own", 403), ("/gone", 404), ("/post", 405), ("/nowhere", 404)]:
            found, headers, body = running.request("GET", path)
            assert (found, headers["content-type"]) == (status, "text/html") and b"<html>" in body
            assert "retry-after" not in headers


# A site's own headers.

@SITES
def test_a_sites_own_headers_are_on_every_answer(site, mount):
    prepare = all_of(
        in_server(f"add_header Access-Control-Allow-Origin {ORIGIN} always;"),
        edit("# limit_req_zone", "limit_req_zone"),
        edit("# limit_req zone=denoiser burst=40", "limit_req zone=denoiser burst=3"))
    with service.running(model=MODEL, site=site, prepare=prepare) as running:
        seen = {}
        def ask(method, path, body=None, **headers):
            answer = running.request(method, mount + path, body, {"content-type": "application/json", **headers})
            seen[answer[0]] = answer
        for sent in [("GET", "/health"), ("GET", "/nowhere"), ("GET", "/docs-assets/nope"),
                     ("POST", "/denoise/text", b"{}"), ("POST", "/upload"), ("PUT", "/health"), ("TRACE", "/health"),
                     ("GET", "/%zz")]:
            ask(*sent)
            time.sleep(0.1)
        with contextlib.suppress(ConnectionError):
            ask("POST", "/denoise/text", b"x" * (17 << 20) + b"x")
        for _ in range(20):
            ask("GET", "/health")
        service.stop(running.process)
        time.sleep(0.5)
        ask("GET", "/health")
        assert set(seen) >= {200, 307, 400, 404, 405, 422, 429, 503}, set(seen)
        for status, (_, headers, _) in seen.items():
            assert headers.get("access-control-allow-origin") == ORIGIN, (status, headers)
        for status in (429, 503):
            assert seen[status][1]["retry-after"] == RETRIED[status]


def cross_origin_lines(origin):
    """What nginx/README.md tells to put into the server block, for another origin."""
    text = (service.TOP / "nginx/README.md").read_text()
    snippet = re.search(r"```nginx\n(add_header Access-Control-Allow-Origin.*?)```", text, re.S).group(1)
    assert ORIGIN in snippet
    return snippet.replace(ORIGIN, origin)


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page of another origin."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a front end</title>")

    def log_message(self, *_):
        pass


FETCH = """fetch(%s, {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"texts": ["a"]}'})
    .then(async r => r.status + " " + r.headers.get("X-Model-Version") + " " + r.headers.get("Retry-After") + " " + (await r.text()).length,
          e => "refused").then(text => { document.title = text; }); document.title = "";"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed (nginx/test installs it)")
@SITES
def test_a_front_end_of_another_origin_reads_every_answer(site, mount, tmp_path):
    import docs_in_browser

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{other.server_port}"
    browser = docs_in_browser.Browser(shutil.which("chromium"), str(tmp_path))

    def fetched(running):
        url = f"http://127.0.0.1:{running.port}{mount}/denoise/text"
        browser.value(FETCH % json.dumps(url))
        return browser.wait("document.title", "an answer of " + url).split()

    try:
        browser.open(origin + "/")
        with service.running(model=MODEL, site=site) as running:
            assert fetched(running) == ["refused"]
        with service.running(model=MODEL, site=site, prepare=in_server(cross_origin_lines(origin))) as running:
            status, version, retry, length = fetched(running)
            assert status == "200" and version != "null" and int(length) > 1000
            service.stop(running.process)
            status, version, retry, length = fetched(running)
            assert (status, retry) == ("503", "2")
    finally:
        browser.close()
        other.shutdown()


# Limits.

@contextlib.contextmanager
def connections(port, count, sent, source="127.0.0.1"):
    """So many connections that each sent the same and no more."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.bind((source, 0))
            client.settimeout(10)
            client.connect(("127.0.0.1", port))
            with contextlib.suppress(ConnectionError):
                client.sendall(sent)
            made.append(client)
        yield made


def answered(clients):
    """The statuses of those that were answered already."""
    found = []
    for client in clients:
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            data = client.recv(65536)
            found.append(int(data.split()[1]) if data else 0)
    return found


def test_half_sent_heads_give_no_one_else_an_error():
    with service.running(model=MODEL) as running:
        half = b"POST /denoise/text HTTP/1.1\r\nHost: a\r\nX: "
        with connections(running.port, 1200, half) as clients:
            time.sleep(0.5)
            statuses = [running.post("/denoise/text", {"texts": ["a"]}, timeout=20)[0] for _ in range(10)]
            assert statuses == [200] * 10
            assert answered(clients) == []


def test_half_sent_heads_are_let_go_after_a_time():
    with service.running(model=MODEL, prepare=edit("client_header_timeout 10s", "client_header_timeout 1s")) as running:
        with connections(running.port, 20, b"GET / HTTP/1.1\r\nX: ") as clients:
            assert service.wait_until(lambda: len(answered(clients)) == 20 or all(gone(c) for c in clients), 10)


def gone(client):
    """Whether the server closed it."""
    try:
        client.setblocking(False)
        return client.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_one_address_holds_a_hundred_requests_and_others_are_served():
    with service.running(model=MODEL) as running:
        half = b"POST /denoise/text HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
        with connections(running.port, 130, half, "127.0.0.2") as clients:
            assert service.wait_until(lambda: len(answered(clients)) or True)
            time.sleep(0.5)
            with connections(running.port, 5, half, "127.0.0.2") as more:
                time.sleep(0.3)
                assert answered(more) == [429] * 5
            assert running.post("/denoise/text", {"texts": ["a"]})[0] == 200


def on_disk(running):
    """Bytes in the files of bodies that nginx holds, which have no name any more or may have one."""
    total = 0
    for worker in workers(running):
        for entry in pathlib.Path(f"/proc/{worker}/fd").iterdir():
            with contextlib.suppress(OSError):
                if "nginx-body" in os.readlink(entry):
                    total += os.stat(entry).st_size
    return total


def workers(running):
    return [int(number) for number in
            pathlib.Path(f"/proc/{running.nginx.pid}/task/{running.nginx.pid}/children").read_text().split()]


@pytest.mark.parametrize("framing", [b"Content-Length: 60000000", b"Transfer-Encoding: chunked"])
def test_stalled_uploads_hold_little_of_the_disk_and_not_for_long(framing):
    prepare = edit("client_body_timeout 15s", "client_body_timeout 3s")
    with service.running("--epochs", "1", model=MODEL, prepare=prepare) as running:
        part = b"x" * 3_000_000
        if framing.endswith(b"chunked"):
            part = b"%x\r\n" % len(part) + part
        head = b"POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=X\r\n" + framing + b"\r\n\r\n"
        with connections(running.port, 12, head + part, "127.0.0.2") as clients:
            time.sleep(0.5)
            assert on_disk(running) <= 8 * 3_000_000
            # Others can still upload.
            assert upload(running, b"one line\nanother\n")[0] == 200
            assert service.wait_until(lambda: on_disk(running) == 0, 10)
            assert len(clients) == 12


# The log.

def test_what_clients_do_wrong_fills_no_log():
    with service.running("--epochs", "1", model=MODEL) as running:
        # nginx was started before the service.
        log = running.folder / "run/nginx-error.log"
        before = log.read_text()
        headers = {"referer": "https://intranet.example/secret?token=abc" + "x" * 4000}
        for _ in range(50):
            with contextlib.suppress(ConnectionError):
                running.request("POST", "/denoise/text?" + "y" * 3000, None, {**headers, "content-length": "99999999999"})
            running.request("GET", "/docs-assets/nope?" + "y" * 3000, None, headers)
            running.request("GET", "/docs-assets/" + "y" * 3000, None, headers)
            raw(running.port, b"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        with connections(running.port, 120, b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"):
            time.sleep(0.3)
        assert log.read_text() == before
        # What only the operator can mend is told.
        service.stop(running.process)
        assert running.get("/health")[0] == 503
        assert "denoiser.sock failed (2: No such file or directory)" in log.read_text().removeprefix(before)


LOGROTATE = shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin")


@pytest.mark.skipif(not LOGROTATE, reason="logrotate is not installed")
def test_the_logs_are_rotated_under_running_programs(tmp_path):
    with service.running("--log", "run/denoiser.log", model=MODEL) as running:
        logs = [running.folder / "run" / name for name in ("denoiser.log", "nginx-error.log")]
        for log in logs:
            with open(log, "a") as file:
                file.write("an old line\n" * 100_000)
        configuration = tmp_path / "logrotate.conf"
        text = (service.TOP / "nginx/conf/logrotate.conf").read_text()
        configuration.write_text(text.replace("/home/you/denoiser", str(running.folder)))
        for _ in range(2):
            subprocess.run([LOGROTATE, "--state", str(tmp_path / "state"), str(configuration)], check=True)
        assert [log.read_text() for log in logs] == ["", ""]
        assert all(log.with_name(log.name + ".1").stat().st_size > 1_000_000 for log in logs)
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "reloaded" in logs[0].read_text())
        service.stop(running.process)
        running.get("/health")
        assert "failed" in logs[1].read_text()
