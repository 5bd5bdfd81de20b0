"""Folders of a small encoder, and what sentence-transformers makes of them.

    python encoder_folders.py    # with sentence-transformers: writes encoder_folders.npz

The weights follow from a formula, so that only the vectors are kept: one layer of 384 features, whose last layer
norm spreads the rows' lengths.
"""
import json
import pathlib
import struct

import numpy

VECTORS = pathlib.Path(__file__).with_suffix(".npz")
HIDDEN, INNER, POSITIONS = 384, 48, 512

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éÉèûàÀÖöß")
VOCABULARY = SPECIAL + LETTERS + ["##" + letter for letter in LETTERS] + list(".,!?'-中文字") + ["##文", "##字"] + [
    "the", "The", "cat", "Cat", "brulee", "Brûlée", "brûlée", "deja", "##jà", "DÉJÀ"]

TEXTS = [
    "The cat, the Cat and THE CAT!", "Crème Brûlée? DÉJÀ vu, ÖL und Straße", "中文字 mixed 文字x", "a", "",
    " ".join("abcdefghij"[i % 10] * (i % 3 + 1) for i in range(90)), "Zoë " * 300,
]


def weights():
    """Tensors by name."""
    shapes = {
        "embeddings.word_embeddings.weight": (len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN)}
    layer = "encoder.layer.0"
    for name, rows, columns in [
            ("attention.self.query", HIDDEN, HIDDEN), ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN), ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", INNER, HIDDEN), ("output.dense", HIDDEN, INNER)]:
        shapes[f"{layer}.{name}.weight"], shapes[f"{layer}.{name}.bias"] = (rows, columns), (rows,)
    for name in ("embeddings", f"{layer}.attention.output", f"{layer}.output"):
        shapes[f"{name}.LayerNorm.weight"] = shapes[f"{name}.LayerNorm.bias"] = (HIDDEN,)
    tensors = {}
    for number, (name, shape) in enumerate(sorted(shapes.items())):
        index = numpy.arange(numpy.prod(shape), dtype=numpy.uint64) + numpy.uint64(1_000_003 * (number + 1))
        # The 64-bit mix of SplitMix: integers alone, the same everywhere.
        z = index * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        uniform = ((z ^ (z >> numpy.uint64(31))) >> numpy.uint64(40)).astype(numpy.float32) / 2**24 - 0.5
        spread = 1.0 if "LayerNorm" in name or "embeddings" in name else 0.2
        tensors[name] = (uniform * spread + ("LayerNorm.weight" in name)).astype(numpy.float32).reshape(shape)
    return tensors


def safetensors(tensors):
    """The file's bytes."""
    header, place = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [place, place + tensor.nbytes]}
        place += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(t.tobytes() for t in tensors.values())


CONFIGURATION = {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN,
    "num_hidden_layers": 1, "num_attention_heads": 12, "intermediate_size": INNER, "vocab_size": len(VOCABULARY),
    "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "position_embedding_type": "absolute"}


def modules(*names):
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize", "Dense": "2_Dense"}
    return [{"idx": i, "name": str(i), "path": paths[name], "type": f"sentence_transformers.models.{name}"}
            for i, name in enumerate(names)]


def pooling(*modes):
    return {"word_embedding_dimension": HIDDEN, **{
        f"pooling_mode_{mode}": mode in modes
        for mode in ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")}}


def tokenizer(lowercase=True, strip_accents=None, chinese=True):
    """What tokenizer.json holds."""
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": True} for i, token in enumerate(SPECIAL)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": chinese,
                       "strip_accents": strip_accents, "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [SPECIAL.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {token: i for i, token in enumerate(VOCABULARY)}}}


# As all-MiniLM-L6-v2 is published.
PUBLISHED = {
    "modules.json": modules("Transformer", "Pooling", "Normalize"),
    "1_Pooling/config.json": pooling("mean_tokens"),
    "sentence_bert_config.json": {"max_seq_length": 256, "do_lower_case": False},
    "tokenizer_config.json": {
        "do_lower_case": True, "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
        "mask_token": "[MASK]", "tokenize_chinese_chars": True, "strip_accents": None, "do_basic_tokenize": True,
        "never_split": None, "model_max_length": 512, "tokenizer_class": "BertTokenizer"},
    "tokenizer.json": tokenizer(),
    "config_sentence_transformers.json": {
        "__version__": {"sentence_transformers": "2.0.0"}, "prompts": {"query": "search: "}, "default_prompt_name": None}}


def configured(**settings):
    return {"tokenizer_config.json": {**PUBLISHED["tokenizer_config.json"], **settings}}


# What differs in each folder; None is a file that is not there.
CASES = {
    "published": {},
    "first token": {"1_Pooling/config.json": pooling("cls_token")},
    "first token, newer form": {"1_Pooling/config.json": {"embedding_dimension": HIDDEN, "pooling_mode": "cls"}},
    "not normalised": {"modules.json": modules("Transformer", "Pooling")},
    "first token, not normalised": {
        "modules.json": modules("Transformer", "Pooling"), "1_Pooling/config.json": pooling("cls_token")},
    "cased": configured(do_lower_case=False) | {"tokenizer.json": tokenizer(False)},
    "cased, tokenizer.json disagrees": configured(do_lower_case=False),
    "accents kept": configured(strip_accents=False) | {"tokenizer.json": tokenizer(strip_accents=False)},
    "cased, lowered by the module": configured(do_lower_case=False) | {
        "tokenizer.json": tokenizer(False), "sentence_bert_config.json": {"max_seq_length": 256, "do_lower_case": True}},
    "ideographs not spaced": configured(tokenize_chinese_chars=False) | {"tokenizer.json": tokenizer(chinese=False)},
    "generic tokenizer": {
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, **{
            f"{n}_token": f"[{n.upper()}]" for n in ("unk", "cls", "sep", "pad", "mask")}},
        "tokenizer.json": tokenizer(False), "sentence_bert_config.json": {"do_lower_case": False}},
    "16 tokens": {"sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False}},
    "20 tokens by the tokenizer": configured(model_max_length=20) | {"sentence_bert_config.json": None},
    "512 tokens": {"sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False}},
    "512 positions": configured(model_max_length=1000000000000000019884624838656) | {
        "sentence_bert_config.json": {"max_seq_length": None, "do_lower_case": False}},
}


def lay_out(folder, changes, files=PUBLISHED):
    """The encoder in `folder`, with `changes` to `files`."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(safetensors(weights()))
    for name, content in ({"config.json": CONFIGURATION} | files | changes).items():
        put(folder / name, content)
    return folder


def put(path, content):
    """`content` as JSON, or as it is; None for no file."""
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def main():
    import tempfile

    import sentence_transformers

    vectors = {}
    for name, changes in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            model = sentence_transformers.SentenceTransformer(
                str(lay_out(pathlib.Path(folder), changes)), device="cpu", local_files_only=True)
            vectors[name] = model.encode(TEXTS, batch_size=1)
            print(name, model.max_seq_length, numpy.linalg.norm(vectors[name], axis=1).round(3))
    numpy.savez_compressed(VECTORS, **vectors)


if __name__ == "__main__":
    main()
