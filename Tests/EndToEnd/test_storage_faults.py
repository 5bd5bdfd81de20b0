"""What an uploader is told when the disk is full, over quota, read-only or broken: the old model stays live.

The faults are real to the service: a seccomp filter lets the kernel itself refuse the system call.
"""
import os
import pathlib

import pytest
from support import service
from support.kernel_filter import refusing
from support.uploads import sentences, upload


@pytest.mark.parametrize("call, code, words", [
    ("fallocate", 28, "No space left on device"),
    ("fallocate", 122, "Disk quota exceeded"),
    ("openat", 30, "Read-only file system"),
    ("fsync", 5, "Input/output error"),
])
def test_an_upload_that_cannot_be_saved_leaves_the_old_model_live(call, code, words):
    wrapper = refusing(call, code, os.O_CREAT if call == "openat" else 0)
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
    wrapper = refusing("openat", 5, os.O_DIRECTORY)
    with service.running("--epochs", "2", wrapper=wrapper) as running:
        status, headers, _ = upload(running, sentences(40))
        assert status == 200
        assert "is live, but may not survive a power cut: Input/output error" in running.log()
        live = running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"]
        assert live == headers["x-model-version"] and pathlib.Path(running.model).exists()


def test_the_filter_alone_changes_nothing():
    """Else the test above might see the filter's own faults."""
    with service.running("--epochs", "2", wrapper=refusing("fsync", 0)) as running:
        assert upload(running, sentences(40))[0] == 200
