"""Makes the fixtures of this folder with real PyTorch and safetensors, and checks ours with them.

    python generate.py          write the fixtures and expected.json
    python generate.py --check  read written.pt and written.safetensors, which are this project's own

`embedding_denoiser.pt` is a model saved by the original application; it is only described.
"""

import argparse
import collections
import datetime
import hashlib
import io
import json
import os
import pathlib
import pickle
import struct
import sys
import zipfile
import zlib
from collections import OrderedDict

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, name)


def copied(tensor):
    """What `load_state_dict` makes of a tensor in a parameter of type float32."""
    return torch.empty(tensor.shape).copy_(tensor.detach())


def describe(tensors):
    return [
        {
            "name": name,
            "shape": list(tensor.shape),
            "sha256": hashlib.sha256(copied(tensor).numpy().tobytes()).hexdigest(),
        }
        for name, tensor in tensors.items()
    ]


def repacked(data, root, keep=lambda name: True, compression=zipfile.ZIP_STORED, zip64=False,
             edit=lambda name, content: content):
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
                entry.write(edit(name, source.read(item)))
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


class Called:
    """Is pickled as the call of a function that PyTorch knows."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def numbers(kind):
    """Numbers of a type: all patterns of one byte, else edges, ties and a random choice; no NaN."""
    width = kind.itemsize
    if width == 1:
        patterns = torch.arange(256, dtype=torch.uint8)
    else:
        patterns = torch.randint(0, 256, (96 * width,), dtype=torch.uint8)
    if kind == torch.bool:
        return torch.tensor([True, False])
    values = patterns.view(kind)
    if kind.is_floating_point or kind.is_complex:
        edges = [0.0, -0.0, 1.0, 1 + 2**-24, 1 + 3 * 2**-24, 1 + 2**-24 + 2**-50, 16777217.0, 0.1,
                 3.4028235677973366e38, 3.5e38, -1e300, 1e-45, 7.006e-46, 7.007e-46, 2**-149, 2**-150,
                 2**-150 + 2**-190, 65504, 65520, 6e-8, 2.0**-24, 2.0**-25, float("inf")]
        if width > 1:
            values = torch.cat([values, torch.tensor(edges, dtype=torch.float64).to(kind)])
    elif width > 2:
        edges = [2**24 + 1, 2**24 + 3, 2**31 - 1, 2**31 - 65]
        if width > 4:
            edges += [2**53 + 1, 2**62 + 2**38, 2**62 + 2**38 + 1, 2**62 + 3 * 2**38, 2**63 - 1]
        values = torch.cat([values, torch.tensor(edges, dtype=torch.int64).to(kind)])
    return values[~copied(values).isnan()]


KINDS = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn,
    torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16,
    torch.uint8, torch.bool, torch.complex128, torch.complex64, torch.complex32]


def name_of(kind):
    return str(kind).removeprefix("torch.")


def with_note(tensor):
    tensor.note = "an attribute"
    return tensor


def swapped(data):
    """A file as a machine of the other byte order writes it, with the types of `pickle_types`."""
    reference = torch.load(io.BytesIO(data))["model_state_dict"]
    widths = {}
    for index, tensor in enumerate(reference.values()):
        kind = tensor.dtype
        stored_by_type = kind in torch.storage._dtype_to_storage_type_map()
        widths[f"data/{index}"] = (
            1 if not stored_by_type else kind.itemsize // (2 if kind.is_complex else 1))

    def edit(name, content):
        if name == "byteorder":
            return b"big"
        if width := widths.get(name):
            return numpy.frombuffer(content, f"V{width}").astype(f"V{width}").view(
                numpy.uint8).reshape(-1, width)[:, ::-1].tobytes()
        return content
    return repacked(data, "archive", edit=edit)


class ViewPickler(pickle.Pickler):
    """Names storages as PyTorch 0.3 did, with views of a part of them."""

    def __init__(self, file, views):
        super().__init__(file, 2)
        self.views = views

    def persistent_id(self, value):
        if isinstance(value, str) and value in self.views:
            root, count, view = self.views[value]
            return "storage", torch.FloatStorage, root, "cpu", count, view
        return None


def viewed():
    """A file of the old format with two views of one storage, and one storage without a view."""
    shared = torch.arange(12, dtype=torch.float32) / 8
    alone = torch.arange(4, dtype=torch.float32) / 16
    views = {"first": ("7", 12, ("8", 0, 6)), "second": ("7", 12, ("9", 4, 8)),
             "alone": ("18446744073709551615", 4, None)}
    tensor = lambda storage, *rest: Called(torch._utils._rebuild_tensor, storage, *rest)
    state = {"a": tensor("first", 1, (2, 2), (2, 1)), "b": tensor("second", 2, (3, 2), (1, 3)),
             "c": tensor("alone", 0, (4,), (1,))}
    file = io.BytesIO()
    for header in [torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION,
                   {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}]:
        pickle.dump(header, file, 2)
    ViewPickler(file, views).dump({"model_state_dict": state, "embedding_dim": 6})
    pickle.dump(["18446744073709551615", "7"], file, 2)
    for storage in [alone, shared]:
        file.write(struct.pack("<q", len(storage)) + storage.numpy().tobytes())
    return file.getvalue()


def compressed(data, level, strategy=zlib.Z_DEFAULT_STRATEGY):
    """The same entries, compressed in the way asked for."""
    make = zipfile._get_compressor
    zipfile._get_compressor = lambda *_: zlib.compressobj(
        level, zlib.DEFLATED, -15, 9, strategy)
    try:
        return repacked(data, "archive", compression=zipfile.ZIP_DEFLATED)
    finally:
        zipfile._get_compressor = make


def repeats():
    """Numbers that compress into copies over short and long distances, of all lengths."""
    values = torch.zeros(60_000)
    block = torch.rand(70)
    for index, distance in enumerate([70, 71, 90, 130, 200, 500, 900, 1500, 3000, 5000, 7000, 8100]):
        at = 4500 * index
        for place in at, at + distance:
            values[place:place + 70] = block
    values[-500:] = torch.arange(500) % 3
    return values


def generate_what_loads(state, small, checkpoint):
    """Files that `torch.load` reads and `load_state_dict` takes, from what PyTorch says is in them."""
    kinds = OrderedDict((name_of(kind), numbers(kind)) for kind in KINDS)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    double = torch.arange(24, dtype=torch.float64) / 7
    views = OrderedDict(
        expanded=torch.tensor([[1.5], [2.5]]).expand(2, 3), scalar=torch.tensor(7.0).expand(2, 2),
        first=base[0], rest=base[1:], again=base, overlapping=base.as_strided((3, 4), (2, 1), 3),
        negative=torch._neg_view(base), half=double.half()[3:9].reshape(2, 3).t(),
        every=double[::5], negated=torch._neg_view(double[:4]), empty=double[:0],
        imaginary=torch.complex(base, base + 100).conj().t(),
        # A stride of a dimension of 1 may be any number.
        far=torch.as_strided(base, (1, 2), (2**60, 1), 5))
    attributes = OrderedDict(
        parameter=torch.nn.Parameter(base.clone()),
        frozen=torch.nn.Parameter(base.half(), requires_grad=False),
        noted=with_note(torch.nn.Parameter(base.clone() + 1)),
        tensor=with_note(base.clone() + 2), buffer=torch.nn.Buffer(base.bfloat16() + 3),
        notedBuffer=with_note(torch.nn.Buffer(base.clone() + 4)))
    forms = OrderedDict(
        oldest=Called(torch._utils._rebuild_tensor, base._typed_storage(), 6, (2, 3), (6, 2)),
        processor=Called(torch._utils._rebuild_device_tensor_from_cpu_tensor, base.bfloat16(),
                         torch.bfloat16, "cpu", False),
        wrapped=Called(torch.nn.Parameter, base.clone() + 1, False))
    sides = dict(
        checkpoint, device=torch.device("cpu"), kind=torch.float16, newer=torch.float8_e5m2,
        size=torch.Size([2, 3]), names={"a", "b"}, counts=collections.Counter("abca"),
        raw=b"bytes", more=bytearray(b"more"), none=None, complex=1 + 2j, layout=None,
        big=1 << 200, negative=-(1 << 63), loss=float("nan"), text="歡迎\U0001F600",
        sparse=torch.eye(3).to_sparse(), rows=torch.eye(3).to_sparse_csr(),
        quantised=torch.quantize_per_tensor(base, 0.1, 0, torch.qint8),
        meta=torch.empty(3, device="meta"), types=[torch.zeros(2, dtype=kind) for kind in KINDS],
        optimizer_state_dict=torch.optim.Adam([torch.nn.Parameter(base)]).state_dict(),
        keys={1: 2, 2.5: 3, None: 4, (1, 2): 5, True: 6, b"k": 7}, config=None)
    sides["itself"] = sides["keys"]
    sides["keys"]["itself"] = sides["keys"]
    ordered = OrderedDict(a=1)
    ordered.attribute = "kept in __dict__"
    sides["ordered"] = ordered
    # weights_only=True refuses these; nothing has to be executed to leave them aside.
    plain = dict(
        sides, loss=numpy.float64(0.01), epoch=numpy.int64(3), array=numpy.arange(6.0),
        scalar=numpy.bool_(True), type=numpy.dtype("f4"), frozen=frozenset([1]),
        default=collections.defaultdict(list, a=[1]), queue=collections.deque([1, 2]),
        version=torch.__version__, when=datetime.datetime(2026, 1, 2, 3, 4),
        took=datetime.timedelta(seconds=3), path=pathlib.PurePosixPath("a/b"),
        options=argparse.Namespace(epochs=3, lr=0.1), part=slice(1, 2), span=range(3))
    pairs = {"model_state_dict": Called(OrderedDict, [[k, v] for k, v in state.items()]),
             "embedding_dim": 6}
    wrap = lambda tensors: {"model_state_dict": tensors, "embedding_dim": 6}
    halved = wrap(OrderedDict((name, tensor.half()) for name, tensor in state.items()))
    legacy = dict(_use_new_zipfile_serialization=False)
    old = dict(kinds)
    for kind in KINDS:
        if kind not in torch.storage._dtype_to_storage_type_map() or kind == torch.complex32:
            del old[name_of(kind)]
    swappable = saved(wrap(dict(kinds)))
    return {
        "half.pt": saved(halved),
        "double.pt": saved(wrap(Denoiser(6, 4, 3).double().state_dict())),
        "types.pt": saved(wrap(kinds)),
        "types_big.pt": swapped(swappable),
        "types_legacy.pt": saved(wrap(old), **legacy),
        "views.pt": saved(wrap(views)),
        "views_legacy.pt": saved(wrap({k: v for k, v in views.items()}), **legacy),
        "parameter.pt": saved(wrap(attributes)),
        "parameter5.pt": saved(wrap(attributes), pickle_protocol=5),
        "forms.pt": saved(wrap(forms)),
        "pairs.pt": saved(pairs),
        "sides.pt": saved(sides),
        "sides_plain.pt": saved(plain),
        "sides_plain5.pt": saved(plain, pickle_protocol=5),
        "sides_legacy3.pt": saved(dict(sides, types=[]), pickle_protocol=3, **legacy),
        "negative.pt": saved(wrap({"a": torch._neg_view(base)})),
        "legacy.pt": saved(checkpoint, **legacy),
        "legacy4.pt": saved(checkpoint, pickle_protocol=4, **legacy),
        "legacy_views.pt": viewed(),
        "compressed.pt": repacked(small, "archive", compression=zipfile.ZIP_DEFLATED),
        "compressed_fixed.pt": compressed(small, 9, zlib.Z_FIXED),
        "compressed_blocks.pt": compressed(small, 0),
        "compressed_long.pt": compressed(saved(wrap({"a": repeats()})), 9),
        "compressed_zip64.pt": repacked(
            small, "archive", compression=zipfile.ZIP_DEFLATED, zip64=True),
    }


# Read with weights_only=False: other protocols, and what else that refuses.
UNRESTRICTED = {"protocol4.pt", "parameter5.pt", "sides_plain.pt", "sides_plain5.pt",
                "sides_legacy3.pt", "legacy4.pt"}


def loaded(name, data):
    """The state dict that PyTorch reads, and `embedding_dim`."""
    value = torch.load(
        io.BytesIO(data), map_location="cpu", weights_only=name not in UNRESTRICTED)
    return value["model_state_dict"], value["embedding_dim"]


def script():
    module = torch.nn.Linear(2, 2)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(module, torch.zeros(1, 2)), buffer)
    return buffer.getvalue()


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
    for name, data in generate_what_loads(state, small, checkpoint).items():
        files[name] = (data, *loaded(name, data))
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

    wrap = lambda tensors: {"model_state_dict": tensors, "embedding_dim": 6}
    refused = {
        "module.pt": saved(wrap(torch.nn.Linear(2, 2))),
        "script.pt": script(),
        "sparse.pt": saved(wrap({"a": torch.eye(3).to_sparse()})),
        "quantised.pt": saved(wrap({"a": torch.quantize_per_tensor(base, 0.1, 0, torch.qint8)})),
        "meta.pt": saved(wrap({"a": torch.empty(3, device="meta")})),
        "array.pt": saved(wrap({"a": numpy.arange(3.0)})),
        "number.pt": saved(wrap(dict(state, epoch=3))),
        "nested.pt": saved(wrap({"encoder": {"0.weight": base}})),
        "other_key.pt": saved({"state_dict": state, "epoch": 3}),
        "list.pt": saved([base]),
        "tensor.pt": saved(base),
        "lzma.pt": repacked(small, "archive", compression=zipfile.ZIP_LZMA),
        "system.pt": saved({"model_state_dict": state, "embedding_dim": System()}),
        "system4.pt": saved(
            {"model_state_dict": state, "embedding_dim": System()}, pickle_protocol=4),
        "system_legacy.pt": saved(
            {"model_state_dict": state, "embedding_dim": System()},
            _use_new_zipfile_serialization=False),
        "plain.pkl": pickle.dumps({"model_state_dict": None}),
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
