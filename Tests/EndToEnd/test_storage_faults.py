"""What an uploader is told when the disk is full, over quota, read-only or broken: the old model stays live.

The faults are real to the service: a seccomp filter lets the kernel itself refuse the system call.
"""
import os
import pathlib
import platform
import sys

import pytest
from support import service
from support.uploads import sentences, upload

# System call numbers and the argument that holds the flags of openat.
CALLS = {"x86_64": {"fallocate": 285, "fsync": 74, "openat": 257}, "aarch64": {"fallocate": 47, "fsync": 82, "openat": 56}}

# A filter of the kernel's packet language: the call's number, for openat its flags, then refuse or allow.
REFUSING = """
import ctypes, os, struct, sys
call, code, flag = (int(text) for text in sys.argv[1:4])
def step(operation, value, then=0, other=0):
    return struct.pack("=HBBI", operation, then, other, value)
LOAD, EQUAL, ANY, RETURN = 0x20, 0x15, 0x45, 0x06
steps = [step(LOAD, 0), step(EQUAL, call, 0, 3 if flag else 1)]
if flag:
    steps += [step(LOAD, 16 + 8 * 2), step(ANY, flag, 0, 1)]
steps += [step(RETURN, 0x00050000 | code), step(RETURN, 0x7fff0000)]
filter = ctypes.create_string_buffer(b"".join(steps))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(filter))
library = ctypes.CDLL(None, use_errno=True)
library.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
assert library.prctl(38, 1, 0, 0, 0) == 0
assert library.prctl(22, 2, ctypes.addressof(program), 0, 0) == 0, "no seccomp here"
os.execv(sys.argv[4], sys.argv[4:])
"""


@pytest.mark.parametrize("call, code, words", [
    ("fallocate", 28, "No space left on device"),
    ("fallocate", 122, "Disk quota exceeded"),
    ("openat", 30, "Read-only file system"),
    ("fsync", 5, "Input/output error"),
])
def test_an_upload_that_cannot_be_saved_leaves_the_old_model_live(call, code, words):
    number = CALLS[platform.machine()][call]
    flag = os.O_CREAT if call == "openat" else 0
    wrapper = [sys.executable, "-S", "-E", "-c", REFUSING, str(number), str(code), str(flag)]
    model = service.TOP / "Tests/ModelFilesTests/Fixtures/embedding_denoiser.pt"

    def prepare(folder):
        # There from an earlier run; nothing new can be made where all is read-only.
        (folder / "models/embedding_denoiser.pt.lock").touch()

    with service.running("--epochs", "2", model=model, prepare=prepare, wrapper=wrapper) as running:
        ask = {"embeddings": [[0.01 * i for i in range(384)]]}
        before = running.post("/denoise/embedding", ask)
        contents = pathlib.Path(running.model).read_bytes()
        for _ in range(2):
            status, _, answer = upload(running, sentences(40))
            assert status == 500 and words in answer["detail"] and "embedding_denoiser.pt" in answer["detail"]
        after = running.post("/denoise/embedding", ask)
        assert after[1]["x-model-version"] == before[1]["x-model-version"]
        assert after[2]["denoised_embeddings"] == before[2]["denoised_embeddings"]
        assert pathlib.Path(running.model).read_bytes() == contents
        assert not list(pathlib.Path(running.model).parent.glob("**/*.new"))
        line = next(line for line in running.log().splitlines() if "training failed" in line)
        assert words in line


def test_a_model_that_is_live_but_not_surely_on_the_disk_is_a_warning():
    """The folder cannot be opened to be synchronised, behind the rename that put the model live."""
    number = CALLS[platform.machine()]["openat"]
    wrapper = [sys.executable, "-S", "-E", "-c", REFUSING, str(number), "5", str(os.O_DIRECTORY)]
    with service.running("--epochs", "2", wrapper=wrapper) as running:
        status, headers, _ = upload(running, sentences(40))
        assert status == 200
        assert "is live, but may not survive a power cut: Input/output error" in running.log()
        live = running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"]
        assert live == headers["x-model-version"] and pathlib.Path(running.model).exists()


def test_the_filter_alone_changes_nothing():
    """Else the test above might see the filter's own faults."""
    number = CALLS[platform.machine()]["fsync"]
    wrapper = [sys.executable, "-S", "-E", "-c", REFUSING, str(number), "0", "0"]
    with service.running("--epochs", "2", wrapper=wrapper) as running:
        assert upload(running, sentences(40))[0] == 200
