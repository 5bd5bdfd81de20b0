"""Clients that ask for more than can be done, and those that hang up: what others see of it, and what is lost."""
import contextlib
import json
import re
import socket
import subprocess
import threading
import time

import pytest
from support import service
from support.fastcgi_peer import Peer, request
from support.load import HEAVY, TOKENS, WORD, ask, figures, hang_up
from support.service import MODEL
from support.uploads import upload

# Texts that wait for the encoder.
WAITING = 'queue_sequences{for="requests"}'
# Seconds of work, but no more than can be done in time.
SECONDS = json.dumps({"texts": ["a " * 254] * 120}).encode()


def figure(running, name):
    with Peer(running.socket) as peer:
        return figures(peer)[name]


def is_idle(running):
    # The one that asks is in flight itself.
    return figure(running, WAITING) == 0 and figure(running, "requests_in_flight") == 1


class Clients:
    """Requests sent at once, each on a thread; `answers` holds status, seconds and detail of those that ended."""

    def __init__(self, running, bodies):
        self.answers, self.running = [], running
        self.threads = [threading.Thread(target=self.work, args=(body,)) for body in bodies]
        for thread in self.threads:
            thread.start()

    def work(self, body):
        start = time.monotonic()
        status, headers, answer = self.running.request(
            "POST", "/denoise/text", body, {"content-type": "application/json"})
        self.answers.append((status, time.monotonic() - start, headers, answer if status != 200 else b""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()


# With the longer time nothing is refused for want of it, and all of them wait when they leave.
@pytest.mark.parametrize("site, seconds", [
    ("denoiser.conf", 30), ("denoiser.conf", 600), ("denoiser_mounted.conf", 30)])
def test_what_clients_that_hang_up_asked_for_is_dropped(site, seconds):
    options = ["--request-deadline", str(seconds), "--queue", "256"]
    with service.running(*options, model=MODEL, site=site, prepare=service.lift_limits) as running:
        if site == "denoiser.conf":
            hang_up(running.port)
            assert ask(running.port, "/health")[0] == 200
            assert ask(running.port, "/denoise/text", WORD)[0] == 200
            # Five minutes of work.
            assert service.wait_until(lambda: is_idle(running), 10)
            assert ask(running.port, "/denoise/text", json.dumps({"texts": ["a " * 254] * 8}).encode())[0] == 200
            left, refused = figure(running, "left_requests_total"), figure(running, "refused_requests_total")
            assert left + refused >= 75 and figure(running, "late_requests_total") == 0
            assert left > (10 if seconds == 600 else 0)
        else:
            with socket.create_connection(("127.0.0.1", running.port)) as client:
                client.sendall(b"POST %s/denoise/text HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n" % (service.MOUNTS[site].encode(), len(SECONDS)) + SECONDS)
                assert service.wait_until(lambda: figure(running, WAITING) > 0, 20)
            assert service.wait_until(lambda: is_idle(running), 10)
            # Done work would leave it idle, too.
            assert figure(running, "left_requests_total") == 1


class TCPPeer(Peer):
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.rest = b""


@pytest.mark.parametrize("keep", [0, 1])
def test_a_peer_that_leaves_is_noticed_on_the_socket(keep):
    with service.running(model=MODEL) as running:
        for number in range(1, 4):
            with Peer(running.socket) as peer:
                peer.send(request("/denoise/text", SECONDS, keep=keep))
                assert service.wait_until(lambda: figure(running, WAITING) > 0)
            assert service.wait_until(lambda: is_idle(running), 10)
            assert figure(running, "left_requests_total") == number


@contextlib.contextmanager
def waiting(running, bodies):
    """Clients that ask at once, and hang up at the end of the block."""
    with contextlib.ExitStack() as held:
        for body in bodies:
            client = held.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            client.sendall(b"POST /denoise/text HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
        yield


# The longest are those for which the others wait in the encoder, the shortest those that are almost short.
@pytest.mark.parametrize("texts", [100, 30, 2])
@pytest.mark.parametrize("threads", [1, 2, 4, 16])
def test_health_and_short_texts_do_not_wait_for_long_ones(threads, texts):
    body = json.dumps({"texts": ["a " * 400] * texts}).encode()
    # So much time that none is refused for want of it: they all are there at once.
    options = ["--request-threads", str(threads), "--queue", "256", "--request-deadline", "600"]
    with service.running(*options, model=MODEL, prepare=service.lift_limits) as running:
        with waiting(running, [body] * (150 if texts == 2 else 60)):
            # Without lanes as many as there are threads and places.
            assert service.wait_until(lambda: figure(running, "requests_in_flight") > 10, 10)
            for _ in range(3):
                start = time.monotonic()
                assert ask(running.port, "/health")[0] == 200
                assert ask(running.port, "/denoise/text", WORD)[0] == 200
                # Without lanes it takes as long as the others take, or their deadline.
                assert time.monotonic() - start < 5
        assert service.wait_until(lambda: is_idle(running), 10)


def test_what_cannot_be_done_in_time_is_refused_at_once_and_the_rest_is_done():
    with service.running("--request-deadline", "12", model=MODEL) as running:
        # To have the rate measured, and a long request's length.
        few = json.dumps({"texts": ["a " * 254] * 12}).encode()
        taken = [ask(running.port, "/denoise/text", few) for _ in range(2)]
        assert [status for status, *_ in taken] == [200, 200]
        # Each a second and a half of work, on this machine at this time.
        texts = max(3, int(12 * 1.5 / taken[1][1]))
        before = figure(running, "tokens_total")
        with Clients(running, [json.dumps({"texts": ["a " * 254] * texts}).encode()] * 40) as clients:
            pass
        served = [answer for answer in clients.answers if answer[0] == 200]
        refused = [answer for answer in clients.answers if answer[0] == 503]
        assert len(served) + len(refused) == 40 and served and refused
        computed = figure(running, "tokens_total") - before
        share = len(served) * texts * TOKENS / computed
        print(f"\n{len(served)} of 40 answered, {share:.2f} of what was computed; refused after "
              f"{sorted(answer[1] for answer in refused)}")
        # Taking turns, none was done in time.
        assert share >= 0.6
        assert len([answer for answer in refused if answer[1] < 4]) >= 0.7 * len(refused)
        for _, _, headers, body in refused:
            assert int(headers["retry-after"]) >= 1 and list(json.loads(body)) == ["detail"]
        words = re.compile(r"its \d+ tokens and \d+ ahead of them take [\d.]+ seconds, and [\d.]+ are left")
        assert sum(bool(words.search(json.loads(body)["detail"])) for *_, body in refused) >= 0.7 * len(refused)
        assert figure(running, "refused_requests_total") >= 0.7 * len(refused)


def test_clients_that_ask_again_at_once_cost_little():
    body = json.dumps({"texts": ["a " * 254] * 150}).encode()
    with service.running("--request-deadline", "2", model=MODEL) as running:
        # To have the rate measured, and what a byte is.
        for _ in range(3):
            ask(running.port, "/denoise/text", json.dumps({"texts": ["a " * 254] * 16}).encode())
        over, statuses = time.monotonic() + 5, []

        def insist():
            while time.monotonic() < over:
                statuses.append(ask(running.port, "/denoise/text", body)[0])
        start = time.monotonic()
        threads = [threading.Thread(target=insist) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - start
        refused = statuses.count(503)
        print(f"\n{refused} refused and {statuses.count(200)} answered in {seconds:.1f} s")
        # As fast as they come, a machine that does this for them does nothing else.
        assert refused == len(statuses) - statuses.count(200) and refused <= 100 + 100 * seconds
        assert figure(running, "left_requests_total") == 0


def test_a_request_that_is_too_large_by_itself_is_told_so():
    with service.running("--request-deadline", "8", model=MODEL) as running:
        # The rate has to be known first.
        assert ask(running.port, "/denoise/text", json.dumps({"texts": ["a " * 254] * 16}).encode())[0] == 200
        status, headers, answer = running.post("/denoise/text", {"texts": ["a " * 254] * 1500})
        assert status == 503 and "fewer texts at once take less" in answer["detail"]


def test_texts_of_middle_length_end_soon_beside_long_ones():
    middle = json.dumps({"texts": ["a " * 200] * 4}).encode()
    with service.running(model=MODEL) as running:
        with waiting(running, [HEAVY] * 3):
            assert service.wait_until(lambda: figure(running, WAITING) > 80)
            assert ask(running.port, "/denoise/text", middle)[0] == 200
            # Behind them, it would be there when they are.
            assert figure(running, WAITING) > 40


@pytest.mark.parametrize("threads", [1, 16])
def test_uploads_that_wait_hold_no_thread_that_others_need(threads):
    lines = b"\n".join(b"a text of some words, number %d" % i for i in range(300))
    options = ["--request-threads", str(threads), "--epochs", "100000", "--training-time", "8"]
    with service.running(*options, model=MODEL) as running:
        answers = []
        uploads = [threading.Thread(target=lambda: answers.append(upload(running, lines)[0])) for _ in range(20)]
        for thread in uploads:
            thread.start()
        assert service.wait_until(lambda: figure(running, "training_underway") >= 1)
        for _ in range(5):
            start = time.monotonic()
            assert ask(running.port, "/health")[0] == 200
            assert ask(running.port, "/denoise/text", WORD)[0] == 200
            assert ask(running.port, "/denoise/text", json.dumps({"texts": ["a " * 254] * 10}).encode())[0] == 200
            assert time.monotonic() - start < 10
        for thread in uploads:
            thread.join()
        assert answers.count(503) == 19 and answers.count(422) == 1


def test_a_client_that_gives_up_does_not_end_a_training_run():
    lines = b"\n".join(b"a text of some words, number %d" % i for i in range(200))
    form = (b'--X\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n' + lines + b"\r\n--X--\r\n")
    with service.running("--epochs", "300", model=MODEL) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(b"POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=X\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(form) + form)
            assert service.wait_until(lambda: figure(running, "training_underway") == 1)
        assert service.wait_until(lambda: "trained model" in running.log(), 60)


def tcp_figure(port, name):
    with TCPPeer(port) as peer:
        return figures(peer)[name]


def test_over_tcp_a_peer_that_leaves_is_noticed_and_one_that_only_sends_no_more_is_answered(tmp_path):
    port = service.free_port()
    process = subprocess.Popen(
        [str(service.BINARY), "serve", "--listen", f"127.0.0.1:{port}", "--encoder", service.ENCODER,
         "--model", str(MODEL)], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        assert service.wait_until(lambda: tcp_figure(port, WAITING) == 0)
        for keep in (0, 1):
            with TCPPeer(port) as peer:
                peer.send(request("/denoise/text", SECONDS, keep=keep))
                assert service.wait_until(lambda: tcp_figure(port, WAITING) > 0)
            assert service.wait_until(lambda: tcp_figure(port, WAITING) == 0, 10)
            assert service.wait_until(lambda: tcp_figure(port, "left_requests_total") == keep + 1)
        with TCPPeer(port) as peer:
            peer.send(request("/denoise/text", json.dumps({"texts": ["a " * 254] * 20}).encode()))
            peer.finish()
            reply = peer.reply()
            assert reply.status == 200 and json.loads(reply.body)["shape"] == [20, 384]
    finally:
        service.stop(process)
