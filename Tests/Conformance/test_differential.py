"""Our service behind nginx and a live FastAPI, asked the same: every answer has to be the same too.

Environment: CONFORMANCE_SEEDS (default "1,2,3"), CONFORMANCE_REQUESTS for each seed (default 2000).
"""
import collections
import os
import random
import time

import compare
import deliberate
import exchange
import json_cases
import multipart_cases
import path_cases
import pytest
import reference
from support import service

SEEDS = [int(seed) for seed in os.environ.get("CONFORMANCE_SEEDS", "1,2,3").split(",")]
REQUESTS = int(os.environ.get("CONFORMANCE_REQUESTS", "2000"))


@pytest.fixture(scope="module")
def ports():
    with service.running("--epochs", "1") as ours, reference.running() as theirs:
        yield ours.port, theirs


def generated(seed, count):
    """The requests of a seed: JSON, uploads and paths, shuffled."""
    rng = random.Random(seed)
    uploads = [
        exchange.Request("upload", method.encode(), target.encode(), tuple(headers), body, rng.choice(["length"] * 9 + ["chunked"]))
        for method, target, headers, body in multipart_cases.generate(rng, count * 3 // 10)]
    paths = path_cases.generate(rng, count // 4)
    cases = uploads + paths + json_cases.generate(rng, count - len(uploads) - len(paths))
    rng.shuffle(cases)
    return cases


def report(request, found):
    body = f"{request.body[:200]!r}" + (f" … {len(request.body)} bytes" if len(request.body) > 200 else "")
    head = b" ".join([request.method, request.target[:100]]).decode("latin-1")
    return f"{request.kind}: {head} {list(request.headers)} {request.framing} {body}\n      " + "\n      ".join(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_answer_is_fastapis(ports, seed, capsys):
    ours, theirs = ports
    began = time.monotonic()
    explained, unexplained, kinds, statuses = collections.Counter(), [], collections.Counter(), collections.Counter()
    for request in generated(seed, REQUESTS):
        a, b = exchange.ask(theirs, request), exchange.ask(ours, request)
        kinds[request.kind] += 1
        statuses[b.status] += 1
        found = compare.differences(request, a, b)
        if not found: continue
        row = deliberate.explanation(request, a, b, lambda other: exchange.ask(theirs, other))
        if row: explained[row] += 1
        else: unexplained.append(report(request, found))
    with capsys.disabled():
        print(f"\nseed {seed}: {sum(kinds.values())} requests in {time.monotonic() - began:.1f} s, {len(unexplained)} unexplained differences")
        print("  kinds:", dict(kinds), "statuses:", dict(sorted(statuses.items())))
        for row, count in explained.most_common(): print(f"  {count:4} explained: {row}")
    assert not unexplained, f"{len(unexplained)} differences:\n" + "\n".join(unexplained[:40])


def test_every_rule_belongs_to_a_row_of_the_table():
    assert deliberate.RULES.keys() | deliberate.front.RULES.keys() | deliberate.charsets.RULES.keys() <= set(deliberate.table())
