"""A web server in front that ends TLS and sends http to https, as hosting providers have it: no redirect leads out of TLS."""
import contextlib
import http.client
import json
import pathlib
import ssl
import subprocess
import tempfile

import pytest
from support import service

TEXT = "\n".join(f"Sentence number {i} tells of the weather on day {i}." for i in range(40)).encode()
FORM = {"content-type": "multipart/form-data; boundary=B"}
BODY = b'--B\r\nContent-Disposition: form-data; name="file"; filename="t.txt"\r\n\r\n' + TEXT + b"\r\n--B--\r\n"

CONFIGURATION = """
daemon off; pid n.pid; error_log e.log; worker_processes 1; events {}
http {
    access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    server {
        listen 127.0.0.1:HTTPS ssl; ssl_certificate c.pem; ssl_certificate_key k.pem; client_max_body_size 65m;
        location / { proxy_pass http://127.0.0.1:SERVICE; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; }
    }
    server { listen 127.0.0.1:HTTP; return 301 https://127.0.0.1:HTTPS$request_uri; }
}
"""


class Front:
    """A server that ends TLS before the service on `port`; `context` trusts it."""

    def __init__(self, folder, port):
        self.https, self.http = service.free_port(), service.free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True, capture_output=True)
        self.context = ssl.create_default_context(cafile=folder / "c.pem")
        text = CONFIGURATION.replace("HTTPS", str(self.https)).replace("HTTP;", f"{self.http};").replace("SERVICE", str(port))
        (folder / "front.conf").write_text(text)

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.https, timeout=60, context=self.context)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()


@contextlib.contextmanager
def fronted(*arguments, site="denoiser.conf"):
    with service.running("--epochs", "1", *arguments, site=site) as running, tempfile.TemporaryDirectory() as name:
        front = Front(pathlib.Path(name), running.port)
        nginx = subprocess.Popen([service.NGINX, "-p", f"{name}/", "-c", "front.conf", "-e", "e.log"], cwd=name)
        try:
            path = service.MOUNTS[site] + "/health"
            assert service.wait_until(lambda: front.request("GET", path)[0] == 200), pathlib.Path(name, "e.log").read_text()
            yield front
        finally:
            service.stop(nginx)


@pytest.mark.parametrize("site, mount", service.MOUNTS.items())
def test_an_upload_that_is_redirected_stays_inside_tls_and_trains(site, mount):
    with fronted(site=site) as front:
        here = f"https://127.0.0.1:{front.https}"
        status, headers, _ = front.request("POST", mount + "/upload?a=b", BODY, FORM)
        assert (status, headers["location"]) == (307, f"{here}{mount}/upload/?a=b")
        status, _, body = front.request("POST", headers["location"].removeprefix(here), BODY, FORM)
        assert status == 200 and json.loads(body)["word_count"] == 400
        for path in ["/health/", "/docs/", "/denoise/text/"] + ([""] if mount else []):
            status, headers, _ = front.request("GET", mount + path)
            assert status == 307 and headers["location"].startswith(here + mount), path


def test_a_front_that_is_not_trusted_is_not_believed():
    with fronted("--forwarded-allow-ips", "10.0.0.1") as front:
        status, headers, _ = front.request("POST", "/upload", BODY, FORM)
        assert (status, headers["location"]) == (307, f"http://127.0.0.1:{front.https}/upload/")


def test_what_is_trusted_can_come_from_the_environment():
    environment = {"FORWARDED_ALLOW_IPS": "10.0.0.1"}
    with service.running(environment=environment) as running:
        headers = {"X-Forwarded-Proto": "https"}
        assert running.request("GET", "/health/", headers=headers)[1]["location"].startswith("http://")
    with service.running("--forwarded-allow-ips", "127.0.0.1", environment=environment) as running:
        assert running.request("GET", "/health/", headers=headers)[1]["location"].startswith("https://")


@pytest.mark.parametrize("value, word", [("10.0.0.1/8", "10.0.0.1/8"), ("127.0.0.1,::/200", "::/200")])
def test_a_network_that_is_none_is_refused_at_the_start(value, word):
    answer = subprocess.run([service.BINARY, "serve", "--socket", "/nonexistent/s", "--forwarded-allow-ips", value],
                            capture_output=True, text=True)
    assert answer.returncode not in (0, 134) and answer.stderr.count("\n") == 1
    assert "--forwarded-allow-ips" in answer.stderr and word in answer.stderr


def test_the_front_is_the_peer_also_where_nginx_takes_the_clients_address_from_it():
    def prepare(folder):
        path = folder / "run/nginx.conf"
        lines = "set_real_ip_from 127.0.0.1;\n    real_ip_header X-Forwarded-For;\n    server {"
        path.write_text(path.read_text().replace("server {", lines, 1))
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    with service.running(prepare=prepare) as running:
        assert running.request("GET", "/health/", headers=headers)[1]["location"].startswith("https://")
    with service.running("--forwarded-allow-ips", "203.0.113.9", prepare=prepare) as running:
        assert running.request("GET", "/health/", headers=headers)[1]["location"].startswith("http://")
