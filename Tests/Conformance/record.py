#!/usr/bin/env python3
"""Writes recorded.json beside itself: what a live FastAPI answers to the small requests written by hand.

Recorded at the root and, where that is not the same, below /api/v1. Needs Tests/requirements.txt.
"""
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "EndToEnd"))
import compare
import exchange
import hand_cases
import reference

MOUNT = "/api/v1"


def recorded(port, request):
    answer = exchange.ask(port, request)
    kept = answer.headers.keys() - (compare.UNCOMPARED - {"content-length"} if request.method == b"HEAD" else compare.UNCOMPARED)
    headers = {name: values for name, values in sorted(answer.headers.items()) if name in kept}
    # Starlette's order is another in every process.
    if "allow" in headers: headers["allow"] = [", ".join(sorted(headers["allow"][0].split(", ")))]
    try: body = {"text": answer.body.decode()}
    except UnicodeDecodeError: body = {"base64": base64.b64encode(answer.body).decode()}
    # Of these only the shape is compared.
    if answer.status == 200 and "denoised_embeddings" in body.get("text", ""):
        value = json.loads(answer.body)
        body = {"text": json.dumps({**value, "denoised_embeddings": [], "processing_time_ms": 0})}
    return {"status": answer.status, "headers": headers, **body}


def main():
    cases = []
    with reference.running() as root, reference.running(MOUNT) as below:
        for request in hand_cases.SMALL:
            case = {"method": request.method.decode(), "target": request.target.decode(), "framing": request.framing,
                    "headers": [[part.decode("latin-1") for part in header] for header in request.headers],
                    "body": base64.b64encode(request.body).decode(), "": recorded(root, request)}
            mounted = recorded(below, request)
            if mounted != case[""]: case[MOUNT] = mounted
            cases.append(case)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    (HERE / "recorded.json").write_text(f"[\n{lines}\n]\n")
    print(len(cases), "cases,", sum(MOUNT in case for case in cases), "of them with another answer below", MOUNT)


if __name__ == "__main__":
    main()
