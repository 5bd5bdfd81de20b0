"""Makes charset-labels.json beside itself: what Starlette decodes under every label that Python knows.

    python record_charset_labels.py        (with the packages of Tests/requirements.txt)

`sets` holds, for a label of every set, the text of all its bytes and, if some are errors, of one of these.
`labels` names for every spelling of a label the one in `sets` that decodes alike; `unread` those of a set of
several bytes, which we read as Latin-1 on purpose.
"""
import base64
import encodings
import encodings.aliases
import json
import pathlib
import pkgutil
import warnings

from starlette.formparsers import _user_safe_decode as decode

# Python warns of escapes in some of the sets.
warnings.simplefilter("ignore")
PROBES = [bytes([byte]) for byte in range(256)] + [
    text.encode(name) for text in ("文件é.txt", "𝄞", "\ufeffx") for name in
    ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig")]
PROBES += [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0", b"\0\xd8", b"\xd8\0", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\0\0\0\xd8",
           b"\0\0\x11\0", b"\0\x11\0\0", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbfx", b"\x81\x40", b"\xb0\xa1", b"\x8e\xb1",
           b"\x81\x30\x81\x30", b"~{VPND~}", b"\x1b$BJ8\x1b(B", b"\x1b$)C\x0e0!\x0f", b"+AOk-", b"\\u00e9", b"\\xe9", b"\xa4\x40"]
PROBES += [bytes([byte, 0xE1]) for byte in range(256)]  # An error makes the letter beside it Latin-1.


def behaviour(label):
    """All that is to be known of a label; None for one the reference fails on."""
    try:
        return tuple(decode(probe, label) for probe in PROBES)
    except (UnicodeError, ValueError):
        return None


def spellings(name):
    """A name as Python has it, and as people write it."""
    return {name, name.upper(), name.replace("_", "-"), name.replace("_", " "), name.replace("_", "."), f"-{name}__",
            name.replace("_", "é"), name[:2] + "." + name[2:]}


latin1 = behaviour("latin-1")
modules = sorted(module.name for module in pkgutil.iter_modules(encodings.__path__))
unicode = ["utf_8", "utf_8_sig", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"]
sets, known, unread = [], {latin1: "latin_1"}, []


def by_bytes(text, found, errors):
    """What a set of single bytes makes of a text."""
    is_valid = not any(byte in errors for byte in text)
    return "".join(found[byte] for byte in text) if is_valid else text.decode("latin-1")


def case(label, content):
    return {"label": label, "bytes": base64.b64encode(content).decode(), "text": decode(content, label)}


for module in modules:
    found = behaviour(module)
    if found is None or found in known: continue
    if module in unicode:
        known[found] = module
        sets += [case(module, probe) for probe in PROBES[256:-256]]
        continue
    defined, errors = [], []
    for byte in range(256):
        try: bytes([byte]).decode(module)
        except UnicodeError: errors.append(byte)
        else: defined.append(byte)
    whole = [bytes([a, b]) for a in range(256) for b in range(256)] + PROBES[256:]
    if any(decode(text, module) != by_bytes(text, found, errors) for text in whole):
        unread.append(module)
        continue
    known[found] = module
    sets.append(case(module, bytes(defined)))
    if errors: sets.append(case(module, b"a" + bytes(errors[:1]) + bytes(defined[-1:])))

labels, multibyte = {}, []
for name in sorted({*modules, *encodings.aliases.aliases, "nonsense", "iso_8859_99"}):
    for label in sorted(spellings(name)):
        found = behaviour(label)
        if found in known: labels[label] = known[found]
        else: multibyte.append(label)
text = json.dumps({"sets": sets, "labels": labels, "unread": multibyte}, ensure_ascii=False, separators=(",", ":"))
(pathlib.Path(__file__).parent / "charset-labels.json").write_text(text.replace('},{', '},\n{') + "\n")
print(len(sets), "texts,", len(labels), "labels,", len(multibyte), "unread:", unread)
