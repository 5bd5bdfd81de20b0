"""Records what the NumPy reference of the strength `auto` makes of some requests: strength.safetensors.

    python record_strength.py

The reference is choose.py beside the built-in model. Rows are the 16 of adaptive-golden, again and again, under the
noise of `draws`, which the tests make too. The network is adaptive-model.
"""

import pathlib
import sys

import numpy
from safetensors.numpy import load_file, save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[2] / "Sources/CDefaultModel/strength"))
import choose


def draws(count, seed):
    """About normal: the sum of twelve uniform numbers of SplitMix64, less 6."""
    uniform = (choose.split_mix(12 * count, seed) >> numpy.uint64(40)).astype("d") / 2**24
    return uniform.reshape(count, 12).sum(1) - 6


def laplace_draws(count, seed):
    """Laplace noise of variance 1: its distribution's inverse of uniform numbers of SplitMix64."""
    uniform = ((choose.split_mix(count, seed) >> numpy.uint64(40)).astype("d") + 0.5) / 2**24
    value = numpy.log(2 * numpy.minimum(uniform, 1 - uniform)) / numpy.sqrt(2)
    return numpy.where(uniform < 0.5, value, -value)


parameters = {name: value.astype("f") for name, value in load_file(here / "adaptive-model.safetensors").items()}
clean = load_file(here / "adaptive-golden.safetensors")["clean"]
tensors = {}


def record(name, rows, levels, is_unit=False, draws=draws):
    x = clean[numpy.arange(rows) % 16]
    x = (x + levels[:, None] * draws(rows * 384, 11).reshape(rows, 384)).astype("f")
    length = numpy.sqrt((x.astype("d") ** 2).sum(1))
    if is_unit:
        s, level = choose.blind_levels(parameters, x / length[:, None].astype("f"))
        if level is not None:
            s = numpy.full(rows, level)
        x = (x * (numpy.sqrt(1 + 384 * s * s) / length)[:, None]).astype("f")
    else:
        s, level = numpy.sqrt(numpy.maximum(length**2 - 1, 0) / 384), choose.common_level(x)
    a, f = choose.auto(parameters, x, s, level)
    tensors[f"{name}/amounts"] = a[:16].copy()
    tensors[f"{name}/level"] = numpy.array([-1 if level is None else level], "f")
    found = None if level is None else choose.ranking_blend(parameters, x, level, f)
    if found:
        tensors[f"{name}/blend"] = numpy.array(found, "f")
    print(name, level, a[:4], found)


record("few", 16, numpy.full(16, 0.1))
record("pooled", 64, numpy.full(64, 0.1))
record("mixed", 64, numpy.where(numpy.arange(64) % 2, 0.05, 0.1))
record("laplace", 64, numpy.full(64, 0.1), draws=laplace_draws)
record("unit", 64, numpy.full(64, 0.1), is_unit=True)
record("unit-mixed", 64, numpy.where(numpy.arange(64) % 2, 0.03, 0.2), is_unit=True)
record("many", 512, numpy.full(512, 0.1))
save_file(tensors, here / "strength.safetensors")
