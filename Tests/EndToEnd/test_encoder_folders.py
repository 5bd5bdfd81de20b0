"""An encoder's folder decides how its texts are cut, pooled and scaled, or is refused in one line."""
import json
import shutil
import signal
import subprocess

import numpy
import pytest
from support import encoder_folders, service
from support.encoder_folders import CASES, PUBLISHED, TEXTS, configured, modules, pooling, put, tokenizer

EXPECTED = numpy.load(encoder_folders.VECTORS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The encoder as it is published."""
    return encoder_folders.lay_out(tmp_path_factory.mktemp("encoder") / "whole", {})


@pytest.fixture
def lay_out(whole, tmp_path):
    """Makes a folder with changes to the published files."""
    def make(changes, files=PUBLISHED):
        for name in ("vocab.txt", "model.safetensors"): shutil.copy(whole / name, tmp_path / name)
        for name, content in ({"config.json": encoder_folders.CONFIGURATION} | files | changes).items():
            put(tmp_path / name, content)
        return tmp_path
    return make


def run(folder, command, *arguments, status=0):
    done = subprocess.run(
        [str(service.BINARY), command, "--encoder", str(folder), *map(str, arguments)], capture_output=True,
        text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


def vectors(folder, texts=TEXTS):
    return numpy.array([json.loads(line) for line in run(folder, "embed", "--", *texts)[0].splitlines()])


@pytest.mark.parametrize("name", CASES)
def test_vectors_are_those_of_sentence_transformers(lay_out, name):
    folder, bound = lay_out(CASES[name]), 3e-6 * numpy.linalg.norm(EXPECTED[name], axis=1).max()
    assert abs(vectors(folder) - EXPECTED[name]).max() < bound
    run(folder, "pack")
    assert abs(vectors(folder) - EXPECTED[name]).max() < bound


def test_every_case_asks_for_other_vectors_than_the_published_one():
    """Else a file that is not read would go unseen."""
    alike = [name for name in CASES if abs(EXPECTED[name] - EXPECTED["published"]).max() < 1e-3]
    assert alike == ["published"]


def test_a_folder_of_three_files_is_computed_as_ever(lay_out):
    """To the bit, as with the files that all-MiniLM-L6-v2 is published with."""
    def bits(folder):
        # One by one: without packed weights a row's last bits follow from its batch.
        return [run(folder, "embed", text)[0] for text in (TEXTS[0], TEXTS[-1])]

    folder = lay_out({}, files={})
    assert abs(vectors(folder) - EXPECTED["published"]).max() < 3e-6
    alone = bits(folder)
    assert bits(lay_out({})) == alone


def test_a_pooling_file_counts_without_a_list_of_modules(lay_out):
    """The three files and the pooling beside them, normalised as ever."""
    folder = lay_out({"1_Pooling/config.json": pooling("cls_token")}, files={})
    assert abs(vectors(folder) - EXPECTED["first token"]).max() < 3e-6


@pytest.mark.parametrize("name, limit, count", [
    ("published", 256, 1), ("16 tokens", 16, 3), ("20 tokens by the tokenizer", 20, 3), ("512 tokens", 512, 1)])
def test_the_folders_length_is_where_texts_are_cut(lay_out, name, limit, count):
    folder = lay_out(CASES[name])
    for command in ("tokenize", "embed", "denoise"):
        error = run(folder, command, "--", *TEXTS)[1]
        assert f"{count} text{'s were' if count > 1 else ' was'} cut at {limit} tokens" in error
    ids = [json.loads(line) for line in run(folder, "tokenize", "--", *TEXTS)[0].splitlines()]
    assert max(map(len, ids)) == limit


VOCABULARY = tokenizer()["model"]["vocab"]


def with_vocabulary(vocabulary):
    whole = tokenizer()
    return whole | {"model": whole["model"] | {"vocab": vocabulary}}


REFUSED = {
    "max pooling": ({"1_Pooling/config.json": pooling("max_tokens")}, "1_Pooling/config.json: pooling_mode_max_tokens: true"),
    "square root": ({"1_Pooling/config.json": pooling("mean_sqrt_len_tokens")}, "pooling_mode_mean_sqrt_len_tokens: true"),
    "two ways of pooling": ({"1_Pooling/config.json": pooling("cls_token", "mean_tokens")}, "pooling_mode_cls_token: true"),
    "newer form": ({"1_Pooling/config.json": {"pooling_mode": "lasttoken"}}, 'pooling_mode: "lasttoken"'),
    "newer form, two": ({"1_Pooling/config.json": {"pooling_mode": ["cls", "mean"]}}, 'pooling_mode: ["cls", "mean"]'),
    "a way of pooling to come": (
        {"1_Pooling/config.json": pooling("mean_tokens") | {"pooling_mode_median_tokens": True}}, "pooling_mode_median_tokens: true"),
    "no truth value": ({"1_Pooling/config.json": {"pooling_mode_cls_token": "yes"}}, 'pooling_mode_cls_token: "yes"'),
    "no pooling file": ({"1_Pooling/config.json": None}, "1_Pooling/config.json: missing"),
    "a dense module": ({"modules.json": modules("Transformer", "Pooling", "Dense", "Normalize")}, 'type: "sentence_transformers.models.Dense"'),
    "no pooling": ({"modules.json": modules("Transformer")}, "modules.json: "),
    "an unknown first module": ({"modules.json": [{"type": "models.CLIPModel", "path": ""}]}, 'type: "models.CLIPModel"'),
    "a transformer elsewhere": ({"modules.json": [{"type": "m.Transformer", "path": "0_Transformer"}]}, 'path: "0_Transformer"'),
    "modules that are no list": ({"modules.json": {}}, "modules.json: "),
    "no JSON": ({"sentence_bert_config.json": "{"}, "sentence_bert_config.json: not JSON"),
    "longer texts": ({"sentence_bert_config.json": {"max_seq_length": 1024}}, "max_seq_length: 1024"),
    "no length": ({"sentence_bert_config.json": {"max_seq_length": "many"}}, 'max_seq_length: "many"'),
    "half a token": ({"sentence_bert_config.json": {"max_seq_length": 20.5}}, "max_seq_length: 20.5"),
    "one token": ({"sentence_bert_config.json": {"max_seq_length": 1}}, "max_seq_length: 1"),
    "settings of the model": ({"sentence_bert_config.json": {"model_args": {"torch_dtype": "float16"}}}, "model_args: {"),
    "another task": ({"sentence_bert_config.json": {"transformer_task": "fill-mask"}}, 'transformer_task: "fill-mask"'),
    "another tokenizer": (configured(tokenizer_class="MPNetTokenizer"), 'tokenizer_class: "MPNetTokenizer"'),
    "accents stripped of capitals": (configured(do_lower_case=False, strip_accents=True), "strip_accents: true"),
    "another end": (configured(sep_token="</s>"), 'sep_token: "</s>"'),
    "another start as an object": (configured(cls_token={"content": "<s>"}), 'cls_token: {"content": "<s>"}'),
    "pieces of another kind": ({"tokenizer.json": tokenizer() | {"model": {"type": "Unigram", "vocab": []}}}, 'model: type: "Unigram"'),
    "another normalizer": ({"tokenizer.json": tokenizer() | {"normalizer": {"type": "Lowercase"}}}, 'normalizer: type: "Lowercase"'),
    "no normalizer": ({"tokenizer.json": tokenizer() | {"normalizer": None}}, "normalizer: "),
    "other words": ({"tokenizer.json": tokenizer() | {"pre_tokenizer": {"type": "Whitespace"}}}, 'pre_tokenizer: type: "Whitespace"'),
    "a token of its own": (
        {"tokenizer.json": tokenizer() | {"added_tokens": [{"id": 9, "content": "<user>"}]}}, 'added_tokens: content: "<user>"'),
    "a token of its own, elsewhere": (
        configured(added_tokens_decoder={"0": {"content": "[PAD]"}, "9": {"content": "<user>"}}),
        'added_tokens_decoder: content: "<user>"'),
    "another start in a list": (
        {"special_tokens_map.json": {"cls_token": "[MASK]"}}, 'special_tokens_map.json: cls_token: "[MASK]"'),
    "texts cut at their start": (configured(truncation_side="left"), 'truncation_side: "left"'),
    "the same elsewhere": (
        {"tokenizer.json": tokenizer() | {"truncation": {"direction": "Left", "max_length": 8}}}, 'truncation: direction: "Left"'),
    "special tokens in pieces": (configured(split_special_tokens=True), "split_special_tokens: true"),
    "a token of its own, in a file": ({"added_tokens.json": {"<user>": 200}}, 'added_tokens.json: "<user>"'),
    "another vocabulary": (
        {"tokenizer.json": with_vocabulary({**VOCABULARY, "cat": VOCABULARY["Cat"], "Cat": VOCABULARY["cat"]})},
        'model: vocab: "Cat" is number'),
    "a longer vocabulary": ({"tokenizer.json": with_vocabulary({**VOCABULARY, "dog": len(VOCABULARY)})}, "model: vocab: "),
    "a vocabulary with a gap": ({"tokenizer.json": with_vocabulary({**VOCABULARY, "dog": 999})}, "has the number"),
    "casing that nothing reads": (
        {"tokenizer.json": tokenizer(False), "tokenizer_config.json": None}, "normalizer: lowercase: false"),
    "a prompt": (
        {"config_sentence_transformers.json": {"prompts": {"query": "query: "}, "default_prompt_name": "query"}},
        'default_prompt_name: "query"'),
    "shorter embeddings": ({"config_sentence_transformers.json": {"truncate_dim": 128}}, "truncate_dim: 128"),
    "a sparse encoder": ({"config_sentence_transformers.json": {"model_type": "SparseEncoder"}}, 'model_type: "SparseEncoder"'),
    "another architecture": ({"config.json": encoder_folders.CONFIGURATION | {"model_type": "roberta"}}, 'model_type: "roberta"'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_computed_is_refused_in_one_line_that_names_it(lay_out, what):
    changes, words = REFUSED[what]
    folder = lay_out(changes)
    output, error = run(folder, "embed", "a", status=78)
    assert not output and error.count("\n") == 1 and words in error and str(folder) in error, error
    checked = run(folder, "serve", "--check", status=78)[0]
    assert any(line.startswith("problem  encoder: ") and words in line for line in checked.splitlines()), checked


def test_a_vocabulary_may_stand_in_tokenizer_json_alone(lay_out):
    folder = lay_out({})
    (folder / "vocab.txt").unlink()
    assert abs(vectors(folder) - EXPECTED["published"]).max() < 3e-6
    (folder / "tokenizer.json").unlink()
    assert "vocab.txt" in run(folder, "embed", "a", status=78)[1]


def test_an_empty_default_prompt_changes_nothing(lay_out):
    folder = lay_out({"config_sentence_transformers.json": {"prompts": {"": "", "none": ""}, "default_prompt_name": "none"}})
    assert abs(vectors(folder, ["a"]) - EXPECTED["published"][3]).max() < 3e-6


def test_check_says_what_differs(lay_out):
    folder = lay_out(CASES["first token, not normalised"] | CASES["cased"] | CASES["16 tokens"])
    checked = run(folder, "serve", "--check")[0]
    assert f"{folder}: pooled by [CLS], not normalised, cased, 16 tokens" in checked
    assert "tokens" not in next(l for l in run(lay_out({}), "serve", "--check")[0].splitlines() if " encoder: " in l).replace(str(folder), "")


def denoised(running, text):
    return running.post("/denoise/text", {"texts": [text]})[2]["denoised_embeddings"]


def test_a_running_service_takes_changed_files_up_and_refuses_what_it_cannot(lay_out):
    folder = lay_out({})
    with service.running("--encoder", str(folder)) as running:
        seen = [denoised(running, TEXTS[0])]
        assert "tokens 256," in running.log()
        for count, changes in enumerate([
                CASES["first token"], CASES["not normalised"], CASES["cased"], CASES["16 tokens"]], 1):
            for name, content in changes.items(): put(folder / name, content)
            running.process.send_signal(signal.SIGHUP)
            assert service.wait_until(lambda: running.log().count("denoiser: reloaded") == count)
            seen.append(denoised(running, TEXTS[0]))
        assert all(a != b for a, b in zip(seen, seen[1:]))
        assert "tokens 16," in running.log().splitlines()[-1]
        status, headers, _ = running.post("/denoise/text", {"texts": TEXTS})
        assert status == 200 and headers["x-truncated"] == "4"
        put(folder / "1_Pooling/config.json", pooling("max_tokens"))
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "not reloaded" in running.log())
        assert "pooling_mode_max_tokens: true" in running.log()
        assert denoised(running, TEXTS[0]) == seen[-1]


def test_sums_that_come_after_a_file_was_written_over_are_taken_up(lay_out):
    folder, name = lay_out({}), "1_Pooling/config.json"
    with service.running("--encoder", str(folder)) as running:
        before = denoised(running, TEXTS[0])
        (folder / name).write_text(json.dumps(pooling("cls_token")))
        assert service.wait_until(lambda: "nothing says that it is whole" in running.log()), running.log()
        sums = subprocess.run(["sha256sum", name], cwd=folder, capture_output=True, text=True).stdout
        (folder / "SHA256SUMS").write_text("0" * 64 + sums[64:])
        assert service.wait_until(lambda: f"{name} is not what SHA256SUMS says" in running.log()), running.log()
        assert denoised(running, TEXTS[0]) == before
        (folder / "SHA256SUMS").write_text(sums)
        assert service.wait_until(lambda: "reloaded the encoder" in running.log()), running.log()
        assert denoised(running, TEXTS[0]) != before


def replace(path, content):
    """As an upgrade does it: by renaming."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name("beside")
    beside.write_text(json.dumps(content))
    beside.rename(path)


def named_modules(pool):
    named = modules("Transformer", "Pooling", "Normalize")
    named[1]["path"], named[2]["path"] = pool, "norm"
    return named


def test_folders_of_modules_are_watched_whatever_their_names(lay_out):
    folder = lay_out({"modules.json": named_modules("pool"), "pool/config.json": pooling("mean_tokens")})
    shutil.rmtree(folder / "1_Pooling")
    with service.running("--encoder", str(folder)) as running:
        mean = denoised(running, TEXTS[0])
        replace(folder / "pool/config.json", pooling("cls_token"))
        assert service.wait_until(lambda: running.log().count("reloaded the encoder") == 1, 10), running.log()
        assert f"{folder}/pool/config.json was replaced" in running.log()
        first = denoised(running, TEXTS[0])
        assert first != mean
        # Written over in place, HUP takes it up.
        (folder / "pool/config.json").write_text(json.dumps(pooling("mean_tokens")))
        running.process.send_signal(signal.SIGHUP)
        assert service.wait_until(lambda: "reloaded: " in running.log())
        assert denoised(running, TEXTS[0]) == mean
        # A folder that the list names before it is whole is looked at from then on.
        replace(folder / "modules.json", named_modules("other"))
        assert service.wait_until(lambda: "other/config.json: missing" in running.log(), 10), running.log()
        replace(folder / "other/config.json", pooling("cls_token"))
        assert service.wait_until(lambda: running.log().count("reloaded the encoder") == 2, 10), running.log()
        assert denoised(running, TEXTS[0]) == first
        replace(folder / "norm/config.json", {"module_input_name": "token_embeddings"})
        assert service.wait_until(lambda: 'module_input_name: "token_embeddings"' in running.log(), 10), running.log()


def test_an_option_may_ask_for_fewer_tokens_but_not_for_more(lay_out):
    folder = lay_out(CASES["20 tokens by the tokenizer"])
    for option, count in [("8", "5"), ("300", "3"), ("512", "3")]:
        with service.running("--encoder", str(folder), "--tokens", option) as running:
            assert running.post("/denoise/text", {"texts": TEXTS})[1]["x-truncated"] == count
            assert f"tokens {min(int(option), 20)}," in running.log()
