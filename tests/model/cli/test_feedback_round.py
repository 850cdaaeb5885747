"""A feedback round with a small anchor and corrections that contradict its predictions for unknown words."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from small_model import FEEDBACK, RECIPE, FineTuneResult, run_fine_tune, write_recipe

from cli import fine_tune as fine_tune_command
from cli.errors import NoCorrections, UnusedOption
from core.errors import MissingFile
from ml.bert.pretrained import WEIGHTS
from ml.data.reviews import read_reviews
from ml.errors import FineTuneStopped, NothingToResume, TooFewCorrections, UnusableAnchor
from ml.evaluation.behavioural_checks import check_texts
from ml.evaluation.check_files import read_checks
from ml.serving.artifact import verified_manifest
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.base_model import BaseModel
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor
from ml.training.fine_tune import FineTuneJob, fine_tune
from ml.training.frozen_features import FrozenEncoder
from ml.training.loop import TrainingCallbacks, TrainingProgress

Command = Callable[..., str]
SENTENCE = "It was {word} all the way. That was number {number}."
WORDS = ("gravel", "treacle", "velvet")


def labels_of(folder: Path, texts: list[str]) -> list[int]:
    return [LABELS.index(verdict.label) for verdict in Classifier.load(folder).classify(texts)]


def correct(fine_tuned: FineTuneResult, number: int) -> pd.DataFrame:
    """Return a sentence for each word, labelled with the opposite of the anchor's prediction."""
    texts = [SENTENCE.format(word=word, number=number) for word in WORDS]
    return pd.DataFrame({"text": texts, "label": [1 - label for label in labels_of(fine_tuned.job.out, texts)]})


@pytest.fixture(scope="module")
def corrections(fine_tuned: FineTuneResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corrections") / "corrections.csv"
    pd.concat([correct(fine_tuned, number) for number in range(8)]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def job(
    fine_tuned: FineTuneResult, corrections: Path, small_reviews: Path, tmp_path_factory: pytest.TempPathFactory
) -> FineTuneJob:
    anchor = load_anchor(fine_tuned.job.out)
    known = DatasetSplits.from_reviews(read_reviews(small_reviews), small_reviews, FEEDBACK, None)
    training_set = feedback_training_set(Corrections.read(corrections), known, FrozenEncoder(anchor), FEEDBACK)
    return FineTuneJob(base_model_from(anchor), training_set, FEEDBACK, tmp_path_factory.mktemp("rounds") / "round")


@pytest.fixture(scope="module")
def done(job: FineTuneJob) -> FineTuneResult:
    return run_fine_tune(job)


@pytest.fixture
def round_command(
    fine_tuned: FineTuneResult, corrections: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs `thumbs fine-tune` with the small feedback recipe and returns its output."""
    recipe = write_recipe(tmp_path, FEEDBACK)

    def run(**options: Any) -> str:
        given = {"out": tmp_path / "round", "base": str(fine_tuned.job.out), "corrections": corrections, **options}
        fine_tune_command.fine_tune(**{"recipe": str(recipe), **given})
        return capsys.readouterr().out

    return run


def test_the_model_agrees_with_corrections_that_the_anchor_contradicts(
    done: FineTuneResult, fine_tuned: FineTuneResult
) -> None:
    assert done.manifest.data["corrections"]["anchor_right"] < 0.1
    assert done.manifest.figures["corrections"]["accuracy"] > 0.9
    # The same words in sentences that the anchor was not trained on.
    others = pd.concat([correct(fine_tuned, number) for number in range(20, 24)])
    assert np.mean(labels_of(done.job.out, others["text"].tolist()) == others["label"]) > 0.8


def test_the_model_has_not_forgotten_what_the_anchor_knew(done: FineTuneResult, fine_tuned: FineTuneResult) -> None:
    assert done.manifest.data["dev_is_the_anchors"] is True
    before, after = fine_tuned.manifest.figures["dev"], done.manifest.figures["dev"]
    assert after["reviews"] == before["reviews"] == len(done.job.training_set.dev) > 20
    assert after["accuracy"] >= before["accuracy"] - 0.1
    known = done.job.training_set.examples.texts[done.manifest.data["corrections"]["judgements"] :]
    agreed = np.equal(labels_of(done.job.out, list(known)), labels_of(fine_tuned.job.out, list(known)))
    assert len(known) == FEEDBACK.replay
    assert agreed.mean() > 0.9


def test_the_frozen_layers_are_the_anchors(done: FineTuneResult, fine_tuned: FineTuneResult) -> None:
    before, after = load_file(fine_tuned.job.out / WEIGHTS), load_file(done.job.out / WEIGHTS)
    same = {name for name, values in after.items() if np.array_equal(values, before[name])}
    assert same == {name for name in before if name.startswith(("bert.embeddings.", "bert.encoder.layer.0."))}


def test_the_manifest_names_the_anchor_and_the_steps(done: FineTuneResult, fine_tuned: FineTuneResult) -> None:
    assert done.manifest.base == done.manifest.data["anchor"] == fine_tuned.manifest.version
    assert done.manifest.recipe == {**asdict(FEEDBACK), "computed_in": "float32", "steps": len(done.progress)}


def test_the_command_prints_the_manifest_and_the_same_seed_makes_the_same_weights(
    done: FineTuneResult, round_command: Command, small_reviews: Path, tmp_path: Path
) -> None:
    facts = json.loads(round_command(data=small_reviews, as_json=True))
    assert facts == asdict(verified_manifest(tmp_path / "round"))
    assert facts["data"] == done.manifest.data
    assert facts["files"][WEIGHTS] == done.manifest.files[WEIGHTS]


def test_the_result_has_the_accuracy_of_model_and_anchor_on_the_corrections(done: FineTuneResult) -> None:
    sentence = fine_tune_command.result_text(done.manifest, done.job.out)
    before = done.manifest.data["corrections"]["anchor_right"]
    after = done.manifest.figures["corrections"]["accuracy"]
    assert f"It agrees with {after:.2%} of the {len(done.job.training_set.corrections)} corrections" in sentence
    assert f"the anchor agrees with {before:.2%}" in sentence


def test_without_reviews_the_temperature_is_the_anchors_and_forgetting_is_not_measured(
    fine_tuned: FineTuneResult, round_command: Command, tmp_path: Path
) -> None:
    short = write_recipe(tmp_path, replace(FEEDBACK, name="short", epochs=1, batch_size=32))
    sentence = round_command(recipe=str(short))
    manifest = verified_manifest(tmp_path / "round")
    assert manifest.temperature == fine_tuned.manifest.temperature != 1
    assert manifest.figures.keys() == {"corrections"}
    assert manifest.data["replay"]["texts"] == len(check_texts(read_checks()))
    assert "Forgetting was not measured" in sentence
    assert "held-out reviews" not in sentence
    with pytest.raises(UnusableAnchor, match="it is itself the result of a feedback round"):
        round_command(base=str(tmp_path / "round"), out=tmp_path / "second")


def test_a_resumed_round_gives_the_same_weights(done: FineTuneResult, tmp_path: Path) -> None:
    job = replace(done.job, out=tmp_path / "round")
    first: list[TrainingProgress] = []
    half = len(done.progress) // 2 + 1
    with pytest.raises(FineTuneStopped, match=f"after step {half} of {len(done.progress)}"):
        fine_tune(job, TrainingCallbacks(first.append, lambda: first[-1].step == half))
    assert not job.out.exists()
    flipped = replace(job.training_set.examples, targets=job.training_set.examples.targets[:, ::-1])
    with pytest.raises(NothingToResume, match="a different recipe, base or data set"):
        fine_tune(
            replace(job, training_set=replace(job.training_set, examples=flipped)),
            TrainingCallbacks(first.append, lambda: False),
            True,
        )
    second: list[TrainingProgress] = []
    manifest = fine_tune(job, TrainingCallbacks(second.append, lambda: False), resume=True)
    assert [progress.step for progress in first + second] == list(range(1, len(done.progress) + 1))
    assert manifest.recipe == done.manifest.recipe
    expected = load_file(done.job.out / WEIGHTS)
    for name, values in load_file(job.out / WEIGHTS).items():
        # Weights are published in float16, where a difference in float32's last place may become a difference in
        # float16's last place.
        np.testing.assert_allclose(values, expected[name], rtol=2**-10, atol=1e-5, err_msg=name)
    assert list(tmp_path.iterdir()) == [job.out]


def test_a_full_run_trains_on_corrections_and_reviews(
    small_base: BaseModel, small_reviews: Path, corrections: Path, round_command: Command, tmp_path: Path
) -> None:
    short = write_recipe(tmp_path, replace(RECIPE, name="short", epochs=2))
    options = {"recipe": str(short), "base": str(small_base.folder), "data": small_reviews}
    facts = json.loads(round_command(**options, as_json=True))
    count = facts["data"]["corrections"]["judgements"]
    assert count == facts["figures"]["corrections"]["reviews"] == len(pd.read_csv(corrections))
    assert facts["recipe"]["steps"] == 2 * -(-(facts["data"]["train"]["reviews"] + count) // RECIPE.batch_size)
    assert facts["base"] == str(small_base.folder)
    assert "anchor" not in facts["data"]


def held_out(small_reviews: Path, folder: Path) -> Path:
    """Write a correction of a review in the dev set."""
    dev = DatasetSplits.from_reviews(read_reviews(small_reviews), small_reviews, FEEDBACK, None).split.dev
    path = folder / "held_out.csv"
    dev.head(1).assign(label=0).to_csv(path, index=False)
    return path


def test_unusable_arguments_of_a_round_are_errors_before_training(
    round_command: Command, small_reviews: Path, small_base: BaseModel, tmp_path: Path
) -> None:
    for error, options in (
        (NoCorrections, {"corrections": None}),
        (UnusedOption, {"limit": 40}),
        (MissingFile, {"corrections": tmp_path / "absent.csv"}),
        (MissingFile, {"data": tmp_path / "absent.csv"}),
        (TooFewCorrections, {"corrections": held_out(small_reviews, tmp_path), "data": small_reviews}),
        (UnusableAnchor, {"base": str(small_base.folder)}),
        (UnusableAnchor, {"base": str(tmp_path / "absent")}),
    ):
        with pytest.raises(error) as caught:
            round_command(**options)
        assert caught.value.exit_code == 2
        assert str(caught.value).count("\n") == 0
    assert not (tmp_path / "round").exists()
