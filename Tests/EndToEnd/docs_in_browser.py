#!/usr/bin/env python3
"""Opens the documentation pages in headless Chromium, without the internet, and tries two routes out.

usage: docs_in_browser.py http://127.0.0.1:PORT[/PREFIX] [CHROMIUM]
Checked: /docs shows the five operations, "Try it out" on /denoise/text and on /upload/ (with a file) shows 200,
/redoc shows the same operations, and neither page asked any other host than this one. Exit status 0 only then.
Standard library only; the browser is Debian's package `chromium`, spoken to over a pipe.
"""
import json, os, shutil, subprocess, sys, tempfile, time
from urllib.parse import urlsplit

PATHS = ["/", "/denoise/embedding", "/denoise/text", "/health", "/upload/"]
# ReDoc's own script asks for this one and shows its pages without it.
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
TEXT = "".join(f"Sentence number {n} tells of the weather on day {n}.\n" for n in range(1, 41))


class Browser:
    """One tab of a headless browser that resolves no host name."""

    def __init__(self, program, profile):
        commands, self.commands = os.pipe()
        self.events, events = os.pipe()
        flags = [
            "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--remote-debugging-pipe",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--user-data-dir=" + profile, "about:blank",
        ]
        # Chromium's sandbox does not start for root.
        if os.geteuid() == 0: flags.insert(0, "--no-sandbox")

        def pipes_at_3_and_4():
            spare = os.dup(events)
            os.dup2(commands, 3)
            os.dup2(spare, 4)

        self.process = subprocess.Popen(
            [program] + flags, preexec_fn=pipes_at_3_and_4, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands), os.close(events)
        self.count, self.pending, self.session, self.requests = 0, b"", None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "DOM"): self.call(domain + ".enable")

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session: message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("method") == "Network.requestWillBeSent": self.requests.append(answer["params"]["request"]["url"])
            if answer.get("id") == self.count:
                if "error" in answer: raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def receive(self):
        while b"\0" not in self.pending:
            more = os.read(self.events, 1 << 16)
            if not more: raise RuntimeError("the browser ended")
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def value(self, script, by_value=True):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=by_value)
        if "exceptionDetails" in result: raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value") if by_value else result["result"].get("objectId")

    def wait(self, script, what, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = self.value(script)
            if value: return value
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {seconds} s; the page says {self.value('document.body.innerText')[:2000]!r}")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'", "load of " + url)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def try_out(browser, path, file=None, seconds=60):
    """Presses "Try it out" and "Execute" of a route; gives the status shown."""
    block = f"document.querySelector('[data-path=\"{path}\"]').closest('.opblock')"
    browser.value(block + ".querySelector('.opblock-summary-control').click()")
    browser.wait(block + ".querySelector('.try-out__btn') !== null", path + " to unfold")
    browser.value(block + ".querySelector('.try-out__btn').click()")
    browser.wait(block + ".querySelector('.execute') !== null", path + " to become editable")
    if file:
        browser.wait(block + ".querySelector('input[type=file]') !== null", path + " to ask for a file")
        node = browser.value(block + ".querySelector('input[type=file]')", by_value=False)
        browser.call("DOM.setFileInputFiles", files=[file], objectId=node)
    browser.value(block + ".querySelector('.execute').click()")
    status = block + ".querySelector('.live-responses-table .response .response-col_status')"
    return browser.wait(f"{status} && {status}.innerText.trim()", "an answer of " + path, seconds)


def main():
    base = sys.argv[1].rstrip("/")
    program = sys.argv[2] if len(sys.argv) > 2 else shutil.which("chromium")
    if not program: sys.exit("chromium is not installed (apt-get install chromium)")
    host, failures = urlsplit(base).netloc, []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        upload = os.path.join(folder, "sentences.txt")
        with open(upload, "w", encoding="utf-8") as target: target.write(TEXT)
        browser = Browser(program, os.path.join(folder, "profile"))
        try:
            browser.open(base + "/docs")
            browser.wait("document.querySelectorAll('.opblock').length > 0", "/docs to list operations")
            paths = browser.value("[...document.querySelectorAll('.opblock-summary-path')].map(e => e.dataset.path).sort()")
            # Routes beside the original's may be documented too.
            if not set(PATHS) <= set(paths): failures.append(f"/docs lists {paths}")
            for path, file in (("/denoise/text", None), ("/upload/", upload)):
                status = try_out(browser, path, file, seconds=300)
                if status.split()[0] != "200": failures.append(f"{path}: {status}")
                print(f"{path}: {status}")
            browser.open(base + "/redoc")
            shown = browser.wait("document.querySelectorAll('[data-section-id*=\"operation\"]').length", "/redoc to list operations")
            print(f"/docs: {len(paths)} operations; /redoc: {shown} sections")
            others = sorted(
                {url for url in browser.requests if url.startswith("http") and urlsplit(url).netloc != host} - {LOGO})
            if others: failures.append(f"asked of other hosts: {others}")
        except (AssertionError, RuntimeError) as error:
            failures.append(str(error))
        finally:
            browser.close()
    for failure in failures: print("FAIL", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
