"""A route has one spelling: whatever the service routes, the web server matched by the block meant for it.

Generated paths go through nginx, each of whose blocks names itself in a header.
"""
import collections
import json
import re

import pytest
from support import service
from support.paths import Asker, ROUTES, route, spellings
from support.service import MODEL

def marked(folder):
    """Each block of nginx's names itself."""
    for path in (folder / "run").glob("denoiser*.conf"):
        text = path.read_text()
        path.write_text(re.sub(r"^( *)location (.+) \{$", r"""\g<0>\n\1    add_header X-Block '\2' always;""", text, flags=re.M))


def merging(folder):
    """What a site has that says nothing about slashes."""
    marked(folder)
    path = folder / "run/nginx.conf"
    assert "merge_slashes off;" in path.read_text()
    path.write_text(path.read_text().replace("merge_slashes off;", ""))


def block(mount, answered):
    """The block that is meant for a route, or for the redirect to one."""
    redirect, path = answered.startswith("to "), answered.removeprefix("to ").removeprefix(mount if "to " in answered else "")
    if path == "/upload/":
        return f"= {mount}/upload" if redirect else f"= {mount}/upload/"
    for beginning in ("/denoise", "/similarity", "/v1"):
        if path.startswith(beginning):
            return mount + beginning
    return f"^~ {mount}/" if mount else "/"


@pytest.mark.parametrize("prepare", [marked, merging], ids=lambda prepare: prepare.__name__)
@pytest.mark.parametrize("site, mount", service.MOUNTS.items())
def test_every_route_is_matched_by_the_block_meant_for_it(site, mount, prepare):
    wrong, seen = [], collections.Counter()
    with service.running(model=MODEL, site=site, prepare=prepare) as running:
        ask = Asker(running.port)
        for spelling in spellings():
            answered, headers = route(ask, mount + spelling)
            if answered is None:
                continue
            # The mount itself has a block of its own, and the service redirects.
            if headers.get("x-block") == f"= {mount}":
                continue
            seen[answered.removeprefix("to ")] += 1
            if headers.get("x-block") != block(mount, answered):
                wrong.append((spelling, answered, headers.get("x-block")))
        assert set(ROUTES) - {"/docs/oauth2-redirect"} <= set(seen), seen
    assert not wrong, "\n".join(map(str, wrong[:30]))


def test_a_block_that_denies_uploads_denies_them_all():
    def prepare(folder):
        path = folder / "run/denoiser.conf"
        path.write_text(path.read_text().replace("location = /upload/ {", "location = /upload/ {\n    deny all;"))

    with service.running(model=MODEL, prepare=prepare) as running:
        ask = Asker(running.port)
        status, headers, body = ask("POST", "/upload/", b"{}")
        assert (status, json.loads(body)) == (403, {"detail": "Forbidden"})
        assert [spelling for spelling in spellings() if route(ask, spelling)[0] == "/upload/"] == []
