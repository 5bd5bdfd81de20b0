"""Requests that ask for a known amount of work, and how to send one beside a test."""
import concurrent.futures

# Some seconds of work: more than any stop here leaves time for, less than what is given up as hopeless.
ENDLESS = {"texts": [f"{'long text ' * 200}{i}" for i in range(160)]}
# Minutes of work, more than any deadline here.
LONG = {"texts": [" ".join(f"word{i} {j}" for j in range(200)) for i in range(2000)]}


def rows(count):
    return {"embeddings": [[0.01] * 384] * count}


def in_background(work, *arguments, **options):
    return concurrent.futures.ThreadPoolExecutor(1).submit(work, *arguments, **options)
