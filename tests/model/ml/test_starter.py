"""The starter model: its verdicts, its training and its size."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paths import STARTER

from ml.errors import UnusableArtifact
from ml.serving.artifact import MANIFEST, Manifest, file_hashes
from ml.serving.engine import Classifier
from ml.serving.probes import PROBES
from ml.serving.runtime import BATCH_TOKENS
from ml.training.base_model import DEFAULT_BASE_MODEL

MOST_MEGABYTES = 60
OFFICIAL_TRAIN = 25_000

Altered = Callable[[Callable[[Manifest], Manifest]], Path]


@pytest.fixture(scope="module")
def starter() -> Classifier:
    return Classifier.load(STARTER)


@pytest.fixture
def altered(tmp_path: Path) -> Altered:
    """A function that copies the starter and changes the copy's manifest."""

    def alter(change: Callable[[Manifest], Manifest]) -> Path:
        for path in STARTER.iterdir():
            if path.name != MANIFEST:
                (tmp_path / path.name).symlink_to(path)
        change(Manifest.read(STARTER)).write(tmp_path)
        return tmp_path

    return alter


def assert_refused(folder: Path, reason: str) -> None:
    with pytest.raises(UnusableArtifact) as caught:
        Classifier.load(folder)
    assert reason in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This was a good movie. I would watch it again", "Positive"),
        ("I cannot believe I have wasted time on this movie, it is the worst movie I have ever seen", "Negative"),
    ],
)
def test_the_examples_in_the_readme(starter: Classifier, text: str, label: str) -> None:
    (verdict,) = starter.classify([text])
    assert (verdict.label, verdict.sure) == (label, True)


def test_a_verdict_does_not_depend_on_the_rest_of_the_batch(starter: Classifier) -> None:
    texts = ["Dull.", "What a joy! " * 100, "", "Neither good nor bad, I would say.", *PROBES[:20]]
    together = starter.classify(texts)
    for text, verdict in zip(texts, together, strict=True):
        (alone,) = starter.classify([text])
        assert alone.windows == verdict.windows
        np.testing.assert_allclose(alone.logits, verdict.logits, atol=0.05)
    assert starter.classify([]) == []


def test_many_texts_of_all_lengths_keep_their_order(starter: Classifier) -> None:
    texts = [probe * (1 + number % 7) for number, probe in enumerate(PROBES)] * 4
    random.Random(3).shuffle(texts)
    assert sum(map(len, texts)) > 3 * 4 * BATCH_TOKENS, "several runs of the graph"
    alone = {text: starter.engine.logits([text])[0][0] for text in set(texts)}
    found, counts = starter.engine.logits(texts)
    np.testing.assert_allclose(found, [alone[text] for text in texts], atol=0.05)
    assert counts.tolist() == [
        len(starter.engine.tokenizer.windows(ids)) for ids in starter.engine.tokenizer.token_ids(texts)
    ]


def test_the_logits_of_a_text_are_the_mean_over_its_windows(starter: Classifier) -> None:
    text = "An absolute joy. " * 40 + "A tedious, hateful mess. " * 40
    reader = starter.engine.tokenizer
    batch = reader.pad(reader.windows(reader.token_ids([text])[0]), 1)
    each = starter.engine.graph([batch.input_ids, batch.attention_mask])[0]
    assert np.ptp(each, axis=0).min() > 1, "the windows disagree"
    (found,), (count,) = starter.engine.logits([text])
    assert count == len(each)
    np.testing.assert_allclose(found, each.mean(axis=0), atol=0.05)


def test_a_long_text_is_read_to_its_end(starter: Classifier) -> None:
    dull, joy = "It is a film about a train. " * 60, "An absolute joy, wonderful, I loved every minute! " * 20
    (before,) = starter.classify([dull])
    (after,) = starter.classify([dull + joy])
    assert after.windows > before.windows > 1
    assert after.logits[1] - after.logits[0] > before.logits[1] - before.logits[0] + 0.5


def test_it_was_trained_only_on_the_official_train_split(starter: Classifier) -> None:
    data = starter.manifest.data
    left_out = data["left_out_because_in_test"] + data["left_out_because_in_dev"]
    assert data["train"]["reviews"] + data["dev"]["reviews"] + left_out == OFFICIAL_TRAIN
    assert data["left_out_because_in_test"] == 123, "texts that are also in the official test split"
    assert data["train"]["digest"] != data["dev"]["digest"]


def test_it_was_made_by_the_default_recipe_from_the_default_encoder(starter: Classifier) -> None:
    manifest = starter.manifest
    assert manifest.recipe["name"] == "default"
    assert manifest.recipe["computed_in"] in ("float32", "bfloat16")
    assert {"seed", "learning_rate", "epochs"} <= manifest.recipe.keys()
    assert manifest.base == DEFAULT_BASE_MODEL
    assert {"keras", "tensorflow", "openvino", "numpy"} <= manifest.libraries.keys()
    assert 0.88 < manifest.figures["dev"]["accuracy"] < 1


def test_the_manifest_lists_every_file(starter: Classifier) -> None:
    assert starter.manifest.files == file_hashes(STARTER)


def test_it_is_small_enough_for_the_repository() -> None:
    assert sum(path.stat().st_size for path in STARTER.iterdir()) < MOST_MEGABYTES * 1_000_000


def test_the_probes_have_both_labels(starter: Classifier) -> None:
    labels = [verdict.label for verdict in starter.classify(PROBES)]
    assert 10 < labels.count("Positive") < len(PROBES) - 10, "probes of one label would not detect swapped labels"


def test_other_probe_logits_are_refused(altered: Altered) -> None:
    folder = altered(lambda manifest: replace(manifest, probe_logits=[row[::-1] for row in manifest.probe_logits]))
    assert_refused(folder, "the logits of its probe texts are off by")


def test_one_different_probe_is_refused(altered: Altered) -> None:
    def shift(manifest: Manifest) -> Manifest:
        (negative, positive), *others = manifest.probe_logits
        return replace(manifest, probe_logits=[[negative + 0.5, positive], *others])

    assert_refused(altered(shift), "the logits of its probe texts are off by 0.5")


def test_a_nan_probe_is_refused(altered: Altered) -> None:
    folder = altered(lambda manifest: replace(manifest, probe_logits=[[float("nan")] * 2] * len(PROBES)))
    assert_refused(folder, "the logits of its probe texts are off by nan")


@pytest.mark.parametrize("count", [0, 1, len(PROBES) - 1])
def test_another_number_of_probes_is_refused(altered: Altered, count: int) -> None:
    folder = altered(lambda manifest: replace(manifest, probe_logits=manifest.probe_logits[:count]))
    assert_refused(folder, f"it has {count} probe texts, but this program has {len(PROBES)}")


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    for path in STARTER.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "config.json").unlink()
    facts = json.loads((STARTER / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**facts, "num_hidden_layers": 5}), encoding="utf-8")
    assert_refused(tmp_path, "config.json is not the file that was published")


def test_the_probes_detect_a_different_window(altered: Altered) -> None:
    assert_refused(
        altered(lambda manifest: replace(manifest, window=12, overlap=2)), "the logits of its probe texts are off by"
    )
