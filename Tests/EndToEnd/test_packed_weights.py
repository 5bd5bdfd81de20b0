"""The encoder's weights in the order in which they are read: made once, used where they fit."""
import json
import os
import pathlib
import signal
import subprocess

import pytest
from support import service


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

    @staticmethod
    def pack(folder):
        subprocess.run([str(service.BINARY), "pack", "--encoder", str(folder)], check=True, capture_output=True)

    def check(self):
        """What `serve --check` says of the encoder."""
        return next(line for line in self.run("serve", "--check").splitlines() if " encoder: " in line)

    def embeddings(self, *texts):
        return [json.loads(line) for line in self.run("embed", *texts).splitlines()]


def test_packed_weights_are_written_once_and_give_the_same_embeddings(tmp_path):
    encoder = Packed(tmp_path)
    texts = ["hello world", "文字 and Ünïcode", "The quick brown fox jumps over the lazy dog. " * 9]
    assert "after `denoiser pack --encoder" in encoder.check()
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


def other_weights(row):
    """Another number in this row of a weight of the published file."""
    def damage(path):
        plain = path.parent / "model.safetensors"
        content = bytearray(plain.read_bytes())
        plain.unlink()
        start = int.from_bytes(content[:8], "little") + 8
        weight = json.loads(content[8:start])["encoder.layer.3.output.dense.weight"]
        content[start + weight["data_offsets"][0] + 4 * row * weight["shape"][1]] ^= 1
        plain.write_bytes(content)
    return damage


def of_three_layers(path):
    configuration = path.parent / "config.json"
    whole = configuration.read_text()
    configuration.unlink()
    configuration.write_text(json.dumps(json.loads(whole) | {"num_hidden_layers": 3}))
    path.unlink()
    Packed.pack(path.parent)
    configuration.write_text(whole)


@pytest.mark.parametrize("damage, words", [
    (cut, "wrong type, shape or offset"),
    (flip, "checksum"),
    (other_weights(0), "other weights"),
    (other_weights(383), "other weights"),
    (of_three_layers, "no tensor"),
    (lambda path: path.write_text("?"), "safetensors"),
])
def test_packed_weights_that_do_not_fit_are_not_used_and_are_made_anew(tmp_path, damage, words):
    encoder = Packed(tmp_path)
    plain = encoder.embeddings("hello world")
    encoder.run("pack")
    packed = encoder.embeddings("hello world")
    damage(encoder.file)
    assert encoder.check().startswith("ok ") and words in encoder.check() and "is not used" in encoder.check()
    is_same = words != "other weights"
    if is_same:
        assert encoder.embeddings("hello world") == plain
    assert encoder.run("pack").endswith("written\n")
    assert "is not used" not in encoder.check()
    if is_same:
        assert encoder.embeddings("hello world") == packed


def test_several_at_once_all_end_well_and_leave_one_whole_file(tmp_path):
    encoder = Packed(tmp_path)
    runs = [subprocess.Popen([str(service.BINARY), "pack", "--encoder", str(tmp_path)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outcomes = [(run.communicate(timeout=120), run.returncode) for run in runs]
    assert [status for _, status in outcomes] == [0] * 4, outcomes
    assert all(output.endswith(("written\n", "fits already\n")) for (output, _), _ in outcomes), outcomes
    assert "is not used" not in encoder.check() and encoder.run("pack").endswith("fits already\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["config.json", "vocab.txt", "model.safetensors", encoder.file.name])


def test_what_a_killed_run_left_is_removed(tmp_path):
    encoder = Packed(tmp_path)
    (tmp_path / ".model.packed.safetensors.4194305.new").write_text("half")
    encoder.run("pack")
    assert not list(tmp_path.glob(".*"))


def test_a_running_service_takes_packed_weights_up(tmp_path):
    encoder = Packed(tmp_path)
    with service.running("--encoder", str(tmp_path)) as running:
        plain = running.post("/denoise/text", {"texts": ["hello world"]})[2]["denoised_embeddings"]
        assert f"`denoiser pack --encoder {tmp_path}`" in running.log()
        encoder.run("pack")
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "reloaded" in running.log())
        packed = running.post("/denoise/text", {"texts": ["hello world"]})[2]["denoised_embeddings"]
        assert packed != plain and max(abs(a - b) for a, b in zip(plain[0], packed[0])) < 1e-6


def test_packing_says_what_is_wrong(tmp_path):
    encoder = Packed(tmp_path)
    encoder.file.mkdir()
    assert encoder.run("pack", status=78).count("\n") == 1
    configuration = tmp_path / "config.json"
    sizes = json.loads(configuration.read_text())
    configuration.unlink()
    configuration.write_text(json.dumps(sizes | {"intermediate_size": 1024}))
    assert "cannot be packed" in encoder.run("pack", status=78)
    (tmp_path / "model.safetensors").unlink()
    assert "fetch-encoder" in encoder.run("pack", status=78)
