"""The other side of ``benchmarks.training.fine_tuning``: Hugging Face's Trainer does a training job, with pauses.

    .venv-peers/bin/python benchmarks/training/trainer_peer.py JOB OUT float32|bfloat16 sdpa|eager

Runs in the peers' environment and imports nothing of the project; ``benchmarks/training/job.py`` describes JOB. Says on
standard output, a JSON object a line, what it computes with and then, at each stop of the job, the seconds that its
steps took and their losses; it goes on when it reads a line. OUT becomes the fine-tuned Hugging Face folder.
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


class Turns(TrainerCallback):
    """Takes the time of each step, from the end of the one before, and waits where the job stops."""

    def __init__(self, stops: list[int], losses: list[float]) -> None:
        self._stops = set(stops)
        self._losses = losses
        self._seconds: list[float] = []
        self._since = perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Hear of one step; at a stop, report and wait for a line."""
        self._seconds.append(perf_counter() - self._since)
        if state.global_step in self._stops:
            say(seconds=self._seconds, losses=self._losses)
            sys.stdin.readline()
            self._seconds.clear()
            self._losses.clear()
        self._since = perf_counter()


class LossKeepingTrainer(Trainer):
    """Trainer as it is, but for keeping each step's loss, as our loop does."""

    losses: list[float]

    def training_step(self, *args: object, **named: object) -> torch.Tensor:
        """The step's loss, kept."""
        loss: torch.Tensor = super().training_step(*args, **named)
        self.losses.append(float(loss))
        return loss


def main() -> None:
    """Train as the job says and write the folder."""
    folder, out, (precision, attention) = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    packages = {name: version(name) for name in ("torch", "transformers", "accelerate")}
    say(precision=precision, threads=torch.get_num_threads(), packages=packages)
    set_seed(job["recipe"]["seed"])
    # The folder holds float16, and transformers would compute in what it finds.
    model = AutoModelForSequenceClassification.from_pretrained(
        folder / "start", dtype=torch.float32, attn_implementation=attention
    )
    trainer = LossKeepingTrainer(
        model,
        arguments(job["recipe"], job["stops"][-1], precision, out),
        train_dataset=batches(folder / "batches.safetensors", job["stops"][-1]),
        data_collator=the_one_batch,
    )
    trainer.losses = []
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Turns(job["stops"], trainer.losses))
    trainer.train()
    model.save_pretrained(out)


def arguments(recipe: dict[str, Any], steps: int, precision: str, out: Path) -> TrainingArguments:
    """The recipe in Trainer's words; whatever else stays at Trainer's defaults, the fused AdamW among it."""
    return TrainingArguments(
        output_dir=str(out),
        max_steps=steps,
        # A row of the data set is a batch that was padded before.
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


def batches(path: Path, count: int) -> list[dict[str, torch.Tensor]]:
    """The batches of a job; the likeliest label is each text's, as int64, which PyTorch's losses want."""
    tensors = load_file(path)
    return [
        {
            "input_ids": tensors[f"{number:04d}.input_ids"].long(),
            "attention_mask": tensors[f"{number:04d}.attention_mask"].long(),
            "labels": tensors[f"{number:04d}.targets"].argmax(dim=1),
        }
        for number in range(count)
    ]


def the_one_batch(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The only row, which is a whole batch."""
    (batch,) = rows
    return batch


def say(**facts: object) -> None:
    """Write one line for the process that started this one."""
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
