"""The requests written by hand: FastAPI's recorded answers, at the root and below a path, and a live one's at our limits."""
import base64
import json
import pathlib

import compare
import deliberate
import exchange
import hand_cases
import pytest
import reference
from support import service

CASES = json.loads((pathlib.Path(__file__).parent / "recorded.json").read_text())

LEADS_TO = "http://denoiser.example:8080/api/v1/?a=b"


def requested(case):
    headers = tuple(tuple(part.encode("latin-1") for part in header) for header in case["headers"])
    return exchange.Request(
        "recorded", case["method"].encode(), case["target"].encode(), headers, base64.b64decode(case["body"]), case["framing"])


def answered(recorded):
    body = recorded["text"].encode() if "text" in recorded else base64.b64decode(recorded["base64"])
    return exchange.Answer(recorded["status"], recorded["headers"], body)


def test_all_requests_written_by_hand_are_recorded():
    assert [requested(case)._replace(kind="by hand") for case in CASES] == hand_cases.SMALL


@pytest.mark.parametrize("site, mount", service.MOUNTS.items())
def test_a_recorded_request_is_answered_as_fastapi_answers_it(site, mount):
    wrong = []
    with service.running("--epochs", "1", site=site) as ours:
        for case in CASES:
            request = requested(case)
            theirs = answered(case.get(mount, case[""]))
            answer = exchange.ask(ours.port, request.prefixed(mount.encode()))
            found = compare.differences(request, theirs, answer)
            if found and not deliberate.explanation(request, theirs, answer, None):
                wrong.append((case["method"], case["target"], base64.b64decode(case["body"])[:80], found))
    assert not wrong, "\n".join(map(str, wrong[:30]))


def test_the_mount_itself_leads_to_its_root():
    with service.running(site="denoiser_mounted.conf") as ours, reference.running("/api/v1") as theirs:
        a = exchange.ask(theirs, hand_cases.plain(b"GET", b"?a=b"))
        b = exchange.ask(ours.port, hand_cases.plain(b"GET", b"/api/v1?a=b"))
        assert (a.status, a.headers["location"]) == (b.status, b.headers["location"]) == (307, [LEADS_TO])
        assert exchange.ask(ours.port, hand_cases.plain(b"GET", b"/health")).status == 404


def test_limits_are_where_the_table_says():
    wrong = []
    with service.running("--epochs", "1") as ours, reference.running() as theirs:
        for request in hand_cases.LARGE:
            a, b = exchange.ask(theirs, request), exchange.ask(ours.port, request)
            found = compare.differences(request, a, b)
            if found and not deliberate.explanation(request, a, b, None):
                wrong.append((request.target, request.body[:60], len(request.body), found))
    assert not wrong, "\n".join(map(str, wrong))
