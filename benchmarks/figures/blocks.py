"""The generated blocks in docs/benchmarks.md, each with its results file and the function that renders it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from benchmarks.figures import (
    delivery,
    domains,
    full_run,
    gate_over_time,
    gate_votes,
    learning,
    model_quality,
    not_review_votes,
    robustness,
    sense,
    serving,
    stats,
    training,
    why,
)
from benchmarks.figures.markdown import Results


class Block(NamedTuple):
    """The name of a results file, without its suffix, and the function that renders the file as Markdown."""

    results: str
    render: Callable[[Results], str]


BLOCKS: Final[dict[str, Block]] = {
    "starter": Block("starter", model_quality.starter),
    "domains": Block("domains", domains.domains),
    "language_guard": Block("language", model_quality.language_guard),
    "sense": Block("sense", sense.sense),
    "not_review_votes": Block("not_review_votes", not_review_votes.not_review_votes),
    "why": Block("why", why.why),
    "http_load": Block("drive", serving.http_load),
    "stats": Block("stats", stats.stats),
    "training_speed": Block("fine_tuning", training.speed),
    "equal_steps": Block("equal_steps", training.equal_steps),
    "gpu": Block("gpu", training.gpu),
    "full_run": Block("gpu_full_run", full_run.full_run),
    "tutorial": Block("tutorial", training.tutorial),
    "feedback_round": Block("fine_tuning", training.feedback_round),
    "feedback_value": Block("feedback_value", learning.feedback_value),
    "learning_loop": Block("learning_loop", learning.learning_loop),
    "delivery": Block("delivery", delivery.delivery),
    "chaos": Block("chaos", robustness.chaos),
    "poison": Block("poison", robustness.poison),
    "gate_over_time": Block("gate_over_time", gate_over_time.gate_over_time),
    "gate_votes": Block("gate_votes", gate_votes.gate_votes),
}
