#!/usr/bin/env python3
"""Makes cases.json beside itself from the recorded requests of the API contract.

usage: record.py CASES.json

Bodies are printed again as FastAPI prints them, so that ours are compared to the byte. Left out: uploads, which
upload-cases.json holds, and two bodies of 200 kB that one of 40 kB stands for.
"""
import json, os, sys

SKIPPED = ("upload", "fuzz multipart", "text deep 100000", "embedding deep 100000")
cases = []
for case in json.load(open(sys.argv[1]))["cases"]:
    if case["name"].startswith(SKIPPED): continue
    expect = case["expect"]
    kept = {k: case[k] for k in ("name", "method", "target", "body")}
    kept |= {"headers": dict(case["headers"]), "status": expect["status"], "differs": "why" in case}
    kept |= {k: expect[n] for k, n in [("type", "content-type"), ("location", "location"), ("shape", "shape"), ("allow", "allow")] if n in expect}
    for name in ("json", "openapi"):
        if name in expect: kept["answer"] = json.dumps(expect[name], ensure_ascii=False, separators=(",", ":"))
    cases.append(kept)
lines = ",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in cases)
open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json"), "w").write(f"[\n{lines}\n]\n")
print(len(cases), "cases")
