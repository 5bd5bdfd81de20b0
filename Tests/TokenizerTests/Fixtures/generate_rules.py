"""Write rules.json: what Hugging Face `tokenizers` makes of Unicode scalars under other rules than BERT's uncased.

    python generate_rules.py

A digest is 64-bit FNV-1a over 4,096 scalars, each between A and b: for each word of the normalised and split text,
its UTF-8 and the byte FF.
"""

import json

import tokenizers
from tokenizers import normalizers, pre_tokenizers

BLOCK = 4096
# Those with characters in them.
BLOCKS = [*range(0, 0x32000, BLOCK), 0xE0000]
split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str

# Clean text, space ideographs, strip accents, lower case.
RULES = {
    "kept": normalizers.BertNormalizer(True, True, None, False),
    "keptWithoutSpaces": normalizers.BertNormalizer(True, False, None, False),
    "lowered": normalizers.BertNormalizer(True, True, False, True),
    "loweredWithoutSpaces": normalizers.BertNormalizer(True, False, False, True),
    "loweredWithoutAccentsOrSpaces": normalizers.BertNormalizer(True, False, None, True),
}


def fnv(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def digests(normalizer):
    for first in BLOCKS:
        texts = ("A" + chr(c) + "b" for c in range(first, first + BLOCK) if not 0xD800 <= c < 0xE000)
        yield fnv(b"".join(w.encode() + b"\xff" for t in texts for w, _ in split(normalizer.normalize_str(t))))


with open("rules.json", "w") as file:
    json.dump({"tokenizers": tokenizers.__version__, **{name: list(digests(n)) for name, n in RULES.items()}}, file, indent=0)
