"""A request hidden in another's body, and whether the service is still what it was."""
import json

from support.fastcgi_peer import request
from support.uploads import FORM, form

TEXT = json.dumps({"texts": ["hello world"]}).encode()
# An upload in disguise: if it is ever served, the model has another version afterwards.
HIDDEN_FORM = form(b"one hidden line\nanother one\n")
HIDDEN = request("/upload/", HIDDEN_FORM, request=1, keep=1, content_type=FORM)


def still_answers(running):
    status, headers, answer = running.post("/denoise/text", {"texts": ["a", "b"]})
    assert status == 200 and answer["shape"] == [2, 384]
    return headers["x-model-version"]
