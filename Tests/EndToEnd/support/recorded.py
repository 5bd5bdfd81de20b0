"""The recorded requests of Tests/APITests/Fixtures, sent over HTTP to a running service."""
import base64
import http.client
import json
import math
from urllib.parse import urlsplit

from support import service

FIXTURES = service.TOP / "Tests/APITests/Fixtures"


def cases():
    """All of them in one form: (name, method, target, headers, body, expectation)."""
    for case in json.loads((FIXTURES / "cases.json").read_text()):
        yield (case["name"], case["method"], case["target"], list(case["headers"].items()),
               base64.b64decode(case["body"]), case)
    for case in json.loads((FIXTURES / "upload-cases.json").read_text())["cases"]:
        expected = {**case["expect"], "type": case["expect"].get("content-type")}
        if "json" in expected:
            expected["answer"] = json.dumps(expected["json"], ensure_ascii=False, separators=(",", ":"))
        yield case["name"], case["method"], case["target"], case["headers"], base64.b64decode(case["body"]), expected


def ask(port, method, target, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def fault(expected, method, status, headers, body):
    """What is wrong with an answer; None where nothing is."""
    if status != expected["status"]:
        return f"status {status}, not {expected['status']}: {body[:160]!r}"
    if "type" in expected and headers.get("content-type", "").replace("; ", ";") != (expected["type"] or "").replace("; ", ";"):
        return f"content-type {headers.get('content-type')!r}, not {expected['type']!r}"
    if "allow" in expected and sorted(headers.get("allow", "").split(", ")) != expected["allow"]:
        return f"allow {headers.get('allow')!r}, not {expected['allow']}"
    if "location" in expected:
        parts = urlsplit(headers.get("location", ""))
        found = parts.path + ("?" + parts.query if parts.query else "")
        if found != expected["location"]:
            return f"location {found!r}, not {expected['location']!r}"
    if method == "HEAD":
        return f"a body {body[:160]!r}" if body else None
    if expected.get("target") == "/openapi.json" and status == 200:
        # Ours describes more beside the original's.
        theirs, ours = json.loads(expected["answer"]), json.loads(body)
        # On purpose, one member of the upload's form is ours.
        file = ours["components"]["schemas"]["Body_upload_file_upload__post"]["properties"]["file"]
        if file.pop("format", None) != "binary":
            return f"format of the upload's file in {file}"
        same = (all(ours[name] == theirs[name] for name in ("openapi", "info"))
                and theirs["paths"].items() <= ours["paths"].items()
                and theirs["components"]["schemas"].items() <= ours["components"]["schemas"].items())
        return None if same else f"body {body[:300]!r}"
    if "answer" in expected and body != expected["answer"].encode():
        return f"body {body[:300]!r}, not {expected['answer'][:300]!r}"
    if "shape" in expected:
        answer = json.loads(body)
        rows = answer["denoised_embeddings"]
        if answer["shape"] != expected["shape"] or [len(rows), *{len(row) for row in rows}] != expected["shape"][:1 + bool(rows)]:
            return f"shape {answer['shape']}, not {expected['shape']}"
        if not all(math.isfinite(x) for row in rows for x in row):
            return "a value is not a finite number"
    if "upload" in expected:
        answer = json.loads(body)
        if sorted(answer) != ["filename", "loss", "word_count"] or not math.isfinite(answer["loss"]):
            return f"body {body[:160]!r}"
        if any(answer[name] != value for name, value in expected["upload"].items()):
            return f"body {body[:160]!r}, not {expected['upload']}"
    return None


def differences(port):
    """Sends every request; gives how many there were and the faults by name."""
    faults, count = {}, 0
    for name, method, target, headers, body, expected in cases():
        count += 1
        try:
            found = fault(expected, method, *ask(port, method, target, headers, body))
        except (OSError, http.client.HTTPException) as error:
            found = f"no answer: {error!r}"
        if found:
            faults[f"{name}: {method} {target}"] = found
    return count, faults
