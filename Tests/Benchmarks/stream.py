"""Short lines through `denoiser embed` as a filter, beside the same lines as a file."""
import itertools
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import contestants


def tables(options, lines, table):
    short = [line for line in lines if 8 <= len(line) <= 50 and line.isascii()]
    texts = list(itertools.islice(itertools.cycle(short), options.texts))
    whole = options.before or str(contestants.service.BINARY)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "texts"
        path.write_text("\n".join(texts) + "\n")
        ways = {
            "a file" + (", by the build before" if options.before else ""): lambda: run(whole, ["--input", str(path)]),
            "a file, ours": lambda: run(contestants.service.BINARY, ["--input", str(path)]),
            "a pipe": lambda: run(contestants.service.BINARY, [], path),
            "a pipe, base64": lambda: run(contestants.service.BINARY, ["--format", "base64"], path),
        }
        if not options.before:
            del ways["a file, ours"]
        found = {name: [] for name in ways}
        for index in range(options.rounds + 1):
            # Forwards and backwards: a machine that slows down treats all alike.
            for name in list(ways)[::1 if index % 2 else -1]:
                found[name].append(ways[name]())
    rows, first = [], list(found.values())[0][1:]
    for name, values in found.items():
        # The first round warms up.
        values = values[1:]
        wall, work = (statistics.median(f[i] / v[i] for f, v in zip(first, values)) for i in (0, 1))
        rows.append((name, f"{len(texts) / statistics.median(v[0] for v in values):,.0f}", f"{wall:.3f}", f"{work:.3f}",
                     f"{max(v[2] for v in values) / 1024:.0f}"))
    table(f"{len(texts):,} short lines through embed",
          ("", "lines/s", "rate / first", "the same by processor time", "largest memory, MiB"), rows)


def run(executable, arguments, piped=None):
    """Seconds, processor seconds and KiB of a run that must end well."""
    feeder = subprocess.Popen(["cat", piped], stdout=subprocess.PIPE) if piped else None
    begun = time.perf_counter()
    process = subprocess.Popen(
        [str(executable), "embed", "--encoder", str(contestants.ENCODER), *arguments], env=contestants.CLEAN,
        stdin=feeder.stdout if feeder else subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if feeder:
        feeder.stdout.close()
        feeder.wait()
    if status != 0:
        raise RuntimeError(f"{executable} embed: status {status}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss
