"""The package: what is in it, its `install`, and the executable on processors older than this one."""
import hashlib
import json
import os
import re
import shutil
import struct

import pytest
from support import installation
from support.uploads import sentences, upload


@pytest.fixture(scope="module")
def place(package):
    with installation.installed(package[0]) as made:
        yield made


def segments(executable):
    """The kinds of an ELF file's segments."""
    data = executable.read_bytes()[:4096]
    assert data[:5] == b"\x7fELF\x02"
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return {struct.unpack_from("<I", data, start + i * size)[0] for i in range(count)}


def test_the_executable_needs_no_library(place):
    # 2 is PT_DYNAMIC, 3 is PT_INTERP.
    assert not segments(place.folder / "denoiser") & {2, 3}


def test_the_package_names_the_terms_of_all_it_carries(place):
    notice = (place.unpacked / "licences/NOTICE").read_text()
    texts = {path.name for path in (place.unpacked / "licences").glob("*.txt")}
    assert texts and all(text in notice for text in texts)
    for path in (place.unpacked / "licences").iterdir():
        assert len(path.read_bytes()) > 500, path


def test_the_package_is_made_the_same_again(package, tmp_path):
    again, printed = installation.build_package(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package[0].read_bytes()).digest()
    assert "package" in printed and "unpacked" in printed


def test_every_configuration_names_this_installation(place):
    for path in (place.folder / "nginx").rglob("*"):
        if path.is_file():
            assert not re.search(r"(?m)/home/you|unix:run|^\s*(include|alias) [^/]", path.read_text()), path
    assert f"listen 127.0.0.1:{place.port};" in (place.folder / "nginx/nginx.conf").read_text()


def test_it_serves_through_the_users_own_nginx_and_trains(place):
    command = [str(place.folder / "denoiser"), "serve", "--config", "nginx/serve.conf", "--socket", "run/denoiser.sock"]
    with place.process(*command), place.nginx():
        place.wait_until_ready()
        status, _, answer = place.post("/denoise/text", {"texts": ["hello world", "good morning"]})
        assert status == 200 and answer["shape"] == [2, 384]
        status, headers, answer = upload(place, sentences(50))
        assert status == 200 and answer["loss"] > 0
        # The pages' assets came with the package.
        assert place.request("GET", "/docs-assets/swagger-ui.css")[0] == 200
    assert (place.folder / "models/embedding_denoiser.pt").exists()


def snapshot(folder):
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.stat().st_size < 1e6 else None)
            for path in folder.rglob("*") if path.is_file() and path.parts[-2] != "run"}


def test_installing_twice_changes_nothing_and_an_upgrade_keeps_what_is_the_users(place):
    # Files that installing writes anew are compared by what is in them.
    place.install()
    assert (place.folder / "run").stat().st_mode & 0o777 == 0o700
    # As nginx/README.md has it for a web server of another user.
    (place.folder / "run").chmod(0o701)
    place.install()
    assert (place.folder / "run").stat().st_mode & 0o777 == 0o701
    before = snapshot(place.folder)
    place.install()
    after = snapshot(place.folder)
    assert {name: content for name, (_, content) in before.items()} == {name: content for name, (_, content) in after.items()}
    for name in ("denoiser", "models/all-MiniLM-L6-v2/model.safetensors", "nginx/nginx.conf"):
        assert before[name] == after[name]

    model = place.folder / "models/embedding_denoiser.pt"
    model.write_bytes(b"the user's")
    ours, theirs = place.folder / "nginx/serve.conf", place.folder / "nginx/denoiser.conf"
    theirs.write_text(theirs.read_text() + "# mine\n")
    # A newer package, with other files.
    for name in ("nginx/serve.conf", "nginx/denoiser.conf"):
        with open(place.unpacked / name, "a") as file:
            file.write("# newer\n")
    sums = "".join(f"{hashlib.sha256((place.unpacked / name).read_bytes()).hexdigest()}  {name}\n"
                   for name in ("denoiser", "nginx/serve.conf", "nginx/denoiser.conf"))
    (place.unpacked / "SHA256SUMS").write_text(sums)
    model_before = model.read_bytes()
    said = place.run(
        str(place.unpacked / "install"), "--prefix", str(place.folder), cwd=place.unpacked, check=False)
    # The model is none, and the check of the installation says so.
    assert said.returncode == 78 and str(model) in said.stdout
    assert f"{theirs} was changed and stays; the new version is nginx/denoiser.conf.new" in said.stdout
    assert ours.read_text().endswith("# newer\n")
    assert theirs.read_text().endswith("# mine\n")
    assert (place.folder / "nginx/denoiser.conf.new").read_text().endswith("# newer\n")
    assert model.read_bytes() == model_before
    # The port is remembered.
    assert f"listen 127.0.0.1:{place.port};" in (place.folder / "nginx/nginx.conf").read_text()
    model.unlink()


@pytest.mark.parametrize("arguments, words", [
    (["--port", "0"], "number from 1 to 65535"),
    (["--port", "x"], "number from 1 to 65535"),
    (["--prefix", "/tmp/with space"], "may hold"),
    (["--prefix", "/tmp/" + "x" * 90], "at most 80"),
    (["--prefix", "/tmp/../etc"], "plain path"),
    (["--speed"], "unknown"),
])
def test_install_says_what_is_wrong(place, arguments, words):
    result = place.run(str(place.unpacked / "install"), *arguments, check=False)
    assert result.returncode == 64 and words in result.stderr


def test_a_damaged_package_is_not_installed(package):
    with installation.installed(package[0]) as fresh:
        with open(fresh.unpacked / "models/all-MiniLM-L6-v2/vocab.txt", "r+b") as file:
            file.write(b"?")
        result = fresh.run(str(fresh.unpacked / "install"), "--prefix", str(fresh.folder), check=False)
        assert result.returncode == 65 and "damaged" in result.stderr


TEXTS = ["hello world", "文字 and Ünïcode", ""]
# More than 64 tokens, where BLAS begins if the weights are not packed. With FMA emulated it takes minutes, so of the two
# that have it, which run the same code, one goes without.
LONG = "The quick brown fox jumps over the lazy dog. " * 7


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="qemu-x86_64 is not installed (Debian: qemu-user)")
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="emulates x86-64")
@pytest.mark.parametrize("processor", ["qemu64", "kvm64", "Nehalem", "Opteron_G5", "Haswell", "EPYC"])
def test_older_processors_give_the_same_embeddings(place, processor):
    """From plain x86-64 to AVX2, emulated, with the instructions each lacks refused."""
    program = str(place.folder / "denoiser")
    # As installed they are packed, as they came they are not.
    folder = place.unpacked if processor in ("kvm64", "Opteron_G5") else place.folder
    encoder = str(folder / "models/all-MiniLM-L6-v2")

    texts = TEXTS if processor == "EPYC" else [*TEXTS, LONG]

    def embeddings(*before):
        result = place.run(*before, program, "embed", "--encoder", encoder, *texts, timeout=1200)
        return [json.loads(line) for line in result.stdout.splitlines()]

    here, there = embeddings(), embeddings("qemu-x86_64", "-cpu", processor)
    assert len(there) == len(texts)
    largest = max(abs(a - b) for left, right in zip(here, there) for a, b in zip(left, right))
    # Sums taken in another order.
    assert largest < 1e-6
