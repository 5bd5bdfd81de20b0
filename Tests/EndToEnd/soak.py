#!/usr/bin/env python3
"""A million small requests through nginx, and what the service holds meanwhile.

    Tests/EndToEnd/soak.py [REQUESTS]

Needs wrk. Nine of ten requests ask /health, one in ten denoises an embedding, one in a hundred embeds a text and one in
a hundred is wrong. Memory and descriptors are printed all the while, and at the end the slope of each after the first
tenth, by least squares.
"""
import json
import pathlib
import subprocess
import sys
import time

from support import service
from support.nginx_files import status_page, with_status
from support.service import MODEL

LUA = """
local row = '%s'
local text = '{"texts":["a small request"]}'
local head = {["content-type"] = "application/json"}
local n = 0
request = function()
    n = n + 1
    if n %% 100 == 0 then return wrk.format("POST", "/denoise/text", head, text) end
    if n %% 100 == 50 then return wrk.format("POST", "/denoise/text", head, '{"texts":7}') end
    if n %% 10 == 5 then return wrk.format("POST", "/denoise/embedding", head, row) end
    return wrk.format("GET", "/health")
end
"""


def figures(running):
    text = status_page(running, "/metrics")[2].decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    requests = sum(int(v) for k, v in values.items() if k.startswith("denoiser_requests_total"))
    faults = sum(int(v) for k, v in values.items()
                 if k.startswith("denoiser_requests_total") and 'status="5' in k)
    return (requests, faults, int(values["denoiser_private_memory_bytes"]), int(values["process_open_fds"]))


def slope(points, column):
    """Change per million requests."""
    points = [(p[0], p[column]) for p in points]
    x0, y0 = (sum(c) / len(points) for c in zip(*points))
    below = sum((x - x0) ** 2 for x, _ in points)
    return sum((x - x0) * (y - y0) for x, y in points) / below * 1e6


wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
with service.running(model=MODEL, prepare=with_status) as running:
    script = pathlib.Path(running.folder / "soak.lua")
    script.write_text(LUA % json.dumps({"embeddings": [[0.0123456789] * 384]}))
    load = subprocess.Popen(
        ["wrk", "-t1", "-c8", "-d24h", "-s", str(script), f"http://127.0.0.1:{running.port}"],
        stdout=subprocess.DEVNULL)
    points, began = [figures(running)], time.monotonic()
    try:
        while points[-1][0] < wanted:
            time.sleep(5)
            points.append(figures(running))
            requests, faults, memory, descriptors = points[-1]
            print(f"{requests:9} requests, {requests / (time.monotonic() - began):6.0f}/s, {faults} faults, "
                  f"{memory / 1e6:6.2f} MB private, {descriptors} descriptors", flush=True)
    finally:
        load.kill()
        load.wait()
    time.sleep(1)
    print(f"before, nobody connected: {points[0][3]} descriptors; afterwards: {figures(running)[3]}")
    later = [point for point in points if point[0] > wanted / 10]
    print(f"after the first tenth, a million requests add {slope(later, 2) / 1e6:+.3f} MB of private memory "
          f"and {slope(later, 3):+.2f} descriptors")
