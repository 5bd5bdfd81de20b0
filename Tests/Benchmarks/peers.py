"""One peer in a process of its own: reads a JSON command a line, answers with seconds.

{"do": "batch", "texts": [...]}            all texts, from text to vectors
{"do": "one", "text": "...", "times": n}   one text, n times
{"do": "step", "times": n}                 n optimiser steps
{"do": "check", "texts": [...]}            the vectors, to see that the peers compute the same
"""
import json
import pathlib
import sys
import time

import numpy as np

from models import TOKEN_LIMIT

THREADS = 2
BATCH = 32


class Graph:
    """Batches of 32, sorted by length so that little is padded, as users of such engines do."""

    def __init__(self, models):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(models / "sentence-transformer/tokenizer.json"))
        self.tokenizer.enable_truncation(TOKEN_LIMIT)
        self.tokenizer.no_padding()
        self.model = str(models / "encoder.onnx")

    def encode(self, texts):
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = np.empty((len(ids), 384), np.float32)
        for start in range(0, len(order), BATCH):
            part = order[start:start + BATCH]
            padded = np.zeros((len(part), len(ids[part[0]])), np.int64)
            mask = np.zeros_like(padded)
            for row, i in enumerate(part):
                padded[row, :len(ids[i])] = ids[i]
                mask[row, :len(ids[i])] = 1
            vectors[part] = self.run(padded, mask)
        return vectors

    def one(self, text):
        ids = np.array([self.tokenizer.encode(text).ids], np.int64)
        return self.run(ids, np.ones_like(ids))


class ONNXRuntime(Graph):
    def __init__(self, models):
        import onnxruntime

        super().__init__(models)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def run(self, ids, mask):
        return self.session.run(None, {"ids": ids, "mask": mask})[0]


class OpenVINO(Graph):
    def __init__(self, models):
        import openvino

        super().__init__(models)
        self.session = openvino.Core().compile_model(self.model, "CPU", {
            "INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32"})

    def run(self, ids, mask):
        return self.session([ids, mask])[0]


class SentenceTransformers:
    def __init__(self, models):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self.model = SentenceTransformer(str(models / "sentence-transformer"), device="cpu")

    def encode(self, texts):
        return self.model.encode(texts, batch_size=BATCH, show_progress_bar=False)

    def one(self, text):
        return self.model.encode(text, show_progress_bar=False)


class OneByOne(SentenceTransformers):
    def encode(self, texts):
        return np.array([self.one(text) for text in texts])


class Training:
    """The original's training loop: 2,000 rows, a DataLoader with batches of 32, Adam."""

    def __init__(self, models):
        import torch
        from torch import nn
        from torch.utils.data import DataLoader, TensorDataset

        torch.set_num_threads(THREADS)
        clean = nn.functional.normalize(torch.randn(2000, 384), dim=1)
        self.loader = DataLoader(
            TensorDataset(clean + 0.1 * torch.randn_like(clean), clean), batch_size=BATCH, shuffle=True)
        self.model = nn.Sequential(
            nn.Linear(384, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(),
            nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 384))
        self.adam = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.error = nn.MSELoss()

    def step(self, times):
        done = 0
        while done < times:
            for noisy, clean in self.loader:
                self.adam.zero_grad()
                loss = self.error(self.model(noisy), clean)
                loss.backward()
                self.adam.step()
                loss.item()
                done += 1
                if done == times:
                    break


PEERS = {
    "onnxruntime": ONNXRuntime, "openvino": OpenVINO, "sentence-transformers": SentenceTransformers,
    "one-by-one": OneByOne, "training": Training,
}


def measured(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def answer(peer, command):
    match command["do"]:
        case "batch": return measured(lambda: peer.encode(command["texts"]))
        case "one": return [measured(lambda: peer.one(command["text"])) for _ in range(command["times"])]
        case "step": return measured(lambda: peer.step(command["times"]))
        case "check": return np.asarray(peer.encode(command["texts"])).tolist()


def main(name, models):
    replies = sys.stdout
    sys.stdout = sys.stderr
    peer = PEERS[name](pathlib.Path(models))
    print(json.dumps("ready"), file=replies, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(peer, json.loads(line))), file=replies, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
