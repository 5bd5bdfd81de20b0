"""How our cost grows with what is asked."""
import contextlib
import math
import statistics

import contestants
import load

LIMITS = (
    "--texts", "100000", "--rows", "100000", "--body-bytes", "1000000000", "--request-deadline", "600")


def tables(rounds, lines, table, text_of):
    import numpy as np

    short = [line for line in lines if 20 <= len(line) <= 60][:500]
    with contestants.ours(*LIMITS) as port:
        series(port, rounds, table, "texts", [
            (n, "/denoise/text", {"texts": (short * (n // len(short) + 1))[:n]})
            for n in (1, 10, 100, 1000, 10_000)])
        series(port, rounds, table, "tokens of one text", [
            (n, "/denoise/text", {"texts": [text_of(n, lines)]}) for n in (8, 16, 32, 64, 128, 256)])
        values = np.random.default_rng(1).normal(0, 0.05, (10_000, 384)).astype(np.float32).round(8).tolist()
        series(port, rounds, table, "rows of numbers", [
            (n, "/denoise/embedding", {"embeddings": values[:n]}) for n in (1, 10, 100, 1000, 10_000)])
        bodies = [{"texts": [text]} for text in short[:64]]
        crowds(rounds, table, "clients", ((n, port, n) for n in (1, 4, 16, 64, 256)), bodies)

    def processes():
        for n in (1, 2, 4):
            with contestants.ours(*LIMITS, processes=n) as port:
                yield n, port, 32

    crowds(rounds, table, "processes, 32 clients", processes(), bodies)


def series(port, rounds, table, name, points):
    """Median milliseconds of each point, and the exponent of growth from the one before."""
    found, before = [], None
    with contextlib.closing(load.Client(port)) as client:
        for size, path, value in points:
            request = load.request(path, value)
            client.post(request)
            times = 1 if size >= 1000 else 10
            spent = [statistics.median(client.post(request)[0] for _ in range(times)) for _ in range(rounds)]
            now = statistics.median(spent) * 1000
            slope = math.log(now / before[1]) / math.log(size / before[0]) if before else math.nan
            found.append((f"{size:,}", f"{now:.2f}", f"{now / size:.3f}", f"{slope:.2f}" if before else ""))
            before = size, now
    table(f"Growth with {name}", (name, "ms", "ms for each", "exponent"), found)


def crowds(rounds, table, name, points, bodies):
    found = []
    for size, port, clients in points:
        results = [load.crowd(port, "/denoise/text", bodies, clients, 2) for _ in range(rounds)]
        column = lambda of: statistics.median(of(result) for result in results)
        found.append((size, f"{column(lambda r: r['requests'] / r['seconds']):,.0f}",
                      f"{column(lambda r: r['p50']):.1f}", f"{column(lambda r: r['p99']):.1f}",
                      sum(r["errors"] for r in results)))
    table(f"Growth with {name}", (name, "requests/s", "p50 ms", "p99 ms", "errors"), found)
