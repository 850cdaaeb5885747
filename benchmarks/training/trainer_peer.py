"""Runs a training job from ``benchmarks.training.fine_tuning`` with Hugging Face's Trainer, and waits at each stop.

    .venv-peers/bin/python benchmarks/training/trainer_peer.py JOB OUT float32|bfloat16 sdpa|eager

The program runs in the environment from ``make peers`` and imports nothing from the project.
``benchmarks/training/job.py`` describes JOB. The trainer writes JSON objects to standard output, one per line. The
first object contains the precision, the number of threads and the package versions. At each stop in the job, it writes
an object with the steps' durations in seconds and their losses. The program continues when it reads a line. The
fine-tuned model is saved to OUT as a Hugging Face folder.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)


class StepTimer(TrainerCallback):
    """Times each step, starting at the end of the previous step, and waits at each stop in the job."""

    def __init__(self, stops: list[int], losses: list[float]) -> None:
        self._stops = set(stops)
        self._losses = losses
        self._seconds: list[float] = []
        self._since = perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Record one step. At a stop, report the steps, and wait for a line from the parent process."""
        self._seconds.append(perf_counter() - self._since)
        if state.global_step in self._stops:
            emit(seconds=self._seconds, losses=self._losses)
            sys.stdin.readline()
            self._seconds.clear()
            self._losses.clear()
        self._since = perf_counter()


class LossRecordingTrainer(Trainer):
    """A Trainer that records each step's loss, as our loop does."""

    losses: list[float]

    def training_step(self, *args: object, **named: object) -> torch.Tensor:
        """Run a step and record its loss."""
        loss: torch.Tensor = super().training_step(*args, **named)
        self.losses.append(float(loss))
        return loss


def main() -> None:
    """Run the job and write the folder."""
    folder, out, (precision, attention) = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    packages = {name: version(name) for name in ("torch", "transformers", "accelerate")}
    emit(precision=precision, threads=torch.get_num_threads(), packages=packages)
    set_seed(job["recipe"]["seed"])
    # The folder has float16 weights, and by default transformers would compute in float16.
    model = AutoModelForSequenceClassification.from_pretrained(
        folder / "start", dtype=torch.float32, attn_implementation=attention
    )
    trainer = LossRecordingTrainer(
        model,
        training_arguments(job["recipe"], job["stops"][-1], precision, out),
        train_dataset=read_batches(folder / "batches.safetensors", job["stops"][-1]),
        data_collator=only_batch,
    )
    trainer.losses = []
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(StepTimer(job["stops"], trainer.losses))
    trainer.train()
    model.save_pretrained(out)


def training_arguments(recipe: dict[str, Any], steps: int, precision: str, out: Path) -> TrainingArguments:
    """Return the recipe as arguments for Trainer.

    All other arguments keep their defaults, including the fused AdamW.
    """
    return TrainingArguments(
        output_dir=str(out),
        max_steps=steps,
        # Each row in the data set is a complete, padded batch.
        per_device_train_batch_size=1,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        learning_rate=recipe["learning_rate"],
        lr_scheduler_type=recipe["schedule"],
        warmup_steps=round(recipe["warmup"] * steps),
        weight_decay=recipe["weight_decay"],
        adam_epsilon=recipe["adam_epsilon"],
        max_grad_norm=recipe["clip_norm"],
        bf16=precision == "bfloat16",
        use_cpu=True,
        dataloader_pin_memory=False,
        seed=recipe["seed"],
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def read_batches(path: Path, count: int) -> list[dict[str, torch.Tensor]]:
    """Return a job's batches.

    Each target becomes the index of its most probable label, as int64, because PyTorch's losses require that.
    """
    tensors = load_file(path)
    return [
        {
            "input_ids": tensors[f"{number:04d}.input_ids"].long(),
            "attention_mask": tensors[f"{number:04d}.attention_mask"].long(),
            "labels": tensors[f"{number:04d}.targets"].argmax(dim=1),
        }
        for number in range(count)
    ]


def only_batch(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the only row, which is already a complete batch."""
    (batch,) = rows
    return batch


def emit(**facts: object) -> None:
    """Write the facts to standard output as one line of JSON."""
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
