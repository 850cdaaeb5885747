"""A complete fine-tune of a small BERT model, from a file with a few labelled sentences to a published folder."""

import json
import shutil
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
import pytest
from small_model import CONFIG, LIKED, RECIPE, FineTuneResult, RandomBert, run_fine_tune

from cli import fine_tune as fine_tune_command
from ml.bert.pretrained import WEIGHTS
from ml.errors import FineTuneDiverged, FolderTaken, UnusableCheckpoint
from ml.serving.artifact import MANIFEST, verified_manifest
from ml.serving.engine import Classifier
from ml.serving.probes import PROBES
from ml.text.fingerprints import digest
from ml.text.labels import LABELS
from ml.training.base_model import BaseModel
from ml.training.feedback_round import base_model_from
from ml.training.fine_tune import fine_tune
from ml.training.loop import TrainingCallbacks, TrainingProgress
from ml.training.recipe import Recipe


def test_the_published_folder_verifies_loads_and_is_the_only_output(fine_tuned: FineTuneResult) -> None:
    out = fine_tuned.job.out
    assert verified_manifest(out) == fine_tuned.manifest
    assert Classifier.load(out).version == fine_tuned.manifest.version
    assert list(out.parent.iterdir()) == [out]


def test_the_model_learned_its_training_set(fine_tuned: FineTuneResult) -> None:
    shown = fine_tuned.job.training_set.examples
    verdicts = Classifier.load(fine_tuned.job.out).classify(shown.texts)
    labels = shown.targets.argmax(axis=1)
    right = [verdict.label == LABELS[label] for verdict, label in zip(verdicts, labels, strict=True)]
    # A random guess is right half the time.
    assert sum(right) / len(right) > 0.8


def test_every_step_is_reported_and_the_loss_falls(fine_tuned: FineTuneResult) -> None:
    steps = RECIPE.epochs * -(-len(fine_tuned.job.training_set.examples.texts) // RECIPE.batch_size)
    assert [(progress.step, progress.steps) for progress in fine_tuned.progress] == [
        (n, steps) for n in range(1, steps + 1)
    ]
    assert fine_tuned.progress[-1].loss < fine_tuned.progress[steps // 2].loss
    assert fine_tuned.progress[-1].reviews_per_second > 0


def test_the_manifest_describes_the_fine_tune(fine_tuned: FineTuneResult, small_base: BaseModel) -> None:
    manifest, training_set = fine_tuned.manifest, fine_tuned.job.training_set
    assert manifest.base == small_base.name
    assert (manifest.window, manifest.overlap) == (RECIPE.window, RECIPE.overlap)
    assert manifest.recipe == {**asdict(RECIPE), "computed_in": "float32", "steps": len(fine_tuned.progress)}
    assert manifest.data["file"] == "reviews.csv"
    assert manifest.data["train"] == {
        "reviews": len(training_set.examples.texts),
        "digest": digest(training_set.examples.texts),
    }
    assert manifest.data["dev"] == {"reviews": len(training_set.dev), "digest": digest(training_set.dev["text"])}
    assert len(training_set.examples.texts) + len(training_set.dev) == 144
    assert manifest.figures["dev"]["reviews"] == len(training_set.dev)
    assert manifest.libraries["keras"] == keras.__version__
    assert manifest.version.startswith(f"{datetime.fromisoformat(manifest.created):%Y%m%d}-")
    assert np.shape(manifest.probe_logits) == (len(PROBES), len(LABELS))


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (replace(RECIPE, window=129), "it reads 128 tokens at once, but the window is 129"),
        (replace(RECIPE, frozen_layers=3), "it has 2 blocks, but the recipe freezes 3"),
    ],
)
def test_a_recipe_that_does_not_fit_the_base_is_an_error_before_training(
    fine_tuned: FineTuneResult, tmp_path: Path, recipe: Recipe, reason: str
) -> None:
    steps: list[TrainingProgress] = []
    with pytest.raises(UnusableCheckpoint, match=reason):
        fine_tune(
            replace(fine_tuned.job, recipe=recipe, out=tmp_path / "mine"),
            TrainingCallbacks(steps.append, lambda: False),
        )
    assert steps == []
    assert not (tmp_path / "mine").exists()


def test_a_base_with_too_few_embeddings_is_refused_before_training(
    fine_tuned: FineTuneResult, random_bert: RandomBert, tmp_path: Path
) -> None:
    base = BaseModel("small vocabulary", random_bert(tmp_path / "base", replace(CONFIG, vocab_size=1000)))
    steps: list[TrainingProgress] = []
    with pytest.raises(UnusableCheckpoint, match="token ids up to 30521, but there are only 1000 embeddings"):
        fine_tune(
            replace(fine_tuned.job, base=base, out=tmp_path / "mine"), TrainingCallbacks(steps.append, lambda: False)
        )
    assert steps == []


def test_a_fine_tune_that_diverges_ends_early_with_a_sentence(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    recipe = replace(RECIPE, learning_rate=1e6, clip_norm=1e9, warmup=0.1)
    steps: list[TrainingProgress] = []
    with pytest.raises(FineTuneDiverged, match="learning_rate"):
        fine_tune(
            replace(fine_tuned.job, recipe=recipe, out=tmp_path / "mine"),
            TrainingCallbacks(steps.append, lambda: False),
        )
    assert len(steps) < steps[0].steps / 2
    assert not (tmp_path / "mine").exists()


def test_a_published_model_reads_styled_letters_and_entities(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    classifier = Classifier.load(fine_tuned.job.out)
    assert fine_tuned.manifest.characters == "entities_nfkc"
    plain = LIKED[1]
    styled = "".join(chr(ord(letter) + 0x1D5EE - 97) if "a" <= letter <= "z" else letter for letter in plain)
    odd, usual = classifier.classify([styled.replace(",", "&#44;"), plain])
    assert odd == usual
    assert base_model_from(classifier).characters == "entities_nfkc"


def test_a_manifest_from_before_keeps_its_reading(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.copytree(fine_tuned.job.out, folder)
    facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    del facts["characters"]
    (folder / MANIFEST).write_text(json.dumps(facts), encoding="utf-8")
    old = Classifier.load(folder)
    (unread, read) = (
        each.engine.tokenizer.token_ids(["it&#39;s"]) for each in (old, Classifier.load(fine_tuned.job.out))
    )
    assert unread != read
    assert base_model_from(old).characters == "as_written"


def test_the_same_seed_makes_the_same_weights(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    assert RECIPE.hidden_dropout > 0, "what is dropped out follows from the seed too"
    again = run_fine_tune(replace(fine_tuned.job, out=tmp_path / "again"))
    assert again.manifest.files[WEIGHTS] == fine_tuned.manifest.files[WEIGHTS]
    assert again.manifest.created != fine_tuned.manifest.created
    assert again.manifest.version != fine_tuned.manifest.version, "a version has one manifest"


def test_the_command_fine_tunes_and_prints_the_manifest(
    small_base: BaseModel, small_reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fine_tune_command.fine_tune(
        data=small_reviews, out=tmp_path / "mine", base=str(small_base.folder), limit=80, as_json=True
    )
    facts = json.loads(capsys.readouterr().out)
    assert facts == asdict(verified_manifest(tmp_path / "mine"))
    assert facts["base"] == str(small_base.folder)
    assert facts["data"]["train"]["reviews"] + facts["data"]["dev"]["reviews"] == 80


def test_a_folder_that_is_not_a_model_is_not_replaced(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep me", encoding="utf-8")
    seen: list[TrainingProgress] = []
    with pytest.raises(FolderTaken):
        fine_tune(replace(fine_tuned.job, out=tmp_path), TrainingCallbacks(seen.append, lambda: False))
    assert seen == []
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "keep me"
