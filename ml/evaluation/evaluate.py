"""Evaluates a published model: runs it once on the evaluation set, then computes every figure from its outputs."""

from dataclasses import dataclass

from ml.evaluation.behavioural_checks import PassRate, check_texts, pass_rates
from ml.evaluation.check_files import read_checks
from ml.evaluation.comparison import Comparison, compare
from ml.evaluation.evaluation_set import EvaluationSet
from ml.evaluation.metrics import Evaluation, evaluate
from ml.evaluation.slices import Slice, by_length, by_rating
from ml.serving.artifact import replays_checks
from ml.serving.chunked import Advance, logits_in_chunks
from ml.serving.engine import Classifier, Engine, Logits, probabilities


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """One published model's logits (reviews, labels), as served and optionally in float32, and its check results."""

    model: str
    version: str
    temperature: float
    unsure_below: float
    trained_on_them: bool
    logits: Logits
    float32: Logits | None
    checks: tuple[PassRate, ...]
    trained_on_checks: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """All figures for one model. The slices and the comparison are for the model as served."""

    model: str
    version: str
    trained_on_them: bool
    """Whether the model was fine-tuned on some of these reviews, which makes its figures optimistic."""
    on_all: Evaluation
    without_doubtful: Evaluation | None
    by_length: tuple[Slice, ...]
    by_rating: tuple[Slice, ...]
    from_float32: Comparison | None
    """Compares the float32 graph (first) with the served int8 graph (second)."""
    checks: tuple[PassRate, ...]
    trained_on_checks: bool = False
    """Whether a feedback round without reviews replayed the checks' texts, which makes the checks less meaningful."""

    @property
    def name(self) -> str:
        """The folder's name and the version."""
        return f"{self.model} ({self.version})"


def count_texts(reviews: EvaluationSet, with_float32: bool) -> int:
    """Return how many texts ``run_model`` will classify."""
    return len(reviews.texts) * (1 + with_float32) + len(check_texts(read_checks()))


def run_model(classifier: Classifier, reviews: EvaluationSet, with_float32: bool, advance: Advance) -> ModelOutputs:
    """Run a model on the reviews and on the behavioural checks. Raise UnusableCheck if a check is not valid."""
    manifest = classifier.manifest
    checks = read_checks()
    texts = check_texts(checks)
    positive = probabilities(logits_in_chunks(classifier.engine, texts, advance), manifest.temperature)[:, 1].tolist()
    float32 = None
    if with_float32:
        options = (manifest.window, manifest.overlap, manifest.reading)
        float32 = logits_in_chunks(
            Engine.load(classifier.folder, *options, characters=manifest.characters, precision="float32"),
            reviews.texts,
            advance,
        )
    return ModelOutputs(
        model=classifier.folder.resolve().name,
        version=manifest.version,
        temperature=manifest.temperature,
        unsure_below=manifest.unsure_below,
        trained_on_them=reviews.overlaps_training_data(manifest.data),
        logits=logits_in_chunks(classifier.engine, reviews.texts, advance),
        float32=float32,
        checks=tuple(pass_rates(checks, dict(zip(texts, positive, strict=True)))),
        trained_on_checks=replays_checks(manifest.data),
    )


def measure(outputs: ModelOutputs, reviews: EvaluationSet) -> Measurement:
    """Compute every figure from a model's outputs."""
    labels, logits = reviews.labels, outputs.logits
    calibration = (outputs.temperature, outputs.unsure_below)
    right = logits.argmax(axis=1) == labels
    kept = None if reviews.doubtful is None or reviews.doubtful.all() else ~reviews.doubtful
    names = ("float32", "int8")
    return Measurement(
        model=outputs.model,
        version=outputs.version,
        trained_on_them=outputs.trained_on_them,
        on_all=evaluate(logits, labels, *calibration),
        without_doubtful=None if kept is None else evaluate(logits[kept], labels[kept], *calibration),
        by_length=by_length(reviews.texts, right),
        by_rating=by_rating(reviews.ratings, right),
        from_float32=None if outputs.float32 is None else compare(names, outputs.float32, logits, labels),
        checks=outputs.checks,
        trained_on_checks=outputs.trained_on_checks,
    )
