"""Our training loop and Hugging Face's Trainer give the same result from the same weights and batches."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paths import ROOT
from safetensors.numpy import load_file

from benchmarks.common.interleaving import TrainerProcess
from benchmarks.training.job import TrainingJob
from benchmarks.training.trainer_ours import train_job
from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.bert.pretrained import WEIGHTS
from ml.bert.weight_names import weight_names
from ml.text.tokenization import WindowTokenizer
from ml.training.batches import WindowBatches
from ml.training.devices import use_precision
from ml.training.loop import TrainingProgress
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

pytestmark = pytest.mark.peers

PROGRAM = ROOT / "benchmarks" / "training" / "trainer_peer.py"
SMALL = BertConfig(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
TEXTS = [
    f"Number {number}: {'a joy' if number % 3 else 'a bore'}" + " to the end" * (number % 5) for number in range(12)
]
# Three steps with this much weight decay show which weights decay.
RECIPE = replace(
    Recipe.load("default"),
    epochs=1,
    batch_size=4,
    window=32,
    overlap=8,
    precision="float32",
    learning_rate=1e-3,
    weight_decay=1.0,
)
RECIPES = {
    "warm-up, decay and clipping": replace(RECIPE, warmup=0.4),
    "constant rate, gradients as they are": replace(RECIPE, schedule="constant", clip_norm=1e6),
}
# The norm of the difference between the two updates, as a share of the norm of Trainer's update.
LIMITS = {"warm-up, decay and clipping": 0.02, "constant rate, gradients as they are": 0.02}


@dataclass(frozen=True)
class Outcome:
    """The first batch's loss, and the update of each weight."""

    loss: float
    updates: dict[str, np.ndarray[Any, Any]]


def updates(job: TrainingJob, weights: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    start = load_file(job.start / WEIGHTS)
    assert start.keys() == weights.keys()
    return {name: weights[name] - start[name].astype(np.float32) for name in start}


def by_trainer(python: Path, job: TrainingJob, out: Path) -> Outcome:
    """Return Trainer's outcome. Trainer's process pauses after one step and stops after three."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [str(python), str(PROGRAM), str(job.folder), str(out), "float32", "sdpa"]
    with TrainerProcess(command, environment, out.with_suffix(".log")) as trainer:
        assert (trainer.facts["precision"], trainer.facts["threads"]) == ("float32", 1)
        assert len(trainer.untimed["seconds"]) == 1
        assert len(trainer.run_block()) == 2
        trainer.finish()
    (loss,) = trainer.untimed["losses"]
    return Outcome(loss, updates(job, load_file(out / WEIGHTS)))


def by_us(job: TrainingJob, checkpoints: Path) -> Outcome:
    """Return our loop's outcome in float32. A published folder would be rounded to float16."""
    seen: list[TrainingProgress] = []
    with use_precision(job.recipe.precision):
        network = train_job(job, checkpoints, seen.append)
    values = {weight.name: (weight.transposed, np.array(weight.variable)) for weight in weight_names(network)}
    return Outcome(seen[0].loss, updates(job, {name: v.T if turned else v for name, (turned, v) in values.items()}))


@pytest.fixture(scope="module", params=list(RECIPES))
def outcomes(
    request: pytest.FixtureRequest,
    peers_python: Path,
    reader: WindowTokenizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Outcome, Outcome, float]:
    """Return our outcome, Trainer's outcome, and how far apart the two may be."""
    folder = tmp_path_factory.mktemp("job")
    recipe = RECIPES[request.param]
    network = build_network(SMALL)
    rng = np.random.default_rng(0)
    for weight in weight_names(network):
        # The weights are large enough for gradients to exceed rounding errors, and small enough that no tanh saturates.
        weight.variable.assign(rng.normal(weight.name.endswith("Norm.weight"), 0.2, tuple(weight.variable.shape)))
    examples = TrainingExamples.from_labels(TEXTS, [number % 2 for number in range(len(TEXTS))])
    batches = list(WindowBatches(examples, reader, recipe).epoch(0))
    job = TrainingJob.write(folder / "job", network, SMALL, reader, recipe, batches, [1, 3])
    return by_us(job, folder / "ours"), by_trainer(peers_python, job, folder / "theirs"), LIMITS[request.param]


def test_the_first_batch_has_the_same_loss(outcomes: tuple[Outcome, Outcome, float]) -> None:
    ours, theirs, _ = outcomes
    assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)


def test_three_steps_make_the_same_updates(outcomes: tuple[Outcome, Outcome, float]) -> None:
    ours, theirs, limit = outcomes
    # A key's bias adds the same value to all scores of a query, so its gradient is only rounding error.
    names = [name for name in theirs.updates if not name.endswith("key.bias")]
    apart = {
        name: np.linalg.norm(ours.updates[name] - theirs.updates[name]) / np.linalg.norm(theirs.updates[name])
        for name in names
    }
    assert {name: share for name, share in apart.items() if share >= limit} == {}
