"""Makes proxies.json beside itself: the scheme that uvicorn's ProxyHeadersMiddleware leaves in a request.

    python record_proxies.py        (with the packages of Tests/requirements.txt)
"""
import asyncio
import itertools
import json
import pathlib

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

TRUSTED = [
    "127.0.0.1,::1", "*", "127.0.0.1,*", " 10.0.0.0/8 , 192.168.1.7", "::1", "0:0:0:0:0:0:0:1", "fd00::/8", "10.0.0.0/255.0.0.0",
    "10.0.0.0/0.255.255.255", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "::/0", "unix:", "localhost", "fe80::1%eth0", "fe80::/10", "",
    ",", "10.1.2.3/32", "010.1.2.3", "2001:db8::/33", "/run/s.sock", "127.0.0.1 ,\t::1"]
PEERS = [
    "127.0.0.1", "127.0.0.2", "::1", "10.1.2.3", "11.1.2.3", "192.168.1.7", "192.168.1.8", "fd12::1", "fe80::1", "fe80::1%eth0",
    "fe80::1%eth1", "unix:", "localhost", "", "2001:db8:7fff::1", "2001:db8:8000::1", "0:0::1", "/run/s.sock", "127.1", "10.1.2.3/32"]
SCHEMES = [
    "https", "http", "HTTPS", " https ", "https,http", "https, https", "wss", "ws", "ftp", "", "https:443", "\xa0https\x85", "https\x1f"]


def scheme(trusted, peer, value):
    seen = {}

    async def application(scope, receive, send): seen.update(scope)

    scope = {"type": "http", "scheme": "from below", "client": (peer, 1), "headers": [(b"x-forwarded-proto", value.encode("latin-1"))]}
    asyncio.run(ProxyHeadersMiddleware(application, trusted)(scope, None, None))
    return seen["scheme"]


cases = [(trusted, peer, "https", scheme(trusted, peer, "https")) for trusted, peer in itertools.product(TRUSTED, PEERS)]
cases += [("127.0.0.1", "127.0.0.1", value, scheme("127.0.0.1", "127.0.0.1", value)) for value in SCHEMES]
lines = ",\n".join(json.dumps(dict(zip(("trusted", "peer", "value", "scheme"), case))) for case in cases)
(pathlib.Path(__file__).parent / "proxies.json").write_text(f"[\n{lines}\n]\n")
print(len(cases), "cases,", sum(case[3] == "https" for case in cases), "trusted")
