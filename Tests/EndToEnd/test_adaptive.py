"""The adaptive denoiser as users meet it: answers, uploads, versions, commands."""
import io
import json
import math
import pickle
import xml.etree.ElementTree
import zipfile

import pytest
from support import commands, service
from support.commands import refusal
from support.uploads import sentences, upload

TEXTS = [line for line in (service.TOP / "README.md").read_text().splitlines() if len(line) > 60][:40]


def denoiser(folder, *arguments): return commands.denoiser(folder, *arguments, text=True)
def dot(a, b): return sum(x * y for x, y in zip(a, b))
def cosine(a, b): return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def embeddings(folder, texts=TEXTS, *arguments, command="embed"):
    (folder / "texts").write_text("\n".join(texts) + "\n")
    done = denoiser(folder, command, "--input", "texts", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def noisy(rows, level, seed=3):
    import random
    rng = random.Random(seed)
    return [[x + rng.gauss(0, level) for x in row] for row in rows]


def denoised(running, rows, **more):
    status, headers, answer = running.post("/denoise/embedding", {"embeddings": rows, **more})
    assert status == 200, answer
    return headers, answer["denoised_embeddings"]


def state_dicts(path):
    """Names and shapes under each entry of a `.pt` file, by Python's own pickle with three names allowed."""
    archive = zipfile.ZipFile(path)

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) == ("collections", "OrderedDict"):
                return dict
            if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
                return lambda storage, offset, shape, *rest: shape
            assert (module, name) == ("torch", "FloatStorage")
            return name

        def persistent_load(self, identity):
            return identity

    saved = Reader(io.BytesIO(archive.read("archive/data.pkl"))).load()
    return {key: value for key, value in saved.items() if isinstance(value, dict)}


ORIGINAL = {
    "encoder.0.weight": (128, 384), "encoder.0.bias": (128,), "encoder.2.weight": (64, 128),
    "encoder.2.bias": (64,), "decoder.0.weight": (128, 64), "decoder.0.bias": (128,),
    "decoder.2.weight": (384, 128), "decoder.2.bias": (384,)}


def test_clean_rows_come_back_to_the_bit_and_noise_is_estimated(tmp_path):
    clean = embeddings(tmp_path)
    with service.running() as running:
        service.until(running, " (adaptive), the built-in one")
        headers, answer = denoised(running, clean)
        assert answer == clean and float(headers["x-noise-estimate"]) == 0
        status, headers, answer = running.post("/denoise/text", {"texts": TEXTS})
        assert answer["denoised_embeddings"] == clean and float(headers["x-noise-estimate"]) == 0
        for level in (0.03, 0.1, 0.2):
            rows = noisy(clean, level)
            headers, answer = denoised(running, rows)
            assert float(headers["x-noise-estimate"]) == pytest.approx(level, rel=0.05)
            before = sum(map(cosine, rows, clean)) / len(clean)
            after = sum(map(cosine, answer, clean)) / len(clean)
            assert after > before + 0.01, (level, before, after)
        status, headers, _ = running.post("/denoise/text", {"texts": TEXTS, "noise_level": 0.1})
        assert status == 200 and float(headers["x-noise-estimate"]) == pytest.approx(0.1, rel=0.05)


def test_the_strength_of_the_service_says_how_far_rows_move(tmp_path):
    clean = embeddings(tmp_path)
    rows = noisy(clean, 0.1)
    ways = {}
    for strength in ("safe", "balanced", "restore"):
        with service.running("--strength", strength) as running:
            _, answer = denoised(running, rows)
            ways[strength] = sum(math.dist(a, b) for a, b in zip(answer, rows))
    assert 0 < ways["safe"] < ways["balanced"] < ways["restore"]


def test_a_file_of_the_original_alone_is_served_as_it_is():
    with service.running(model=service.MODEL) as running:
        headers, answer = denoised(running, [[0.05] * 384])
        assert "x-noise-estimate" not in headers and answer != [[0.05] * 384]
        service.until(running, "(autoencoder)")


def test_few_lines_change_nothing_that_answers_and_leave_a_file_for_the_original(tmp_path):
    clean = embeddings(tmp_path)
    rows = noisy(clean, 0.1)
    with service.running("--epochs", "2") as running:
        _, before = denoised(running, rows)
        status, headers, answer = upload(running, "\n".join(TEXTS[:8]))
        assert status == 200 and list(answer) == ["filename", "word_count", "loss"]
        assert headers["x-adapted"] == "0.0" and headers["x-activated"] == "true"
        assert "x-activation-reason" not in headers
        headers, after = denoised(running, rows)
        assert after == before and headers["x-model-version"].startswith("1-")
        service.until(running, "not adapted: too few lines")
        dicts = state_dicts(running.model)
        assert dicts["model_state_dict"] == ORIGINAL
        assert {"mu", "U", "w", "Wi", "bi", "Ws", "Wo", "bo"} <= set(dicts["adaptive_state_dict"])


def test_an_upload_adapts_as_far_as_its_held_out_lines_allow():
    with service.running("--epochs", "2", "--seed", "5") as running:
        status, headers, _ = upload(running, sentences(400))
        assert status == 200 and headers["x-activated"] == "true", headers
        assert float(headers["x-adapted"]) in (0, 0.25, 0.5, 0.75, 1)
        # So uniform a text is learned, whatever else is not.
        assert float(headers["x-adapted"]) > 0
        assert float(headers["x-denoised-cosine"]) > float(headers["x-noisy-cosine"])


def test_a_model_that_is_worse_than_doing_nothing_is_kept_but_not_put_live(tmp_path):
    rows = [[0.05] * 384]
    with service.running("--epochs", "2", "--denoiser", "autoencoder") as running:
        headers, before = denoised(running, rows)
        live = headers["x-model-version"]
        status, headers, answer = upload(running, sentences(60))
        assert status == 200 and list(answer) == ["filename", "word_count", "loss"]
        assert headers["x-activated"] == "false" and "x-adapted" not in headers
        assert headers["x-activation-reason"].startswith("worse than doing nothing: on ")
        kept = headers["x-model-version"]
        assert kept.startswith("1-")
        service.until(running, f"trained model {kept} (autoencoder)")
        service.until(running, "; not activated: worse than doing nothing: on ")
        headers, after = denoised(running, rows)
        assert headers["x-model-version"] == live and after == before
        listing = denoiser(tmp_path, "models", "--model", running.model).stdout
        assert f"  {kept}  from nothing" in listing and f"* {live}  built in  adaptive" in listing
        restored = denoiser(tmp_path, "models", "--model", running.model, "--restore", kept)
        assert restored.returncode == 0 and f"* {kept}" in restored.stdout
        assert service.wait_until(
            lambda: denoised(running, rows)[0]["x-model-version"] == kept)
        back = denoiser(tmp_path, "models", "--model", running.model, "--restore", live)
        assert back.returncode == 0, back.stderr
        assert service.wait_until(
            lambda: denoised(running, rows)[0]["x-model-version"] == live)
        # As the notebook reads it.
        assert state_dicts(running.model)["model_state_dict"] == ORIGINAL


def test_told_to_the_original_is_put_live_whatever_it_does():
    with service.running(
            "--epochs", "2", "--denoiser", "autoencoder", "--activate", "always") as running:
        status, headers, _ = upload(running, sentences(60))
        assert headers["x-activated"] == "true" and "x-activation-reason" not in headers
        assert denoised(running, [[0.05] * 384])[0]["x-model-version"] == headers["x-model-version"]


def test_the_command_train_says_what_became_of_the_model(tmp_path):
    (tmp_path / "text").write_text(sentences(60))
    train = ["train", "--input", "text", "--epochs", "2", "--output", "m.pt"]
    done = denoiser(tmp_path, *train, "--denoiser", "autoencoder")
    assert done.returncode == 0 and not (tmp_path / "m.pt").exists()
    assert "is kept as a version but not live: worse than doing nothing" in done.stderr
    assert ["activated", "no"] in [line.split() for line in done.stdout.splitlines()]
    done = denoiser(tmp_path, *train)
    assert done.returncode == 0 and (tmp_path / "m.pt").exists(), done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["kind", "adaptive"] in rows and ["activated", "yes"] in rows


def test_the_similarity_of_two_texts_is_that_of_their_clean_embeddings(tmp_path):
    a, b = embeddings(tmp_path, TEXTS[:2])
    done = denoiser(tmp_path, "similarity", TEXTS[0], TEXTS[1])
    assert float(done.stdout) == pytest.approx(cosine(a, b), abs=1e-7)


def test_noise_may_be_told(tmp_path):
    def rows(*arguments):
        return embeddings(
            tmp_path, TEXTS, "--noise-level", "0.1", "--seed", "1", *arguments, command="denoise")

    automatic = rows()
    assert rows("--noise", "auto") == automatic
    assert rows("--noise", "0.02") != automatic
    far, near = rows("--strength", "restore"), rows("--strength", "safe")
    clean = embeddings(tmp_path)
    assert sum(map(cosine, far, clean)) > sum(map(cosine, near, clean))
    for argument in ("--noise=loud", "--noise=-1", "--noise=nan", "--strength=bold"):
        line = refusal(tmp_path, "denoise", "x", argument, status=64)
        assert all(word in line for word in argument.split("="))
    assert "auto or a number from 0.0" in refusal(tmp_path, "denoise", "x", "--noise", "loud", status=64)


def test_evaluate_prints_a_table_and_draws_it(tmp_path):
    (tmp_path / "texts").write_text("\n".join(TEXTS + TEXTS[:5]) + "\n")
    done = denoiser(tmp_path, "evaluate", "--input", "texts", "--noise-level", "0.07", "--plot", "curve.svg")
    assert done.returncode == 0, done.stderr
    head, table = done.stdout.split("\n\n")
    assert ["lines", str(len(TEXTS) + 5)] in [line.split() for line in head.splitlines()]
    lines = [line.split() for line in table.splitlines()]
    assert lines[1] == ["noise"] + ["noisy", "Wiener", "model"] * 4
    values = {float(line[0]): [float(cell) for cell in line[1:]] for line in lines[2:]}
    assert {0, 0.02, 0.05, 0.07, 0.1, 0.2} <= set(values)
    # Without noise all is kept; with it the model is above doing nothing.
    assert values[0][0] == values[0][2] == values[0][3] == values[0][5] == values[0][9] == 1
    assert values[0.1][2] > values[0.1][0] + 0.03
    drawing = xml.etree.ElementTree.parse(tmp_path / "curve.svg").getroot()
    lines = [line for line in drawing.iter("{http://www.w3.org/2000/svg}polyline")
             if len(line.get("points").split()) == len(values)]
    assert len(lines) == 6
    assert "--plot" in refusal(tmp_path, "evaluate", "--input", "texts", "--plot", "curve.png", status=64)
    (tmp_path / "few").write_text("one\ntwo\n")
    done = denoiser(tmp_path, "evaluate", "--input", "few")
    assert done.returncode == 0 and "no table" in done.stdout and not done.stderr.count("no table")
