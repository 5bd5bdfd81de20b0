"""The static executable loads nothing at run time: a module of the host's C library brings a second C library with it."""
import pathlib
import re
import signal
import subprocess

import pytest
from support import charset_requests, recorded, service

# Functions of the C library that load modules or locales and of which no linker warns.
LOADERS = {
    "iconv", "iconv_open", "iconv_close", "setlocale", "newlocale", "catopen", "bindtextdomain", "wordexp", "getnameinfo",
    "pthread_cancel"}

# What libraries bring in and nobody calls; the tests under strace look that nothing does.
ALLOWED = {
    "dlopen": "Swift's runtime, to find its tracing plug-ins and for `dladdr`",
    "dlmopen": "stands in one object with dlopen",
    "newlocale": "Swift's runtime, for the locale C, which is built in",
    "gethostbyname": "libfcgi's FCGX_OpenSocket, in whose place we have a listener of our own",
    "gethostbyname_r": "FoundationEssentials, which swift-argument-parser takes a few functions on text from",
    "getpwnam_r": "FoundationEssentials",
    "getpwuid_r": "FoundationEssentials",
    "getgrnam_r": "FoundationEssentials",
    "getgrgid_r": "FoundationEssentials",
}

# What no process may open, run or connect to: modules, their lists, locales, files of the name services.
FORBIDDEN = re.compile(r"gconv|nsswitch|\.so\b|locale|nscd|resolv\.conf|/etc/(hosts|host\.conf|passwd|group|ld\.so)|LC_")

TEXT = "\n".join(f"Sentence number {i} tells of the weather on day {i}." for i in range(40))


def defined(executable):
    """The names of all functions and variables in an executable that is not stripped."""
    lines = subprocess.run(["nm", executable], capture_output=True, text=True, check=True).stdout.splitlines()
    return {fields[-1] for fields in map(str.split, lines) if len(fields) == 3}


def warned_of():
    """The functions at whose use a linker says that a static executable will load libraries at run time."""
    archive = subprocess.run(["gcc", "-print-file-name=libc.a"], capture_output=True, text=True, check=True).stdout.strip()
    text = pathlib.Path(archive).read_bytes()
    return {name.decode() for name in re.findall(rb"Using '(\w+)' in statically linked applications requires at runtime", text)}


def test_no_function_that_loads_modules_is_linked_but_those_that_are_known():
    # What nginx/build lets the linker say nothing of.
    warned = warned_of()
    assert {"getpwnam", "getaddrinfo", "dlopen"} <= warned
    names = defined(service.BINARY)
    assert "main" in names
    assert sorted(names & (warned | LOADERS) - ALLOWED.keys()) == []


def test_what_is_allowed_is_there():
    assert sorted(ALLOWED.keys() - defined(service.BINARY)) == []


def tracing(log, *options):
    return ("strace", *options, "-f", "-q", "-s", "4096", "-e", "trace=open,openat,openat2,connect,execve", "-o", str(log))


def opened(log):
    """What was opened, run or connected to, whether it was there or not."""
    lines = log.read_text().splitlines()
    return [line for line in lines if re.search(r"\b(open|openat|openat2|connect|execve)\(", line)]


def expect_nothing_loaded(log, *expected):
    lines = opened(log)
    for name in expected:
        assert any(name in line for line in lines), f"strace saw no {name}: {lines[:20]}"
    assert [line for line in lines if FORBIDDEN.search(line)] == []


def test_no_label_of_a_form_loads_anything(tmp_path):
    log = tmp_path / "strace"
    # The service is the child, strace a process beside it.
    with service.running("--epochs", "1", wrapper=tracing(log, "-D")) as running:
        assert charset_requests.send(running.port) > 1000
        file = charset_requests.form("koi8-r", TEXT.encode(), more=b'; filename="\xc6"')
        assert recorded.ask(running.port, *file)[0] == 200
        running.process.send_signal(signal.SIGHUP)
        assert running.post("/denoise/text", {"texts": ["hello world"], "noise_level": 0.1})[0] == 200
        for path, status in [("/health", 200), ("/docs", 200), ("/openapi.json", 200), ("/upload", 307)]:
            assert running.request("GET", path)[0] == status
    exited = re.compile(rf"(?m)^{running.process.pid} +\+\+\+ exited")
    assert service.wait_until(lambda: exited.search(log.read_text()))
    expect_nothing_loaded(log, "vocab.txt", "embedding_denoiser.pt")


@pytest.mark.parametrize("arguments", [
    ["--help"], ["--version"], ["serve", "--check"], ["train", "texts", "--epochs", "1", "--model", "m.pt"],
    ["evaluate", "texts"], ["embed", "--input", "texts", "--output", "v.npy"], ["denoise", "Grüße"], ["similarity", "a", "b"],
    ["tokenize", "hello"], ["models"], ["serve", "--socket", "no/such/folder/s"], ["no-such-command"],
])
def test_no_command_loads_anything(tmp_path, arguments):
    log = tmp_path / "strace"
    (tmp_path / "texts").write_text(TEXT)
    environment = {"ENCODER_PATH": service.ENCODER, "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.ISO-8859-9", "LANGUAGE": "de"}
    subprocess.run([*tracing(log), service.BINARY, *arguments], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", **environment},
                   capture_output=True, timeout=60)
    expect_nothing_loaded(log, "execve")
