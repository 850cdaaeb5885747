"""The content of ``benchmarks/results/gpu_full_run.json``. Memory is in bytes, and times are in seconds."""

from dataclasses import dataclass
from typing import Any

from benchmarks.common.provenance import Provenance
from benchmarks.gpu_full_run.serving import ServingFigures


@dataclass(frozen=True, slots=True)
class Phases:
    """The duration of each phase in seconds, in order."""

    fine_tune: float
    """``thumbs fine-tune`` for the first model, from the command to the published folder."""
    bot_start: float
    """From starting the bot with the first model until it answers."""
    queued: float
    """From ``thumbs retrain --full`` until the worker claims the run."""
    preparing: float
    """From the claim until the end of the first training step, including loading and compiling."""
    training: float
    """From the first to the last training step, including checkpoints, calibration and publication of the candidate."""
    evaluating: float
    """Until the gate's decision."""
    swap: float
    """From ``thumbs models promote`` until the bot reports that it is serving the candidate."""
    first_answer: float
    """From the first text after the swap to its reply in the chat."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the processes."""

    fine_tune_peak: int
    trainer_peak: int
    bot_start_peak: int
    bot_with_one_model: int
    bot_swap_peak: int
    bot_after_swap: int


@dataclass(frozen=True, slots=True)
class FullRun:
    """One encoder's run through the benchmark."""

    encoder: str
    layers: int
    hidden_size: int
    parameters: int
    train_reviews: int
    gate_reviews: int
    """Official test reviews on which the gate compared the candidate with the first model."""
    steps: int
    steps_per_second: float
    precision: str
    published_bytes: int
    decision: str
    dev: dict[str, Any]
    """The candidate's figures on dev, from its manifest."""
    phases: Phases
    memory: Memory
    serving: ServingFigures


@dataclass(frozen=True, slots=True)
class FullRunReport:
    """All encoders on one machine. ``gpu`` is None on a machine without an NVIDIA GPU."""

    provenance: Provenance
    gpu: str | None
    backend: str
    transport: str
    limit: int | None
    runs: list[FullRun]
