"""Runs the denoiser and its peers side by side and prints tables of medians and ratios as Markdown.

Each round gives every contestant its turn on the same input, so that what else the machine does meets all.
"""
import argparse
import contextlib
import datetime
import http.client
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import contestants
import growth
import load
import models
import stream
from contestants import HERE, bench, peers, service

# What a token costs: six layers of four [384, 384] and two [384, 1536] products.
MEGAFLOP = 2e-6 * 6 * (4 * 384 * 384 + 2 * 384 * 1536)


def median(values):
    return statistics.median(values)


def table(title, head, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" for _ in head) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def sample(lines, count):
    """`count` lines, evenly spaced."""
    step = max(1, len(lines) // count)
    return lines[::step][:count]


def tokenizer():
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(contestants.MODELS / "sentence-transformer/tokenizer.json"))
    made.enable_truncation(models.TOKEN_LIMIT)
    made.no_padding()
    return made


def text_of(tokens, lines):
    """A text of exactly `tokens` tokens: a line, or lines joined and cut."""
    tokenize = tokenizer()
    count = lambda text: len(tokenize.encode(text).ids)
    words = []
    for line in lines:
        if count(line) == tokens:
            return line
        words += line.split()
        while count(" ".join(words)) > tokens:
            words.pop()
        if count(" ".join(words)) == tokens:
            return " ".join(words)
    raise RuntimeError(f"no text of {tokens} tokens")


def embed(options, lines):
    """Texts to vectors, the whole file at once."""
    lines = sample(lines, options.texts)
    few = sample(lines, max(1, len(lines) // 10))
    tokenize = tokenizer()
    tokens = lambda texts: sum(len(e.ids) for e in tokenize.encode_batch(texts))
    work, little = tokens(lines), tokens(few)
    names = ("onnxruntime", "openvino", "sentence-transformers", "one-by-one")
    rates = {name: [] for name in ("ours", *names)}
    limits = []
    with tempfile.TemporaryDirectory() as folder, peers(*names) as running:
        path = pathlib.Path(folder) / "texts.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = contestants.embed_command(str(path), f"{folder}/vectors.npy")

        def run():
            start = time.perf_counter()
            subprocess.run(command, env=contestants.CLEAN, check=True, stderr=subprocess.DEVNULL)
            return time.perf_counter() - start

        run()
        agree(f"{folder}/vectors.npy", lines, running)
        for _ in range(options.rounds):
            rates["ours"].append(work / run())
            for peer in running:
                texts, count = (few, little) if peer.name == "one-by-one" else (lines, work)
                rates[peer.name].append(count / peer.ask(do="batch", texts=texts))
            limits.append(bench("limit")["limit"]["sgemm_all_cores"]["median"])
    mine = median(rates["ours"])
    rows = [(name, f"{median(values):,.0f}", f"{mine / median(values):.2f}") for name, values in rates.items()]
    table(f"{len(lines):,} texts, {work:,} tokens: tokens a second", ("", "tokens/s", "ours is faster by"), rows)
    part = mine * MEGAFLOP / 1000 / median(limits)
    print(f"\nLarge products on all cores in the same rounds: {median(limits):.0f} GFLOP/s; "
          f"`denoiser embed`, start included, reaches {part:.2f} of that.")


def agree(path, lines, running):
    """Stops where the contestants do not compute the same vectors."""
    import numpy as np

    mine = np.load(path)
    for peer in running:
        theirs = np.array(peer.ask(do="check", texts=lines[:20]))
        worst = float(np.abs(mine[:20] - theirs).max())
        if not worst < 1e-4:
            raise RuntimeError(f"{peer.name} differs from ours by {worst}")


def latency(options, lines):
    """One text at a time, one client."""
    texts = {f"{n} tokens": text_of(n, lines) for n in (8, 128)}
    rows = []
    with contestants.ours() as mine, contestants.original() as (theirs, process), peers("onnxruntime") as (runtime,):
        with contextlib.closing(load.Client(mine)) as we, contextlib.closing(load.Client(theirs)) as they:
            for name, text in texts.items():
                request = load.request("/denoise/text", {"texts": [text]})
                spent = {"ours": [], "original": [], "onnxruntime": []}
                for _ in range(options.rounds + 1):
                    spent["ours"].append(median(we.post(request)[0] for _ in range(100)))
                    with contestants.turn(process):
                        spent["original"].append(median(they.post(request)[0] for _ in range(15)))
                    spent["onnxruntime"].append(median(runtime.ask(do="one", text=text, times=100)))
                # The first round warms up.
                ours, original, graph = (median(values[1:]) * 1000 for values in spent.values())
                rows.append((name, f"{ours:.2f}", f"{original:.2f}", f"{original / ours:.1f}",
                             f"{graph:.2f}", f"{ours / graph:.2f}"))
    table("One text, one client, ms (ours through nginx, ONNX Runtime in process)",
          ("", "ours", "original", "original / ours", "ONNX Runtime", "ours / ONNX Runtime"), rows)


def clients(options, lines):
    """32 clients with short texts."""
    short = [{"texts": [line]} for line in lines if 8 <= len(line) <= 50 and line.isascii()][:64]
    results = {"ours": [], "original": []}
    with contestants.ours() as mine, contestants.original() as (theirs, process):
        for _ in range(options.rounds):
            results["ours"].append(load.crowd(mine, "/denoise/text", short, 32, 5))
            with contestants.turn(process):
                results["original"].append(load.crowd(theirs, "/denoise/text", short, 32, 5))
    found = []
    rates = {name: median(r["requests"] / r["seconds"] for r in rounds) for name, rounds in results.items()}
    for name, rounds in results.items():
        p50, p99 = (median(r[key] for r in rounds) for key in ("p50", "p99"))
        found.append((name, f"{rates[name]:,.0f}", f"{p50:.1f}", f"{p99:.1f}", f"{p99 / p50:.2f}",
                      sum(r["errors"] for r in rounds), f"{rates['ours'] / rates[name]:.1f}"))
    table("32 clients, short texts", ("", "requests/s", "p50 ms", "p99 ms", "p99 / p50", "errors",
                                      "ours is faster by"), found)


def rows(options, lines):
    """Embeddings in, embeddings out."""
    import numpy as np

    lists = np.random.default_rng(1).normal(0, 0.05, (1000, 384)).astype(np.float32).tolist()
    found = []
    with contestants.ours() as mine, contestants.original() as (theirs, process):
        with contextlib.closing(load.Client(mine)) as we, contextlib.closing(load.Client(theirs)) as they:
            for count, times in ((1, 200), (100, 20), (1000, 5)):
                request = load.request("/denoise/embedding", {"embeddings": lists[:count]})
                unanswered = load.request("/nginx-alone", {"embeddings": lists[:count]})
                spent, length, alone = {we: [], they: []}, 0, []
                for _ in range(options.rounds + 1):
                    answers = [we.post(request) for _ in range(times)]
                    spent[we].append(median(seconds for seconds, _ in answers))
                    length = answers[0][1]
                    alone.append(median(we.post(unanswered)[0] for _ in range(times)))
                    with contestants.turn(process):
                        spent[they].append(median(they.post(request)[0] for _ in range(max(1, times // 5))))
                ours, original = (median(values[1:]) for values in spent.values())
                megabytes = (len(request) + length) * 1e-6
                found.append((f"{count:,}", f"{ours * 1000:.2f}", f"{original * 1000:.2f}",
                              f"{original / ours:.1f}", f"{megabytes / ours:.0f}", f"{median(alone[1:]) * 1000:.2f}"))
    table("Rows of 384 numbers, one client, through nginx",
          ("rows", "ours ms", "original ms", "ours is faster by", "ours, MB/s in and out",
           "nginx alone, answering 200 by itself, ms"), found)


def start(options, lines):
    """From exec to the first answer, with the files in the page cache, and memory then."""
    request = load.request("/denoise/text", {"texts": [text_of(8, lines)]})
    found = {"ours": [], "original": []}
    for _ in range(options.rounds):
        with contestants.nginx(processes=2) as server:
            begun = time.perf_counter()
            first = server.start()
            seconds = first_answer(server.port, request, begun)
            time.sleep(0.5)
            alone = contestants.memory(first.pid)
            second = server.start()
            time.sleep(1)
            for _ in range(4):  # the two take turns
                first_answer(server.port, request, 0)
            both = [contestants.memory(pid) for pid in (first.pid, second.pid)]
            more = sum(m["proportional"] for m in both) - alone["proportional"]
            found["ours"].append((seconds, alone["private"], alone["resident"], more))
        port = service.free_port()
        begun = time.perf_counter()
        process = contestants.start_original(port, subprocess.DEVNULL)
        try:
            seconds = first_answer(port, request, begun)
            time.sleep(0.5)
            memory = contestants.memory(process.pid)
            found["original"].append((seconds, memory["private"], memory["resident"], math.nan))
        finally:
            service.stop(process)
    lines = []
    for name, values in found.items():
        seconds, private, resident, more = (median(column) for column in zip(*values))
        lines.append((name, f"{seconds * 1000:,.0f}", f"{private:,.0f}", f"{resident:,.0f}",
                      "" if math.isnan(more) else f"{more:,.0f}"))
    table("Cold start", ("", "exec to first answer, ms", "private MB", "resident MB",
                         "MB more with a second process"), lines)


def first_answer(port, request, begun):
    while True:
        try:
            with contextlib.closing(load.Client(port)) as client:
                client.post(request)
                return time.perf_counter() - begun
        except (OSError, RuntimeError):
            time.sleep(0.001)
            if time.perf_counter() - begun > 300 and begun:
                raise


def training(options, lines):
    """An optimiser's step on a batch of 32."""
    ours, theirs = [], []
    with peers("training") as (peer,):
        peer.ask(do="step", times=100)
        for _ in range(options.rounds):
            ours.append(bench("training")["training"]["step on two"]["median"])
            theirs.append(peer.ask(do="step", times=500) / 500 * 1e6)
    table("A training step", ("", "µs", "ours is faster by"), [
        ("ours", f"{median(ours):.0f}", "1.0"),
        ("PyTorch with a DataLoader", f"{median(theirs):.0f}", f"{median(theirs) / median(ours):.1f}")])


def openai(options, lines):
    """A short text by two routes, and what printing 1,000 vectors takes in each format."""
    def ask(connection, path, value):
        start = time.perf_counter()
        connection.request("POST", path, json.dumps(value), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        printing = re.search(r"print;dur=([\d.]+)", answer.headers["server-timing"])
        return time.perf_counter() - start, float(printing.group(1))

    model = "all-MiniLM-L6-v2"
    short = {"/denoise/text": {"texts": ["hello world"]}, "/v1/embeddings": {"model": model, "input": "hello world"}}
    many = [f"word {number}" for number in range(1000)]
    seconds, printing = {path: [] for path in short}, {"float": [], "base64": []}
    with contestants.ours() as port, contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        for _ in range(options.rounds + 1):
            for path, value in short.items():
                seconds[path].append(median(ask(connection, path, value)[0] for _ in range(100)))
            for form, found in printing.items():
                value = {"model": model, "input": many, "encoding_format": form}
                found.append(ask(connection, "/v1/embeddings", value)[1])
    table("One short text through nginx", ["route", "ms"],
          [(f"`{path}`", f"{median(values[1:]) * 1000:.2f}") for path, values in seconds.items()])
    table("1,000 vectors printed", ["format", "ms"],
          [(form, f"{median(values[1:]):.2f}") for form, values in printing.items()])


SECTIONS = {section.__name__: section for section in (embed, latency, clients, rows, start, training, openai)}
SECTIONS["growth"] = lambda options, lines: growth.tables(options.rounds, lines, table, text_of)

SECTIONS["stream"] = lambda options, lines: stream.tables(options, lines, table)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown processor"


def main():
    parser = argparse.ArgumentParser(description=__doc__, prog="Tests/Benchmarks/run")
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument("--texts", type=int, default=4000, help="texts of sections embed and stream (default 4000)")
    parser.add_argument("--before", metavar="EXECUTABLE", help="an older build, which section stream compares with")
    options = parser.parse_args()
    for name in options.sections:
        if name not in SECTIONS:
            parser.error(f"there is no section {name!r}; there are {', '.join(SECTIONS)}")
    if options.rounds < 1 or options.texts < 1:
        parser.error("--rounds and --texts start at 1")
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores, {datetime.date.today()}, "
          f"medians of {options.rounds} rounds: `Tests/Benchmarks/run {' '.join(sys.argv[1:])}`")
    subprocess.run([sys.executable, str(HERE / "models.py"), str(contestants.ENCODER), str(contestants.MODELS)],
                   check=True, stderr=subprocess.DEVNULL)
    lines = [line for line in (HERE / "mixed4k.txt").read_text(encoding="utf-8").split("\n") if line.strip()]
    for name in options.sections or SECTIONS:
        SECTIONS[name](options, lines)


if __name__ == "__main__":
    main()
