"""The table of each encoder's full run, from the request for training to the swap into a running bot."""

from collections.abc import Callable
from typing import Final

from benchmarks.figures.markdown import NONE, Results, command, measured, paragraphs, percent, table

_MB: Final = 1_000_000
# The name of the encoder that ``--base random`` writes, which has the shape of bert-base-uncased.
_RANDOM: Final = "random weights"
# The table's rows: names, and the functions that render the figure of one encoder's run.
_ROWS: Final[dict[str, Callable[[Results], str]]] = {
    "Parameters": lambda run: f"{run['parameters']:,}",
    "Training steps": lambda run: f"{run['steps']:,}",
    "Training steps per second": lambda run: f"{run['steps_per_second']:.2f}",
    "First model: command to published folder (s)": lambda run: _seconds(run, "fine_tune"),
    "Bot: start to ready (s)": lambda run: _seconds(run, "bot_start"),
    "Full run: request to claim by the worker (s)": lambda run: _seconds(run, "queued"),
    "Full run: claim to first step (s)": lambda run: _seconds(run, "preparing"),
    "Full run: first step to finished candidate (s)": lambda run: _seconds(run, "training"),
    "Full run: finished candidate to decision (s)": lambda run: _seconds(run, "evaluating"),
    "Promotion to swap in the bot (s)": lambda run: _seconds(run, "swap"),
    "First answer after the swap (s)": lambda run: f"{run['phases']['first_answer']:.2f}",
    "Published folder (MB)": lambda run: _megabytes(run["published_bytes"]),
    "Trainer's peak memory (MB)": lambda run: _megabytes(run["memory"]["trainer_peak"]),
    "Bot's memory with one model (MB)": lambda run: _megabytes(run["memory"]["bot_with_one_model"]),
    "Bot's peak memory during the swap (MB)": lambda run: _megabytes(run["memory"]["bot_swap_peak"]),
    "Bot's memory after the swap (MB)": lambda run: _megabytes(run["memory"]["bot_after_swap"]),
    "Loading the model alone (s)": lambda run: f"{run['serving']['seconds_to_load']:.1f}",
    "First answer of the model alone (s)": lambda run: f"{run['serving']['seconds_to_first_answer']:.2f}",
    "Sentences per second": lambda run: _speed(run, "short"),
    "Texts of 128 tokens per second": lambda run: f"**{_speed(run, 'window')}**",
    "Texts of mixed lengths per second": lambda run: _speed(run, "mix"),
}
# This row means something only with all reviews.
_ACCURACY: Final = "Accuracy on dev"


def full_run(found: Results) -> str:
    """Render ``gpu_full_run.json``: each encoder's time, memory and speed."""
    runs = found["runs"]
    where = f"an {found['gpu']}" if found["gpu"] else "the CPU"
    reviews = f"{runs[0]['train_reviews']:,} IMDB reviews and {runs[0]['dev']['reviews']:,} more for dev"
    random = "Networks with random weights show only time and memory; they learn nothing from so few reviews. "
    rows = _ROWS if found["limit"] else {**_ROWS, _ACCURACY: lambda run: _accuracy(run["encoder"], run["dev"])}
    servers = "PostgreSQL and Redis" if found["transport"] == "redis" else "SQLite and the folder transport"
    return paragraphs(
        "`thumbs fine-tune` trained a first model from each encoder, and a bot connected to the playground served it. "
        f"A Celery worker then executed a run that `thumbs retrain --full` had requested, with {servers}. The worker "
        f"trained from the encoder with the default recipe ({reviews}), in {runs[0]['precision']} on {where} with "
        f"Keras on {found['backend']}, and compared the candidate with the first model on "
        f"{runs[0]['gate_reviews']:,} test reviews. An admin's command then promoted the candidate, and the bot "
        "swapped to it. The bot serves in int8 on the CPU.",
        f"{random if any(run['encoder'] == _RANDOM for run in runs) else ''}In the mix of lengths, half of the texts "
        "are sentences, a quarter are 128 tokens long, and a quarter are read in three windows. Memory is resident "
        "memory, including libraries.",
        command(_command(found)),
        table(
            ("Figure", *(_name(run) for run in runs)),
            [(name, *(render(run) for run in runs)) for name, render in rows.items()],
        ),
        measured(found),
    )


def _command(found: Results) -> str:
    names = {_RANDOM: "random"}
    bases = " ".join(names.get(run["encoder"], run["encoder"]) for run in found["runs"])
    limit = f" --limit {found['limit']}" if found["limit"] else ""
    transport = f" --transport {found['transport']}" if found["transport"] != "folder" else ""
    backend = f"KERAS_BACKEND={found['backend']} " if found["backend"] != "tensorflow" else ""
    return f"{backend}python -m benchmarks.gpu_full_run --data imdb.parquet --base {bases}{limit}{transport}"


def _name(run: Results) -> str:
    name = "Random weights" if run["encoder"] == _RANDOM else run["encoder"]
    return f"{name}, {run['layers']} layers of {run['hidden_size']}"


def _seconds(run: Results, phase: str) -> str:
    return f"{run['phases'][phase]:.1f}"


def _megabytes(size: int) -> str:
    return f"{size / _MB:,.0f}"


def _speed(run: Results, texts: str) -> str:
    return f"{run['serving']['texts_per_second'][texts]:,.1f}"


def _accuracy(encoder: str, dev: Results) -> str:
    return NONE if encoder == _RANDOM else f"{percent(dev['accuracy'])} of {dev['reviews']:,}"
