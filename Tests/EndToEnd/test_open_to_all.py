"""A service without keys: what a page elsewhere may do to it, and what a loop of uploads leaves."""
import subprocess

import pytest
from support import service
from support.service import MODEL
from support.uploads import upload

TEXT = b"one line of text\nanother line\na third one\n"


def versions(folder):
    run = subprocess.run(
        [str(service.BINARY), "models", "--model", "models/embedding_denoiser.pt"], cwd=folder,
        capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return [line[2:].split()[0] for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def running():
    with service.running("--epochs", "1", "--training-wait", "30", model=MODEL) as one:
        yield one


def test_the_start_and_check_say_that_training_is_open(running):
    assert running.log().count("no --keys: whoever reaches the service may train") == 1
    run = subprocess.run(
        [str(service.BINARY), "serve", "--check", "--encoder", service.ENCODER, "--model", running.model],
        capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and "keys: no --keys: whoever reaches" in run.stdout


def test_pages_of_other_sites_may_not_upload_through_nginx(running):
    own = f"http://127.0.0.1:{running.port}"
    for headers, status in [
            ({}, 200), ({"Origin": own}, 200), ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, 200),
            # A front that ends TLS passes on the host as it came.
            ({"Origin": "https://example.org", "Host": "example.org"}, 200),
            ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
            ({"Origin": "http://127.0.0.1:1"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403)]:
        assert upload(running, TEXT, **headers)[0] == status, headers
    assert running.request("GET", "/health", headers={"Origin": "https://evil.example"})[0] == 200


def test_a_loop_of_small_uploads_leaves_what_a_command_made(running):
    (running.folder / "lines.txt").write_bytes(TEXT)
    run = subprocess.run(
        [str(service.BINARY), "train", "lines.txt", "--epochs", "1", "--encoder", service.ENCODER,
         "--model", "models/embedding_denoiser.pt"], cwd=running.folder, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    made = run.stdout.split()[2]
    for _ in range(13):
        assert upload(running, TEXT)[0] == 200
    assert made in versions(running.folder)
    builtin = versions(running.folder)[-1]
    assert builtin.startswith("1-")
    run = subprocess.run(
        [str(service.BINARY), "models", "--restore", builtin, "--model", "models/embedding_denoiser.pt"],
        cwd=running.folder, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert service.wait_until(
        lambda: running.post("/denoise/text", {"texts": ["a"]})[1]["x-model-version"] == builtin)


def test_other_names_than_the_allowed_are_refused():
    with service.running("--allowed-host", "127.0.0.1", "--upload-origin", "https://app.example", model=MODEL) as one:
        assert one.request("GET", "/health", headers={"Host": "evil.example"})[0] == 400
        assert one.request("GET", "/health")[0] == 200
