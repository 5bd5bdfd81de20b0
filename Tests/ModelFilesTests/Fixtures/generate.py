"""Makes the fixtures of this folder with real PyTorch and safetensors, and checks ours with them.

    python generate.py          write the fixtures and expected.json
    python generate.py --check  read written.pt and written.safetensors, which are this project's own

`embedding_denoiser.pt` is a model saved by the original application; it is only described.
"""

import hashlib
import io
import json
import os
import pickle
import sys
import zipfile
from collections import OrderedDict

import torch
from safetensors import safe_open
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, name)


def describe(tensors):
    return [
        {
            "name": name,
            "shape": list(tensor.shape),
            "sha256": hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest(),
        }
        for name, tensor in tensors.items()
    ]


def repacked(data, root, keep=lambda name: True, compression=zipfile.ZIP_STORED, zip64=False):
    """The same entries in a zip file by Python, under another root folder."""
    source = zipfile.ZipFile(io.BytesIO(data))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for item in source.infolist():
            name = item.filename.split("/", 1)[1]
            if not keep(name):
                continue
            info = zipfile.ZipInfo(f"{root}/{name}")
            info.compress_type = compression
            with archive.open(info, "w", force_zip64=zip64) as entry:
                entry.write(source.read(item))
    return target.getvalue()


def saved(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


class Denoiser(torch.nn.Module):
    """The original's layers, at the size asked for."""

    def __init__(self, width, inner, code):
        super().__init__()
        nn = torch.nn
        self.encoder = nn.Sequential(
            nn.Linear(width, inner), nn.ReLU(), nn.Linear(inner, code), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.Linear(code, inner), nn.ReLU(), nn.Linear(inner, width))


class System:
    """Runs a command when it is unpickled by Python."""

    def __reduce__(self):
        return os.system, ("echo executed > executed.txt",)


def generate():
    torch.manual_seed(1)
    state = Denoiser(6, 4, 3).state_dict()
    checkpoint = {"model_state_dict": state, "embedding_dim": 6}
    small = saved(checkpoint)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    strided = OrderedDict(
        whole=base, transposed=base.t(), rows=base[1:3], column=base[:, 2],
        single=base[:1].t(), scalar=torch.tensor(0.5), empty=torch.zeros(0, 3))
    extras = dict(
        checkpoint, epoch=3, losses=[0.5, 0.25], best=None, done=True, big=1 << 40,
        note="Größe 歡迎", optimizer_state_dict={
            "state": {0: {"step": torch.tensor(1, dtype=torch.int64)}},
            "param_groups": [{"lr": 0.001, "betas": (0.9, 0.999), "params": [0]}]})
    essential = lambda name: name == "data.pkl" or name == "version" or name.startswith("data/")

    files = {
        "small.pt": (small, state, 6),
        "protocol4.pt": (saved(checkpoint, pickle_protocol=4), state, 6),
        "oldest.pt": (repacked(small, "archive", essential), state, 6),
        "zip64.pt": (repacked(small, "archive", zip64=True), state, 6),
        "bare.pt": (saved(state), state, None),
        "strided.pt": (saved({"model_state_dict": strided, "embedding_dim": 6}), strided, 6),
        "extras.pt": (saved(extras), state, 6),
    }
    expected = {}
    for name, (data, tensors, dimension) in files.items():
        with open(path(name), "wb") as file:
            file.write(data)
        expected[name] = {"tensors": describe(tensors), "embedding_dim": dimension}

    reference = torch.load(path("embedding_denoiser.pt"), map_location="cpu")
    expected["embedding_denoiser.pt"] = {
        "tensors": describe(reference["model_state_dict"]),
        "embedding_dim": reference["embedding_dim"],
    }

    save_file(dict(state), path("small.safetensors"), {"format": "pt", "note": "Größe\n歡迎"})
    with safe_open(path("small.safetensors"), "pt") as file:
        # The library orders tensors by type and name.
        expected["small.safetensors"] = {
            "tensors": describe({name: file.get_tensor(name) for name in sorted(file.keys())}),
            "embedding_dim": None,
        }

    refused = {
        "double.pt": saved({"model_state_dict": Denoiser(6, 4, 3).double().state_dict()}),
        "parameter.pt": saved({"model_state_dict": {"a": torch.nn.Parameter(base)}}),
        "module.pt": saved({"model_state_dict": torch.nn.Linear(2, 2)}),
        "system.pt": saved({"model_state_dict": state, "embedding_dim": System()}),
        "system4.pt": saved(
            {"model_state_dict": state, "embedding_dim": System()}, pickle_protocol=4),
        "compressed.pt": repacked(small, "archive", compression=zipfile.ZIP_DEFLATED),
        "legacy.pt": saved(checkpoint, _use_new_zipfile_serialization=False),
        "plain.pkl": pickle.dumps({"model_state_dict": None}),
        "negative.pt": saved({"model_state_dict": {"a": torch._neg_view(base)}}),
    }
    for name, data in refused.items():
        with open(path(name), "wb") as file:
            file.write(data)
    with open(path("expected.json"), "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


def check():
    """written.* must hold a.weight[2, 3] = 0, 1/8 … 5/8 and a.bias[2] = -0.0, 1e-45."""
    weight = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 8
    bias = torch.tensor([-0.0, 1e-45])
    options = [{}, {"weights_only": True}, {"weights_only": False}, {"mmap": True}]
    for option in options:
        loaded = torch.load(path("written.pt"), map_location="cpu", **option)
        state = loaded["model_state_dict"]
        assert list(state) == ["a.weight", "a.bias"], list(state)
        assert state["a.weight"].numpy().tobytes() == weight.numpy().tobytes()
        assert state["a.bias"].numpy().tobytes() == bias.numpy().tobytes()
        assert loaded["embedding_dim"] == 3
        assert json.loads(loaded["metadata"])["report"] == '{"loss":0.5,"note":"歡迎"}'
    with safe_open(path("written.safetensors"), "pt") as file:
        assert file.get_tensor("a.weight").numpy().tobytes() == weight.numpy().tobytes()
        assert file.get_tensor("a.bias").numpy().tobytes() == bias.numpy().tobytes()
        assert file.metadata()["report"] == '{"loss":0.5,"note":"歡迎"}'
    print("PyTorch", torch.__version__, "reads both files bit for bit")


check() if "--check" in sys.argv else generate()
