"""HTTP that two parsers might read differently: whatever nginx passes on, nothing hidden in it is served."""
import re
import socket

import pytest
from support import service
from support.attacks import HIDDEN, HIDDEN_FORM, TEXT, still_answers
from support.service import MODEL
from support.uploads import FORM, form

# Served, it would give the model another version.
INNER = (b"POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Type: " + FORM.encode()
         + b"\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN_FORM) + HIDDEN_FORM)


@pytest.fixture(scope="module")
def denoiser():
    with service.running("--epochs", "1", model=MODEL) as running:
        version = still_answers(running)
        yield running
        assert running.process.poll() is None and running.nginx.poll() is None
        assert still_answers(running) == version


def answers_to(running, sent, seconds=3):
    """The statuses of all answers on one connection, read until nginx closes or is silent."""
    with socket.create_connection(("127.0.0.1", running.port), seconds) as client:
        data = b""
        try:
            client.sendall(sent)
            while chunk := client.recv(65536):
                data += chunk
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d\d\d) ", data)]


def post(path="/denoise/text", body=b"", *lines):
    head = [b"POST %s HTTP/1.1" % path.encode(), b"Host: a", b"Content-Type: application/json", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def chunks(body, size=7):
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CLOSE = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LENGTH = b"Content-Length: %d" % len(TEXT)
CHUNKED = b"Transfer-Encoding: chunked"

# What is sent, and the statuses that may come back, in order: `...` stands for any of nginx's refusals.
MIXED = {
    "length, body with a request in it": (
        post("/denoise/text", INNER, b"Content-Length: %d" % len(INNER)) + CLOSE, [422, 200]),
    "chunks with a request in them": (post("/denoise/text", chunks(INNER), CHUNKED) + CLOSE, [422, 200]),
    "a chunk that is a request": (
        post("/denoise/text", chunks(INNER, 1000), CHUNKED) + CLOSE, [422, 200]),
    "length of a body that nobody reads": (
        b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER + CLOSE,
        [200, 200]),
    "chunks that nobody reads": (
        b"GET /health HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"\r\n\r\n" + chunks(INNER) + CLOSE, [200, 200]),
    "a body behind a path that is none": (
        post("/nowhere", INNER, b"Content-Length: %d" % len(INNER)) + CLOSE, [404, 200]),
    "a body behind a redirect": (
        post("/upload", INNER, b"Content-Length: %d" % len(INNER)) + CLOSE, [307, 200]),
    "records in a body": (
        post("/denoise/text", HIDDEN, b"Content-Length: %d" % len(HIDDEN)) + CLOSE, [422, 200]),
    "records in chunks": (post("/denoise/text", chunks(HIDDEN), CHUNKED) + CLOSE, [422, 200]),
    "length and chunks, length short": (
        post("/denoise/text", chunks(TEXT) + INNER, b"Content-Length: 4", CHUNKED), ...),
    "length and chunks, chunks short": (
        post("/denoise/text", b"0\r\n\r\n" + INNER, b"Content-Length: %d" % (5 + len(INNER)), CHUNKED), ...),
    "chunks and length": (post("/denoise/text", b"0\r\n\r\n" + INNER, CHUNKED, b"Content-Length: 5"), ...),
    "two lengths": (post("/denoise/text", INNER, b"Content-Length: 0", b"Content-Length: %d" % len(INNER)), ...),
    "two lengths in one": (post("/denoise/text", TEXT, b"Content-Length: 5, 5"), ...),
    "a negative length": (post("/denoise/text", INNER, b"Content-Length: -1"), ...),
    "a length with a sign": (post("/denoise/text", INNER, b"Content-Length: +5"), ...),
    "a length in hexadecimal": (post("/denoise/text", INNER, b"Content-Length: 0x10"), ...),
    "an encoding that is none": (post("/denoise/text", INNER, b"Transfer-Encoding: xchunked"), ...),
    "two encodings": (post("/denoise/text", b"0\r\n\r\n" + INNER, b"Transfer-Encoding: gzip, chunked"), ...),
    "an encoding twice": (post("/denoise/text", b"0\r\n\r\n" + INNER, CHUNKED, CHUNKED), ...),
    "an encoding behind a tab": (
        post("/denoise/text", b"0\r\n\r\n", b"Transfer-Encoding:\tchunked") + CLOSE, ...),
    "a name with a space": (post("/denoise/text", INNER, b"Transfer-Encoding : chunked"), ...),
    "a folded header": (post("/denoise/text", INNER, b"X: a\r\n " + CHUNKED, b"Content-Length: 0"), ...),
    "a line feed alone": (post("/denoise/text", INNER, b"X: a\n" + CHUNKED, b"Content-Length: 0"), ...),
    "a carriage return alone": (post("/denoise/text", INNER, b"X: a\r" + CHUNKED, b"Content-Length: 0"), ...),
    "NUL in a header": (post("/denoise/text", INNER, b"X: a\0b", b"Content-Length: 0"), ...),
    "NUL in the path": (b"GET /health%00/upload/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [400]),
    "a line end in the path": (
        b"GET /health%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [404]),
    "a chunk longer than any": (post("/denoise/text", b"fffffffffffffffff\r\n" + INNER, CHUNKED), ...),
    "a chunk of negative length": (post("/denoise/text", b"-1\r\n" + INNER, CHUNKED), ...),
    "a chunk without its end": (post("/denoise/text", b"4\r\nabcdX0\r\n\r\n" + INNER, CHUNKED), ...),
    "HTTP/1.0 with chunks": (
        post("/denoise/text", chunks(TEXT), CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0") + CLOSE, ...),
    "HTTP/0.9": (b"GET /health\r\n" + CLOSE, ...),
    "an underscore in a header": (
        post("/denoise/text", TEXT, LENGTH, b"Content_Length: 3", b"Transfer_Encoding: chunked") + CLOSE,
        [200, 200]),
    "a header Proxy": (post("/denoise/text", TEXT, LENGTH, b"Proxy: http://evil/") + CLOSE, [200, 200]),
    "an absolute target": (
        b"GET http://other/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [200]),
}


@pytest.mark.parametrize("name", MIXED)
def test_nothing_hidden_in_a_request_is_served(denoiser, name):
    sent, expected = MIXED[name]
    got = answers_to(denoiser, sent)
    if expected is ...:
        # A refusal, or the outer request alone; never a second answer behind a doubtful one unless
        # it is the one to the request that everybody sees (CLOSE).
        outer = sent.count(CLOSE) + 1
        assert len(got) <= outer and all(status in (200, 400, 405, 411, 413, 422, 501, 505) for status in got), got
    else:
        assert got == expected
    print(f"\n{name}: {got}")


def test_what_is_sent_behind_a_doubtful_length_changes_no_model(denoiser):
    version = still_answers(denoiser)
    for sent, _ in MIXED.values():
        answers_to(denoiser, sent, seconds=0.2)
    assert still_answers(denoiser) == version


def test_requests_sent_at_once_are_answered_in_order(denoiser):
    one = post("/denoise/text", TEXT, LENGTH)
    two = post("/nowhere", chunks(INNER), CHUNKED)
    three = b"GET /upload/ HTTP/1.1\r\nHost: a\r\n\r\n"
    assert answers_to(denoiser, (one + two + three) * 20 + CLOSE, 30) == [200, 404, 405] * 20 + [200]


def test_an_upload_in_chunks_is_one_upload():
    with service.running("--epochs", "1", model=MODEL) as running:
        before = still_answers(running)
        text = b"one line\n" * 2000
        head = (b"POST /upload/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + CHUNKED
                + b"\r\nContent-Type: " + FORM.encode() + b"\r\n\r\n")
        assert answers_to(running, head + chunks(form(text), 1000), 60) == [200]
        after = still_answers(running)
        assert after != before and after.startswith("1-")
