"""Texts to train on, and the form that an upload is."""
import json
import random

FORM = "multipart/form-data; boundary=X"
WORDS = """river stone winter garden engine letter music window bridge market doctor island teacher
history science summer forest planet kitchen mirror paper silver thunder village ocean""".split()


def sentences(count, seed=1):
    rng = random.Random(seed)
    return "\n".join(
        f"the {rng.choice(WORDS)} of a {rng.choice(WORDS)} is near the {rng.choice(WORDS)} number {i}"
        for i in range(count)) + "\n"


def form(text, name="text.txt"):
    """The body of an upload, whose content type is FORM."""
    head = f'--X\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return head + (text if isinstance(text, bytes) else text.encode()) + b"\r\n--X--\r\n"


def upload(running, text="a line\nand another\n", name="text.txt", **headers):
    """Uploads `text`, with more headers if any; gives the status, the headers and the answer."""
    status, headers, answer = running.request(
        "POST", "/upload/", form(text, name), {"content-type": FORM, **headers}, timeout=600)
    return status, headers, json.loads(answer)
