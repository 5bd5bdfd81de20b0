"""Records no web server would send, and bodies that pretend to be records, on the service's own socket."""
import contextlib
import json
import select
import shutil
import time

import pytest
from support import service
from support.attacks import HIDDEN, HIDDEN_FORM, TEXT, still_answers
from support.fastcgi_peer import (
    ABORT, BEGIN, DATA, END, GET_VALUES, PARAMETERS, STDIN, UNKNOWN, VALUES, Peer, begin, pairs,
    record, request, stream, variables)
from support.service import MODEL
from support.uploads import FORM, form

ROWS = json.dumps({"embeddings": [[0.5] * 384]}).encode()
LIMIT = 200_000


@pytest.fixture(scope="module")
def denoiser():
    options = ("--body-bytes", str(LIMIT), "--upload-bytes", str(LIMIT), "--epochs", "1")
    with service.running(*options, model=MODEL) as running:
        before = running.process.pid, still_answers(running)
        yield running
        assert running.process.poll() is None and running.process.pid == before[0]
        assert still_answers(running)
        print(f"\nprocess {before[0]} from the first vector to the last")


# Bodies that look like records.


# All of ASCII, hence a text to train on too; its lengths are below 128 for that.
ASCII = (begin(1, keep=1)
         + stream(PARAMETERS, pairs({"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/health"}), 1)
         + stream(STDIN, b"", 1))


def pretenders(number):
    """Bodies of records, at every alignment to eight bytes and as the record's content and its end."""
    for shift in range(8):
        yield b"\0" * shift + HIDDEN
    yield HIDDEN * 40
    yield record(STDIN, b"", number) + HIDDEN
    yield record(ABORT, b"", number) + HIDDEN
    yield record(END, bytes(8), number) + request("/health", method="GET", request=number)
    yield record(PARAMETERS, b"", number) + HIDDEN + record(GET_VALUES, b"", 0)
    # Over the edge of what libfcgi and our own reading take at once.
    for edge in (8192, 65_528, 65_536, 131_072):
        yield (b"{" * (edge - 4)) + HIDDEN


ROUTES = [
    ("GET", "/", None, 200), ("GET", "/health", None, 200), ("GET", "/openapi.json", None, 200),
    ("GET", "/docs", None, 200), ("GET", "/docs/oauth2-redirect", None, 200),
    ("GET", "/redoc", None, 200), ("HEAD", "/docs", None, 200),
    ("POST", "/denoise/text", "application/json", 422),
    ("POST", "/denoise/text", "text/plain", 422),
    ("POST", "/denoise/embedding", "application/json", 422),
    ("POST", "/denoise/embedding", "application/octet-stream", 422),
    ("POST", "/upload/", FORM, 400), ("POST", "/upload/", "text/plain", 422),
    ("POST", "/upload/", "application/x-www-form-urlencoded", 422),
    ("POST", "/upload", FORM, 307), ("GET", "/health/", None, 307),
    ("POST", "/denoise/text/", "application/json", 307),
    ("POST", "/denoise/embedding/", "application/json", 307),
    ("GET", "/nowhere", None, 404), ("POST", "/nowhere", "application/json", 404),
    ("POST", "/", "application/json", 405), ("DELETE", "/health", None, 405),
    ("GET", "/denoise/text", None, 405), ("PUT", "/denoise/embedding", "application/json", 405),
    ("GET", "/upload/", None, 405), ("BREW", "/docs", None, 405), ("POST", "/openapi.json", FORM, 405),
    ("PUT", "/redoc", None, 405), ("PUT", "/docs/oauth2-redirect", None, 405),
]


def served(running):
    """How many requests the service itself says to have answered."""
    with Peer(running.socket) as peer:
        peer.send(request("/metrics", method="GET", DENOISER_INTERNAL="1"))
        lines = peer.reply().body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("denoiser_requests_total{"))


@contextlib.contextmanager
def none_besides(running):
    """Checks that the service answered what `figures` counts, and nothing besides."""
    figures, before = {}, served(running)
    # An answer is counted once it is sent, so a moment after it is read.
    while time.sleep(0.25) or before != served(running):
        before = served(running)
    yield figures
    asked = sum(count for what, count in figures.items() if what != "closed")
    service.wait_until(lambda: served(running) >= before + asked, 10)
    assert served(running) == before + asked
    print(f"\n{figures}: {asked} asked, {asked} served")


def ask_and_count(running, sent, number, keep, expected, figures):
    """Sends a request and a second one behind its answer; no more than those two may be answered."""
    with Peer(running.socket) as peer:
        peer.send(sent)
        reply = peer.reply(number)
        assert reply and reply.status in expected and reply.protocol_status == 0, (reply and reply.status)
        figures[reply.status] = figures.get(reply.status, 0) + 1
        if keep:
            # Behind a long unread body the service may close; a request sent then gets no answer.
            peer.send(request("/health", method="GET", request=number + 1))
            second = peer.reply(number + 1)
            figures["same connection" if second else "closed"] = figures.get(
                "same connection" if second else "closed", 0) + 1
            assert second is None or (second.status == 200 and b"model_loaded" in second.body)
        assert peer.rest_of_connection() == [], "an answer that nobody asked for"
        return reply


@pytest.mark.parametrize("keep", [0, 1])
def test_no_body_is_read_as_records(denoiser, keep):
    version, number = still_answers(denoiser), 1 if keep else 7
    with none_besides(denoiser) as figures:
        for method, path, kind, status in ROUTES:
            # Zeros in front make UTF-16 of a JSON body, which is then no text.
            expected = {status, 400} if kind == "application/json" else {status}
            for body in pretenders(number):
                for portion in (60000, 65535, 8):
                    if portion == 8 and len(body) > 2000:
                        continue
                    sent = request(
                        path, body, method, number, keep, portion=portion, content_type=kind or "")
                    ask_and_count(denoiser, sent, number, keep, expected, figures)
    assert still_answers(denoiser) == version


@pytest.mark.parametrize("keep", [0, 1])
def test_no_body_is_read_as_records_where_the_answer_is_a_success(denoiser, keep):
    with none_besides(denoiser) as figures:
        for path, body, kind in [
            ("/denoise/text", json.dumps({"texts": [ASCII.decode(), HIDDEN.decode("latin-1")]}).encode(),
             "application/json"),
            ("/denoise/embedding", ROWS, "application/json"),
            ("/upload/", form(ASCII + b"\nand a line\n" + ASCII), FORM),
        ]:
            sent = request(path, body, keep=keep, content_type=kind)
            reply = ask_and_count(denoiser, sent, 1, keep, {200}, figures)
    # The one upload that was asked for, and no other since.
    assert still_answers(denoiser) == reply.headers["x-model-version"]


@pytest.mark.parametrize("keep", [0, 1])
def test_a_body_too_long_to_read_is_not_read_as_records(denoiser, keep):
    version = still_answers(denoiser)
    with none_besides(denoiser) as figures:
        for path, kind in [("/denoise/text", "application/json"),
                           ("/denoise/embedding", "application/json"), ("/upload/", FORM)]:
            for body in (b" " * (LIMIT - LIMIT % 8) + HIDDEN * 8, HIDDEN * (LIMIT // len(HIDDEN) + 2)):
                for portion in (60000, 65535, 1000):
                    sent = request(path, body, keep=keep, portion=portion, content_type=kind)
                    ask_and_count(denoiser, sent, 1, keep, {413}, figures)
    # More than is read and dropped: the connection must end with the answer.
    with Peer(denoiser.socket) as peer:
        head = pairs(variables("/nowhere", length=100 << 20))
        peer.send(begin(keep=1) + stream(PARAMETERS, head))
        portion, sent = record(STDIN, HIDDEN * (65535 // len(HIDDEN))), 0
        while sent < 100 << 20 and peer.send(portion):
            sent += len(portion)
        peer.send(record(STDIN) + request("/health", method="GET"))
        reply = peer.reply()
        assert reply is None or reply.status == 404
        assert peer.rest_of_connection() == []
    assert still_answers(denoiser) == version
    print(f"\n{sent >> 20} MB of 100 taken before the connection ended")


@pytest.mark.parametrize("keep", [0, 1])
def test_no_body_is_read_as_records_without_a_model_or_a_place_for_one(keep):
    options = ("--no-default-model", "--epochs", "1")
    with service.running(*options) as running, none_besides(running) as figures:
        for path, body in (("/denoise/text", TEXT), ("/denoise/embedding", ROWS)):
            ask_and_count(running, request(path, body, keep=keep), 1, keep, {503}, figures)
            for body in pretenders(1):
                ask_and_count(running, request(path, body, keep=keep), 1, keep, {422, 400}, figures)
        shutil.rmtree(running.folder / "models")
        (running.folder / "models").touch()
        # Trained, and then there is nowhere to put the model.
        sent = request("/upload/", form(ASCII + b"\nand a line\n" + ASCII), keep=keep, content_type=FORM)
        reply = ask_and_count(running, sent, 1, keep, {500}, figures)
        assert "處理失敗" in json.loads(reply.body)["detail"]
        assert running.process.poll() is None


@pytest.mark.parametrize("keep", [0, 1])
def test_no_body_is_read_as_records_of_those_who_have_no_key(tmp_path, keep):
    keys = tmp_path / "keys"
    keys.write_text("use 0123456789abcdef\n")
    keys.chmod(0o600)
    with service.running("--keys", str(keys), model=MODEL) as running, none_besides(running) as figures:
        for body in pretenders(1):
            for path in ("/denoise/text", "/denoise/embedding", "/upload/"):
                ask_and_count(running, request(path, body, keep=keep), 1, keep, {401}, figures)
            sent = request("/upload/", body, keep=keep, HTTP_AUTHORIZATION="Bearer 0123456789abcdef")
            ask_and_count(running, sent, 1, keep, {403}, figures)


@pytest.mark.parametrize("keep", [0, 1])
def test_no_body_is_read_as_records_where_there_is_no_thread_for_it(keep):
    """The thread for long requests waits for the rest of a body; of the others 64 wait for it, the rest are told 503."""
    with (service.running("--request-threads", "1", model=MODEL) as running,
          none_besides(running) as figures, contextlib.ExitStack() as held):
        begun = begin() + stream(PARAMETERS, pairs(variables("/denoise/text", length=100_000)))
        holder = held.enter_context(Peer(running.socket))
        holder.send_apart(begun, record(STDIN, b" " * 50_000), record(STDIN, b" " * 40_000))
        bodies = [body + b" " * 1024 for body in pretenders(1)] * 5
        peers = [held.enter_context(Peer(running.socket)) for _ in bodies]
        for peer, body in zip(peers, bodies):
            assert peer.send(request("/denoise/text", body, keep=keep))
        # Every one of them is waiting or turned away before the thread is free.
        sockets = [peer.socket for peer in peers]
        assert service.wait_until(lambda: len(select.select(sockets, [], [], 0)[0]) == len(peers) - 64)
        holder.send(record(STDIN, b" " * 10_000) + record(STDIN))
        for peer in [holder, *peers]:
            reply = peer.reply()
            figures[reply.status] = figures.get(reply.status, 0) + 1
            assert reply.status in (400, 422, 503)
            assert peer.rest_of_connection() == []
        # Told by the thread that accepts, before there is a request to count.
        turned_away = figures.pop(503)
        assert turned_away == len(peers) - 64
        print(f"\nkeep {keep}: {turned_away} told 503 at once")


# Single vectors.

def gets_an_answer(peer, number=1, path="/denoise/text", body=TEXT):
    peer.send(request(path, body, request=number))
    reply = peer.reply(number)
    return reply is not None and reply.status == 200


def test_a_request_may_come_split_at_every_place(denoiser):
    sent = request("/denoise/text", TEXT, padding=3)
    for at in range(1, len(sent)):
        with Peer(denoiser.socket) as peer:
            peer.send_apart(sent[:at], sent[at:])
            reply = peer.reply()
            assert reply and reply.status == 200 and b'"shape":[1,384]' in reply.body, at
            assert peer.rest_of_connection() == []
    with Peer(denoiser.socket) as peer:
        peer.send_apart(*(sent[at:at + 1] for at in range(len(sent))))
        assert peer.reply().status == 200
    print(f"\n{len(sent) - 1} places, and byte by byte")


@pytest.mark.parametrize("padding", [1, 7, 8, 255])
def test_padding_is_skipped_and_belongs_to_no_next_request(denoiser, padding):
    with Peer(denoiser.socket) as peer:
        for number in (1, 300, 65535):
            peer.send(request("/denoise/text", TEXT, request=number, keep=1, portion=5, padding=padding))
            assert peer.reply(number).status == 200
        assert peer.rest_of_connection() == []


def test_a_request_sent_before_the_last_answer_came_is_left_alone(denoiser):
    """FCGI_MPXS_CONNS is 0: no web server sends one, so it may be bytes of somebody else's making."""
    with Peer(denoiser.socket) as peer:
        peer.send(request("/denoise/text", TEXT, request=5, keep=1)
                  + request("/upload/", HIDDEN_FORM, request=6, keep=1, content_type=FORM))
        assert peer.reply(5).status == 200
        assert peer.rest_of_connection() == []


HEAD = pairs(variables("/denoise/text", length=len(TEXT)))
OPENED = begin() + stream(PARAMETERS, HEAD)

# What ends a connection without any answer, or with the one record that says why.
REFUSED = {
    "nothing": (b"", []),
    "one byte": (b"\1", []),
    "half a header": (begin()[:5], []),
    **{f"version {v}": (record(BEGIN, bytes([0, 1, 0, 0, 0, 0, 0, 0]), version=v), []) for v in (0, 2, 255)},
    "another version later": (OPENED + record(STDIN, TEXT, version=2), []),
    "a begin of 7 bytes": (record(BEGIN, bytes([0, 1, 0, 0, 0, 0, 0])), []),
    "a begin of 9 bytes": (record(BEGIN, bytes([0, 1, 0, 0, 0, 0, 0, 0, 0])), []),
    "a begin without content": (record(BEGIN), []),
    "a begin for request 0": (begin(0), []),
    "the same begin twice": (begin() + begin(), []),
    "the same begin amid parameters": (begin() + record(PARAMETERS, HEAD) + begin(), []),
    "the same begin amid the body": (OPENED + record(STDIN, TEXT[:5]) + begin(), []),
    **{f"role {role}": (begin(role=role), [(END, 1, bytes([0, 0, 0, 0, 3, 0, 0, 0]))])
       for role in (0, 2, 3, 256, 65535)},
    "parameters first": (record(PARAMETERS, HEAD), []),
    "a body first": (record(STDIN, TEXT), []),
    "a body before the parameters' end": (begin() + record(PARAMETERS, HEAD) + record(STDIN, TEXT), []),
    "parameters after their end": (OPENED + record(PARAMETERS, HEAD), []),
    "data of a filter": (OPENED + record(DATA, b"x"), []),
    **{f"type {kind} in a request": (OPENED + record(kind, b"x"), [])
       for kind in (0, 3, 6, 7, 9, 10, 11, 12, 255)},
    **{f"type {kind} for request 0": (record(kind, b"x", 0), []) for kind in (2, 4, 5, 8, 10, 11)},
    "more parameters than allowed": (
        begin() + b"".join(record(PARAMETERS, b"\1\1AA" * 15000) for _ in range(3)), []),
    "a parameter longer than its stream": (
        begin() + stream(PARAMETERS, b"\xff\xff\xff\xff\xff\xff\xff\xff") + record(STDIN), []),
    "NUL in a parameter": (
        begin() + stream(PARAMETERS, pairs({"REQUEST_METHOD": b"GET\0", "DOCUMENT_URI": "/health"}))
        + record(STDIN), []),
    "an equals sign in a name": (begin() + stream(PARAMETERS, pairs({"A=B": "c"})) + record(STDIN), []),
    "a length that is none": (
        begin() + stream(PARAMETERS, pairs(variables("/health", length="12x"))) + record(STDIN), []),
    "a negative length": (
        begin() + stream(PARAMETERS, pairs(variables("/health", length="-1"))) + record(STDIN), []),
    "a length beyond 64 bits": (
        begin() + stream(PARAMETERS, pairs(variables("/health", length="9" * 30))) + record(STDIN), []),
    "aborted after begin": (begin() + record(ABORT), []),
    "aborted amid parameters": (begin() + record(PARAMETERS, HEAD[:9]) + record(ABORT), []),
    "aborted after the parameters": (OPENED + record(ABORT), []),
    "aborted amid the body": (OPENED + record(STDIN, TEXT[:9]) + record(ABORT), []),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_the_protocol_ends_its_connection_only(denoiser, name):
    sent, expected = REFUSED[name]
    with Peer(denoiser.socket) as peer, Peer(denoiser.socket) as other:
        peer.send(sent)
        peer.send(request("/health", method="GET", keep=1) if sent and len(sent) % 8 == 0 else b"")
        assert peer.rest_of_connection() == expected
        assert gets_an_answer(other)


def test_a_second_request_at_the_same_time_is_declined(denoiser):
    declined = (END, 2, bytes([0, 0, 0, 0, 1, 0, 0, 0]))
    with Peer(denoiser.socket) as peer:
        peer.send(OPENED + begin(2) + stream(PARAMETERS, HEAD, 2) + record(STDIN, TEXT[:4])
                  + stream(STDIN, b"two", 2) + record(ABORT, b"", 2) + stream(STDIN, TEXT[4:]))
        assert next(peer.records()) == declined
        assert peer.reply().status == 200
        assert peer.rest_of_connection() == []


def test_questions_and_unknown_kinds_beside_requests_are_answered(denoiser):
    with Peer(denoiser.socket) as peer:
        asked = pairs({"FCGI_MAX_CONNS": "", "FCGI_MPXS_CONNS": ""})
        peer.send(record(GET_VALUES, asked, 0) + record(77, b"??", 0)
                  + request("/denoise/text", TEXT, keep=1))
        records = peer.records()
        assert next(records) == (VALUES, 0, pairs({"FCGI_MPXS_CONNS": "0"}))
        assert next(records) == (UNKNOWN, 0, bytes([77, 0, 0, 0, 0, 0, 0, 0]))
        assert peer.reply().status == 200
        assert gets_an_answer(peer, 2)
    with Peer(denoiser.socket) as peer:
        # Questions whose answers nobody fetches.
        while peer.send(record(77, b"", 0) * 1000):
            pass
    assert still_answers(denoiser)


def test_aborted_while_it_is_computed_or_answered(denoiser):
    many = json.dumps({"texts": [f"line {i}" for i in range(300)]}).encode()
    for body, path, kind in [(many, "/denoise/text", "application/json"),
                             (form(b"a line\n" * 300), "/upload/", FORM)]:
        with Peer(denoiser.socket) as peer:
            peer.send(request(path, body, keep=1, content_type=kind))
            peer.send(record(ABORT))
            reply = peer.reply()
            assert reply is None or reply.status == 200
            # What comes behind a request's end and before its answer ends the connection.
            assert peer.rest_of_connection() == []
        with Peer(denoiser.socket) as peer:
            peer.send(request(path, body, content_type=kind))
        with Peer(denoiser.socket) as peer:
            peer.send(request(path, body, content_type=kind))
            peer.socket.recv(1)
    assert still_answers(denoiser)


@pytest.mark.parametrize("declared, sent", [(5, 500), (500, 5), (0, 5), (5, 0), (1 << 40, 5)])
def test_a_length_that_lies_gives_no_success(denoiser, declared, sent):
    for path, kind in (("/denoise/text", "application/json"), ("/upload/", FORM)):
        with Peer(denoiser.socket) as peer:
            peer.send(request(path, b"[" * sent, length=declared, content_type=kind, keep=1))
            reply = peer.reply()
            assert reply is None or 400 <= reply.status < 500
            assert peer.rest_of_connection() == []
