"""Fine-tunes an encoder with Hugging Face's Trainer, the way a tutorial does, and classifies texts with the result.

    .venv-peers/bin/python benchmarks/domains/plain_run.py JOB OUT

The program runs in the environment from ``make peers`` and imports nothing from the project.
``benchmarks/domains/plain.py`` writes JOB and reads OUT. Both steps can be interrupted: a second call resumes from the
last checkpoint and skips texts that already have a prediction. Progress goes to standard output.
"""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

_STEPS_PER_CHECKPOINT = 200
_STEPS_PER_LOG = 25
_BATCHES_PER_LOG = 50
# Number of texts in a batch of predictions.
_BATCH = 32
# Scaled dot-product attention is slower in bfloat16 on a CPU.
_ATTENTION = "eager"


def main() -> None:
    """Run the job, and write the model, the predictions and a description of this environment."""
    job, out = Path(sys.argv[1]), Path(sys.argv[2])
    settings = json.loads((job / "settings.json").read_text(encoding="utf-8"))
    torch.set_num_threads(settings["threads"])
    if not (out / "model").is_dir():
        fine_tune(job, out, settings)
    predict(job, out, settings)
    packages = {name: version(name) for name in ("torch", "transformers", "accelerate")}
    (out / "packages.json").write_text(json.dumps(packages, indent=2) + "\n", encoding="utf-8")


def fine_tune(job: Path, out: Path, settings: dict[str, Any]) -> None:
    """Fine-tune on ``train.jsonl`` and save the model. Resume from the last checkpoint in OUT if there is one."""
    tokenizer = AutoTokenizer.from_pretrained(settings["encoder"])
    set_seed(settings["seed"])
    # Without dtype, the network would have the weights' float16 precision.
    model = AutoModelForSequenceClassification.from_pretrained(
        settings["encoder"], num_labels=2, dtype=torch.float32, attn_implementation=_ATTENTION
    )
    rows = [
        {**tokenizer(row["text"], truncation=True, max_length=settings["train_tokens"]), "labels": row["label"]}
        for row in read_lines(job / "train.jsonl")
    ]
    trainer = Trainer(
        model,
        training_arguments(settings, out / "checkpoints"),
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train(resume_from_checkpoint=any((out / "checkpoints").glob("checkpoint-*")))
    # The folder must be complete when it appears, because its presence means that training has finished.
    model.save_pretrained(out / "saving")
    tokenizer.save_pretrained(out / "saving")
    (out / "saving").rename(out / "model")


def training_arguments(settings: dict[str, Any], folder: Path) -> TrainingArguments:
    """Return the settings as arguments for Trainer. All other arguments keep their defaults."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings["epochs"],
        per_device_train_batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        lr_scheduler_type=settings["schedule"],
        bf16=settings["precision"] == "bfloat16",
        use_cpu=True,
        dataloader_pin_memory=False,
        seed=settings["seed"],
        save_steps=_STEPS_PER_CHECKPOINT,
        save_total_limit=1,
        logging_steps=_STEPS_PER_LOG,
        report_to="none",
        disable_tqdm=True,
    )


def predict(job: Path, out: Path, settings: dict[str, Any]) -> None:
    """Append a line ``[key, logit of Positive minus logit of Negative]`` for each text in ``read.jsonl``."""
    done_path = out / "predictions.jsonl"
    done = {row[0] for row in read_lines(done_path)} if done_path.exists() else set()
    rows = [row for row in read_lines(job / "read.jsonl") if row["key"] not in done]
    tokenizer = AutoTokenizer.from_pretrained(out / "model")
    model = AutoModelForSequenceClassification.from_pretrained(
        out / "model", dtype=torch.float32, attn_implementation=_ATTENTION
    ).eval()
    rows.sort(key=lambda row: len(row["text"]))
    since = perf_counter()
    with done_path.open("a", encoding="utf-8") as file:
        for number, at in enumerate(range(0, len(rows), _BATCH), start=1):
            batch = rows[at : at + _BATCH]
            inputs = tokenizer(
                [row["text"] for row in batch],
                truncation=True,
                max_length=settings["read_tokens"],
                padding=True,
                return_tensors="pt",
            )
            with (
                torch.inference_mode(),
                torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bfloat16"),
            ):
                logits = model(**inputs).logits.float()
            differences = (logits[:, 1] - logits[:, 0]).tolist()
            file.writelines(
                json.dumps([row["key"], round(difference, 5)]) + "\n"
                for row, difference in zip(batch, differences, strict=True)
            )
            if number % _BATCHES_PER_LOG == 0:
                file.flush()
                print(f"{at + len(batch)} of {len(rows)} texts, {perf_counter() - since:.0f} s", flush=True)


def read_lines(path: Path) -> Iterator[Any]:
    """Yield the JSON value on each line."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    main()
