"""What only those see who run the service: /ready, the figures, the version that answers."""
import json

from support.fastcgi_peer import Peer, request
from support.work import rows


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
