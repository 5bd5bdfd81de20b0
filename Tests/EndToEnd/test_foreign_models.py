"""Models as other programs save them: served, trained on, listed, restored; and refused in one line."""
import io
import json
import math
import struct
import subprocess
import zipfile

import pytest
from support import service
from support.uploads import sentences, upload

ORIGINAL = service.TOP / "Tests/ModelFilesTests/Fixtures/embedding_denoiser.pt"


def entries(data):
    """The content of a model's zip file by name below its root."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}


def packed(content, method=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(f"archive/{name}", data)
    return target.getvalue()


def altered(numbers=lambda data: data, pickle=lambda data: data, method=zipfile.ZIP_STORED, **more):
    """The original's model with its storages and its pickle altered."""
    content = entries(ORIGINAL.read_bytes())
    for name in content:
        if name.startswith("data/"):
            content[name] = numbers(content[name])
    content["data.pkl"] = pickle(content["data.pkl"])
    return packed({**content, **more}, method)


def converted(data, source, target):
    """Numbers of one of `struct`'s types as another."""
    count = len(data) // struct.calcsize(source[1])
    return struct.pack(f"{target[0]}{count}{target[1]}", *struct.unpack(f"{source[0]}{count}{source[1]}", data))


def half(data): return converted(data, "<f", "<e")
def rounded_by_half(data): return converted(half(data), "<e", "<f")
def upper(data): return b"".join(data[at + 2:at + 4] for at in range(0, len(data), 4))
def cut_to_upper(data): return b"".join(b"\0\0" + data[at + 2:at + 4] for at in range(0, len(data), 4))
def stored_as(name): return lambda pickle: pickle.replace(b"FloatStorage\n", name + b"\n")


# A form, and the same numbers in the form that was always read.
FORMS = {
    "float16": (altered(half, stored_as(b"HalfStorage")), altered(rounded_by_half)),
    "bfloat16": (altered(upper, stored_as(b"BFloat16Storage")), altered(cut_to_upper)),
    "float64": (
        altered(lambda data: converted(data, "<f", "<d"), stored_as(b"DoubleStorage")), altered()),
    "big-endian": (altered(lambda data: converted(data, "<f", ">f"), byteorder=b"big"), altered()),
    "compressed": (altered(method=zipfile.ZIP_DEFLATED), altered()),
}


def run(folder, *command, status=0):
    result = subprocess.run(
        [str(service.BINARY), *command], cwd=folder, capture_output=True, text=True, timeout=120)
    assert result.returncode == status, result.stderr
    return result.stdout if status == 0 else result.stderr


def denoised(folder, model):
    return run(folder, "denoise", "--encoder", service.ENCODER, "--model", model, "a sentence")


@pytest.mark.parametrize("form", FORMS)
def test_a_model_of_another_form_denoises_as_its_numbers_say(tmp_path, form):
    for name, data in zip(("form.pt", "plain.pt"), FORMS[form]):
        (tmp_path / name).write_bytes(data)
    vector = json.loads(denoised(tmp_path, "form.pt"))
    assert len(vector) == 384 and all(map(math.isfinite, vector)) and any(vector)
    assert vector == json.loads(denoised(tmp_path, "plain.pt"))


def test_a_foreign_model_is_the_parent_of_the_next_and_comes_back(tmp_path):
    """Served, trained on with what it holds as the start, listed and put live again."""
    foreign = FORMS["float16"][0]
    (tmp_path / "foreign.pt").write_bytes(foreign)
    with service.running("--epochs", "2", "--start", "continue", model=tmp_path / "foreign.pt") as running:
        def version():
            return running.post("/denoise/text", {"texts": ["hello"]})[1]["x-model-version"]

        first = version()
        assert first.startswith("0-")
        status, headers, _ = upload(running, sentences(200))
        assert status == 200
        trained = headers["x-model-version"]
        assert version() == trained != first
        models = run(running.folder, "models", "--model", running.model)
        assert first in models and trained in models
        run(running.folder, "models", "--model", running.model, "--restore", first)
        assert service.wait_until(lambda: version().split("-")[1] == first.split("-")[1])
        (tmp_path / "text.txt").write_text(sentences(200))
        run(running.folder, "evaluate", "--encoder", service.ENCODER, "--model", running.model,
            str(tmp_path / "text.txt"))


REFUSED = {
    "other key": (
        altered(pickle=lambda data: data.replace(
            b"X\x10\0\0\0model_state_dict", b"X\x0a\0\0\0state_dict")),
        'the tensors stand under "state_dict"; save them under "model_state_dict" instead'),
    "prefix": (
        altered(pickle=lambda data: data.replace(
            b"X\x10\0\0\0encoder.0.weight", b"X\x17\0\0\0module.encoder.0.weight")),
        "no tensor encoder.0.weight but module.encoder.0.weight; "
        "save the state dict without module. in its names"),
    "script": (altered(**{"constants.pkl": b"\x80\x02)."}), "a TorchScript archive of torch.jit.save"),
    "code": (
        altered(pickle=lambda data: data.replace(b"ccollections\nOrderedDict\n", b"cos\nsystem\n")),
        "os.system is not a name that a model needs"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_model_that_cannot_be_used_is_refused_in_one_line(tmp_path, kind):
    data, reason = REFUSED[kind]
    (tmp_path / "model.pt").write_bytes(data)
    line = run(tmp_path, "similarity", "--encoder", service.ENCODER, "--model", "model.pt", "a", "b", status=78)
    assert reason in line and "model.pt: " in line and line.count("\n") == 1, line
