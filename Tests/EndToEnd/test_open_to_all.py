"""A service without keys: what a page elsewhere may do to it, and what a loop of uploads leaves."""
import subprocess

import pytest
from support import service
from support.commands import refusal
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
    names = ["--allowed-host", "127.0.0.1", "--allowed-host", "*.mine.example"]
    with service.running(*names, model=MODEL) as one:
        for host, status in [
                (f"127.0.0.1:{one.port}", 200), ("127.0.0.1", 200), ("a.mine.example", 200), ("A.Mine.Example:80", 200),
                ("evil.example", 400), ("mine.example", 400), ("127.0.0.1.evil.example", 400),
                ("mine.example.evil.example", 400), ("localhost", 400)]:
            for method, path in [("GET", "/health"), ("GET", "/docs"), ("GET", "/openapi.json")]:
                assert one.request(method, path, headers={"Host": host})[0] == status, (host, path)
        # Its name's address may be made to lead here.
        rebound = {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}
        assert upload(one, TEXT, **rebound)[0] == 400
        assert one.request("POST", "/denoise/text", b'{"texts": []}', {"Host": "evil.example"})[0] == 400


def test_pages_of_a_named_site_may_upload_and_no_others():
    sites = ["--upload-origin", "https://app.example", "--upload-origin", "http://10.0.0.1:8080"]
    with service.running("--epochs", "1", "--training-wait", "30", *sites, model=MODEL) as one:
        cross = {"Sec-Fetch-Site": "cross-site"}
        for headers, status in [
                ({"Origin": "https://app.example", **cross}, 200), ({"Origin": "http://10.0.0.1:8080", **cross}, 200),
                ({}, 200), ({"Origin": "http://app.example", **cross}, 403), ({"Origin": "https://app.example:444"}, 403),
                ({"Origin": "https://app.example.evil.example"}, 403), ({"Origin": "null", **cross}, 403), (cross, 403),
                ({"Origin": "http://10.0.0.1", **cross}, 403)]:
            assert upload(one, TEXT, **headers)[0] == status, headers
    with service.running("--epochs", "1", "--upload-origin", "*", model=MODEL) as one:
        assert upload(one, TEXT, Origin="https://evil.example", **cross)[0] == 200


@pytest.mark.parametrize("option, value", [
    ("--upload-origin", "app.example"), ("--upload-origin", "https://app.example/"), ("--upload-origin", ""),
    ("--allowed-host", "a.example:80"), ("--allowed-host", "http://a.example"), ("--allowed-host", "")])
def test_what_is_no_site_or_name_is_refused_in_one_line(tmp_path, option, value):
    assert option in refusal(tmp_path, "serve", "--socket", "s", f"{option}={value}", status=64)
