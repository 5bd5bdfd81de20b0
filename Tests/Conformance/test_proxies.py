"""Behind a proxy that ends TLS: our service behind nginx and FastAPI under uvicorn name the same scheme, as both trust the same peers."""
import itertools

import exchange
import hand_cases
import path_cases
import pytest
import reference
from support import service

# What is trusted, where requests come from 127.0.0.1; the tests of API have more.
LISTS = [None, "10.0.0.1", "*", "127.0.0.0/8,fd00::/8", "localhost,127.0.0.1,*"]
FOR = [(), ((b"X-Forwarded-For", b"203.0.113.9"),), ((b"X-Forwarded-For", b"127.0.0.1, 203.0.113.9"), (b"X-Forwarded-For", b"::1"))]


def requests(mount=b""):
    for value, more in itertools.product(dict.fromkeys(path_cases.SCHEMES), FOR):
        yield hand_cases.plain(b"POST", mount + b"/upload?a=b", (b"X-Forwarded-Proto", value), *more)
    for name, value in [(b"X-Forwarded-Protocol", b"https"), (b"X_Forwarded_Proto", b"https"), (b"X-Forwarded-Scheme", b"https"),
                        (b"Forwarded", b"proto=https"), (b"X-Forwarded-Ssl", b"on"), (b"x-FORWARDED-proto", b"https")]:
        yield hand_cases.plain(b"GET", mount + b"/health/", (name, value))
    twice = (b"X-Forwarded-Proto", b"http"), (b"X-Forwarded-Proto", b"https")
    yield hand_cases.plain(b"GET", mount + b"/docs/", *twice)
    if mount: yield hand_cases.plain(b"GET", mount + b"?a=b", *twice)


@pytest.mark.parametrize("trusted", LISTS)
def test_a_redirect_names_the_scheme_that_uvicorn_names(trusted):
    option = [] if trusted is None else ["--forwarded-allow-ips", trusted]
    schemes, wrong = set(), []
    with service.running(*option) as ours, reference.running("", *option) as theirs:
        for request in requests():
            a, b = exchange.ask(theirs, request), exchange.ask(ours.port, request)
            assert a.status == 307
            schemes.add(a.headers["location"][0].partition(":")[0])
            if (a.status, a.headers.get("location")) != (b.status, b.headers.get("location")):
                wrong.append((request.headers, a.headers["location"], b.status, b.headers.get("location")))
    assert not wrong, "\n".join(map(str, wrong))
    is_trusted = trusted != "10.0.0.1"
    assert schemes == ({"http", "https", "ws", "wss"} if is_trusted else {"http"})


def test_the_mount_itself_follows_too():
    with service.running(site="denoiser_mounted.conf") as ours, reference.running("/api/v1") as theirs:
        for request in requests(b"/api/v1"):
            below = request._replace(target=request.target.removeprefix(b"/api/v1"))
            a, b = exchange.ask(theirs, below), exchange.ask(ours.port, request)
            assert (a.status, a.headers["location"]) == (b.status, b.headers["location"]), request
