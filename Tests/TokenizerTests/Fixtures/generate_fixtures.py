"""Write scalars.txt and random.json from what Hugging Face `tokenizers` does.

    python generate_fixtures.py

A digest is 64-bit FNV-1a. That of ids covers each as four bytes, lowest first. That of words covers, for
each word of the normalised and split text, its UTF-8 and the byte FF; a word of more than 100 scalars is
the byte FD instead. Words show what ids hide: most rare scripts are [UNK] in this vocabulary.
"""

import json
import random
import re
import unicodedata

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BLOCK = 256

tokenizer = tokenizers.Tokenizer(models.WordPiece.from_file("vocab.txt", unk_token="[UNK]", max_input_chars_per_word=100))
tokenizer.normalizer = normalizers.BertNormalizer(True, True, None, True)
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
tokenizer.add_special_tokens(SPECIAL)
start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")


def fnv(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def ids(text):
    """All ids, and those a limit of 256 leaves."""
    pieces = tokenizer.encode(text, add_special_tokens=False).ids
    return [start, *pieces, end], [start, *pieces[:254], end]


def words(text):
    for part in re.split("(" + "|".join(map(re.escape, SPECIAL)) + ")", text):
        if part in SPECIAL:
            yield part
        else:
            normalised = tokenizer.normalizer.normalize_str(part)
            yield from (word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalised))


def bytes_of_ids(numbers):
    return b"".join(n.to_bytes(4, "little") for n in numbers)


def bytes_of_words(text):
    return b"".join((w.encode() if len(w) <= 100 else b"\xfd") + b"\xff" for w in words(text))


with open("scalars.txt", "w") as file:
    print(f"# tokenizers {tokenizers.__version__}: a block of {BLOCK} scalars, each between a and b:", file=file)
    print("# its first scalar, the digest of all ids, the digest of all words", file=file)
    for first in range(0, 0x110000, BLOCK):
        if 0xD800 <= first < 0xE000:
            continue
        texts = ["a" + chr(c) + "b" for c in range(first, first + BLOCK)]
        all_ids = b"".join(bytes_of_ids(ids(t)[0]) for t in texts)
        all_words = b"".join(map(bytes_of_words, texts))
        print(f"{first:06X} {fnv(all_ids)} {fnv(all_words)}", file=file)

# Random texts. The pieces are chosen so that marks meet marks, and boundaries meet everything.
rng = random.Random(20240229)
vocabulary = [line.rstrip("\n").removeprefix("##") for line in open("vocab.txt", encoding="utf-8")]
scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
marks = [c for c in scalars if unicodedata.category(chr(c))[0] == "M"]
kept_marks = [c for c in marks if tokenizer.normalizer.normalize_str("a" + chr(c)) != "a" and unicodedata.combining(chr(c))]
composed = [c for c in scalars if unicodedata.decomposition(chr(c)) and not unicodedata.decomposition(chr(c)).startswith("<")]
cased = [c for c in scalars if chr(c).lower() != chr(c) or chr(c).upper() != chr(c)]
indic = [c for c in range(0x900, 0xE00)] + [c for c in range(0x11000, 0x11700)]
spaces = [*map(ord, "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000")]
controls = [*range(32), 0x7F, 0x80, 0x9F, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x2060, 0xFEFF, 0xFFFD, 0xFFFE, 0xE0001, 0xE000]
emoji = [0x1F600, 0x1F468, 0x1F3FD, 0x200D, 0xFE0F, 0x2764, 0x1F1E9, 0x1F1EA, 0xE0067, 0x1F9D1]
ideographs = [0x4E00, 0x9FFF, 0x3400, 0x4DBF, 0x20000, 0x2A6DF, 0x2A700, 0x2B73F, 0x2B740, 0x2B820, 0x2B920, 0x2CEAF, 0xF900, 0xFAFF, 0x2F800, 0x2FA1D]


def one_of(choices, count=1):
    return "".join(chr(rng.choice(choices)) for _ in range(count))


def any_case(word):
    return rng.choice([word, word.upper(), word.capitalize()])


pieces = [
    (8, lambda: any_case(rng.choice(vocabulary))),
    (6, lambda: " "),
    (4, lambda: one_of(range(33, 127), rng.randint(1, 3))),
    (4, lambda: one_of(marks, rng.randint(1, 4))),
    (4, lambda: one_of(kept_marks, rng.randint(2, 6))),
    (2, lambda: one_of(kept_marks) + one_of(marks) + one_of(kept_marks) + one_of([0x34F, 0x200D, 0xE000]) + one_of(kept_marks)),
    (4, lambda: one_of(composed, rng.randint(1, 3))),
    (3, lambda: one_of(cased, rng.randint(1, 4))),
    (3, lambda: one_of(range(0xAC00, 0xD7A4), rng.randint(1, 3))),
    (2, lambda: one_of(range(0x1100, 0x1200), rng.randint(1, 3))),
    (4, lambda: one_of(indic, rng.randint(1, 6))),
    (3, lambda: one_of(spaces)),
    (3, lambda: one_of(controls)),
    (2, lambda: one_of(emoji, rng.randint(1, 5))),
    (2, lambda: one_of(ideographs, rng.randint(1, 2))),
    (2, lambda: one_of(range(0x4E00, 0xA000), rng.randint(1, 4))),
    (2, lambda: one_of(range(0x370, 0x600), rng.randint(1, 8))),
    (2, lambda: one_of(range(0x600, 0x700), rng.randint(1, 8))),
    (2, lambda: one_of(scalars, rng.randint(1, 3))),
    (1, lambda: rng.choice(SPECIAL)),
    (1, lambda: rng.choice(SPECIAL).lower() + "[[" + rng.choice(SPECIAL)[:-1]),
]
weights = [w for w, _ in pieces]


def sentence(count):
    return "".join(make() for _, make in rng.choices(pieces, weights, k=count))


def long_word():
    """About 100 scalars once normalised, of one or several kinds."""
    count = rng.choice([98, 99, 100, 101, 102, 150])
    letters = rng.choice(["x", "ab", "é", "ñß", "가", "ж", "e\u0301", "\U0001D165\u302E", "字"])
    return (letters * count)[: count * rng.choice([1, 1, 2])]


def long_text():
    return " ".join(any_case(rng.choice(vocabulary)) for _ in range(rng.randint(60, 260))) + sentence(3)


texts = [sentence(rng.randint(1, 12)) for _ in range(4000)]
texts += [sentence(1) + long_word() + sentence(1) for _ in range(300)]
texts += [long_text() for _ in range(60)]
texts += [sentence(150) for _ in range(40)]
limited = [ids(t) for t in texts]
with open("random.json", "w", encoding="utf-8") as file:
    json.dump(
        {
            "source": f"tokenizers {tokenizers.__version__}, at most 256 word pieces",
            "texts": texts,
            "counts": [len(kept) for _, kept in limited],
            "truncated": [len(whole) > 256 for whole, _ in limited],
            "ids": [fnv(bytes_of_ids(kept)) for _, kept in limited],
            "words": [fnv(bytes_of_words(t)) for t in texts],
        },
        file,
        ensure_ascii=False,
        separators=(",", ":"),
    )
