"""A form with a text in every character set of the fixtures, and what the service makes of it.

usage: python -m support.charset_requests PORT    (in Tests/EndToEnd)   sends them all and says how many
"""
import base64
import json
import sys

from support import recorded


def form(label, content, name=b"file", more=b""):
    """An upload's request under a label."""
    headers = [("Content-Type", f"multipart/form-data; boundary=B; charset={label}".encode("latin-1"))]
    head = b'--B\r\nContent-Disposition: form-data; name="' + name + b'"' + more
    return "POST", "/upload/", headers, head + b"\r\n\r\n" + content + b"\r\n--B--\r\n"


def field_name(label):
    """The field's name in a set; in ASCII if Python knows none."""
    try: return "file".encode(label)
    except LookupError: return b"file"


def texts():
    """Label, the field's name, bytes and the text due; labels of sets that we do not read come in capitals only."""
    fixture = json.loads((recorded.FIXTURES / "charset-labels.json").read_text())
    for case in json.loads((recorded.FIXTURES / "form-charsets.json").read_text()) + fixture["sets"]:
        content = base64.b64decode(case["bytes"])
        is_unread = case["label"].lower() in fixture["unread"]
        if is_unread: yield case["label"], b"file", content, content.decode("latin-1")
        else: yield case["label"], field_name(case["label"]), content, case["text"]
    for label in fixture["unread"]:
        if label.isascii() and label == label.upper():
            yield label, b"file", b"\xb0\xa1\x1b$B", "°¡\x1b$B"


def send(port):
    """Sends them all; gives how many they are."""
    count = 0
    for label, name, content, text in texts():
        status, _, body = recorded.ask(port, *form(label, content, name))
        (issue,) = json.loads(body)["detail"]
        assert (status, issue["input"]) == (422, text or None), f"{label} {content!r}: {status} {body!r}"
        count += 1
    return count


if __name__ == "__main__":
    print(send(int(sys.argv[1])), "forms answered")
