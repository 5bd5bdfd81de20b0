"""The encoder's weights in the order in which they are read: made once, used where they fit."""
import json
import os
import pathlib
import subprocess

import pytest
import service


class Packed:
    """An encoder of one's own whose weights are packed."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "model.packed.safetensors"
        for name in ("config.json", "vocab.txt", "model.safetensors"):
            (folder / name).symlink_to(pathlib.Path(service.ENCODER) / name)

    def run(self, *command, status=0):
        run = subprocess.run(
            [str(service.BINARY), command[0], "--encoder", str(self.folder), *command[1:]], cwd=self.folder,
            capture_output=True, text=True, timeout=60)
        assert run.returncode == status, run.stderr
        return run.stdout if status == 0 else run.stderr

    def check(self):
        """What `serve --check` says of the encoder."""
        return next(line for line in self.run("serve", "--check").splitlines() if " encoder: " in line)

    def embeddings(self, *texts):
        return [json.loads(line) for line in self.run("embed", *texts).splitlines()]


def test_packed_weights_are_written_once_and_give_the_same_embeddings(tmp_path):
    encoder = Packed(tmp_path)
    texts = ["hello world", "文字 and Ünïcode", "The quick brown fox jumps over the lazy dog. " * 9]
    assert "after `denoiser pack`" in encoder.check()
    plain = encoder.embeddings(*texts)
    assert encoder.run("pack").endswith("model.packed.safetensors: written\n")
    before = encoder.file.stat()
    assert encoder.run("pack").endswith("fits already\n")
    assert encoder.file.stat().st_mtime_ns == before.st_mtime_ns
    assert encoder.check().startswith("ok ") and "pack" not in encoder.check().replace(str(tmp_path), "")
    packed = encoder.embeddings(*texts)
    assert packed != plain
    assert max(abs(a - b) for left, right in zip(plain, packed) for a, b in zip(left, right)) < 1e-6
    # One text alone gets the bits that it gets among others.
    assert [encoder.embeddings(text)[0] for text in texts] == packed
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def cut(path):
    path.write_bytes(path.read_bytes()[:-4])


def flip(path):
    with open(path, "r+b") as file:
        file.seek(-1000, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def other_weights(path):
    plain = path.parent / "model.safetensors"
    content = bytearray(plain.read_bytes())
    plain.unlink()
    # The last tensor's last number; then one in the first rows of the last weight.
    start = int.from_bytes(content[:8], "little") + 8
    header = json.loads(content[8:start])
    begin = header["encoder.layer.3.output.dense.weight"]["data_offsets"][0]
    content[start + begin] ^= 1
    plain.write_bytes(content)


@pytest.mark.parametrize("damage, words", [
    (cut, "wrong type, shape or offset"), (flip, "checksum"), (other_weights, "other weights"), (lambda path: path.write_text("?"), "safetensors"),
])
def test_packed_weights_that_do_not_fit_are_not_used_and_are_made_anew(tmp_path, damage, words):
    encoder = Packed(tmp_path)
    plain = encoder.embeddings("hello world")
    encoder.run("pack")
    packed = encoder.embeddings("hello world")
    damage(encoder.file)
    assert encoder.check().startswith("ok ") and words in encoder.check() and "is not used" in encoder.check()
    if damage is not other_weights:
        assert encoder.embeddings("hello world") == plain
    assert encoder.run("pack").endswith("written\n")
    assert "is not used" not in encoder.check()
    if damage is not other_weights:
        assert encoder.embeddings("hello world") == packed


def test_packing_says_what_is_wrong(tmp_path):
    encoder = Packed(tmp_path)
    encoder.file.mkdir()
    assert encoder.run("pack", status=78).count("\n") == 1
    (tmp_path / "model.safetensors").unlink()
    assert "fetch-encoder" in encoder.run("pack", status=78)
