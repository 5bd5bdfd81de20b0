"""Makes what the peers load out of the encoder's files: a sentence-transformers folder and an ONNX graph."""
import json
import pathlib
import shutil
import sys
import warnings

TOKEN_LIMIT = 256


def sentence_transformer(encoder, folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    plain = folder / "transformer"
    plain.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        shutil.copy(encoder / name, plain / name)
    (plain / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": TOKEN_LIMIT}))
    transformer = Transformer(str(plain), max_seq_length=TOKEN_LIMIT)
    model = SentenceTransformer(
        modules=[transformer, Pooling(transformer.get_embedding_dimension()), Normalize()], device="cpu")
    model.save(str(folder / "sentence-transformer"))
    return model


def onnx(model, path):
    """ids[batch, tokens], mask → embeddings[batch, 384], in single precision, of any batch and length."""
    import torch

    class Embedding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = model[0].auto_model

        def forward(self, ids, mask):
            hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
            weight = mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    ids = torch.randint(1000, 2000, (2, 9))
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        Embedding().eval(), (ids, torch.ones_like(ids)), str(path), input_names=["ids", "mask"],
        output_names=["embeddings"], dynamic_axes={"ids": axes, "mask": axes, "embeddings": {0: "batch"}},
        opset_version=17, dynamo=False)


def main(encoder, folder):
    """Does nothing where it has been done; the last file is put in place last."""
    if not (folder / "encoder.onnx").exists():
        warnings.simplefilter("ignore")
        onnx(sentence_transformer(encoder, folder), folder / "unfinished.onnx")
        (folder / "unfinished.onnx").rename(folder / "encoder.onnx")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
