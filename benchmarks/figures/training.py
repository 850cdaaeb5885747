"""Tables on training: speed beside Hugging Face's Trainer, accuracy after equal steps, a GPU, and the tutorial."""

from statistics import fmean

from benchmarks.figures.markdown import (
    Results,
    bold,
    command,
    comparison,
    mean,
    measured,
    paragraphs,
    percent,
    table,
)

OURS = "ours"
"""The project's own training loop, as the results files name it."""


def speed(found: Results) -> str:
    """Return the training speed beside Hugging Face's Trainer, from ``fine_tuning.json``."""
    run = found["against_trainer"]
    ratio, recipe, trainers = run["ratio"], run["recipe"], run["trainers"]
    blocks = len(next(iter(trainers.values()))["step_seconds"])
    ours = trainers[OURS]["median"]

    def row(name: str, trainer: Results) -> tuple[str, ...]:
        speeds, median = trainer["samples_per_second"], f"{trainer['median']:.1f}"
        packages = ", ".join(f"{package} {version}" for package, version in trainer["packages"].items())
        return (
            trainer_name(name),
            bold(median) if name == OURS else median,
            f"{min(speeds):.1f} to {max(speeds):.1f}",
            f"{ours / trainer['median']:.2f}",
            packages,
        )

    return paragraphs(
        f"The project's training loop (Keras) and Hugging Face's Trainer (PyTorch, in {len(trainers) - 1} "
        f"configurations) trained the same encoder, {run['base']} with {run['parameters']:,} parameters, from the same "
        f"weights on the same padded batches of {recipe['batch_size']} IMDB reviews, in windows of {recipe['window']} "
        f"tokens, on {run['cores']} cores. Each ran in a separate process, and they took turns: "
        f"{run['untimed_steps']} untimed steps, then {blocks} blocks of {run['steps_a_block']} timed steps. The time "
        "of Thumbs includes its checkpoints; Trainer wrote none.",
        _fine_tuning_command(),
        table(
            (
                "Training loop",
                "Median speed (samples/s)",
                "Slowest to fastest block (samples/s)",
                "Speed of Thumbs divided by this",
                "Packages",
            ),
            [row(name, trainer) for name, trainer in trainers.items()],
        ),
        f"Compared block by block, Thumbs is at least **{ratio['lowest']:.2f}** and at most {ratio['highest']:.2f} "
        f"times as fast as the fastest configuration, {trainer_name(run['fastest'])}. {measured(found)}",
    )


def feedback_round(found: Results) -> str:
    """Return the duration of a feedback round beside a full fine-tune, and its effect on IMDB."""
    quick = found["feedback_round"]
    imdb = quick["imdb"]
    rounds = [
        (f"Feedback round {number}, from the command to the published folder", f"{seconds:.0f}")
        for number, seconds in enumerate(quick["round_seconds"], start=1)
    ]
    return paragraphs(
        f"A feedback round of {quick['judgements']} corrections (Rotten Tomatoes sentences) was timed beside a full "
        f"fine-tune by the same loop. The time of the full fine-tune is an estimate: {quick['full_steps']:,} steps at "
        f"the median of {quick['timed_steps']} timed ones, without reading, measuring and publishing.",
        _fine_tuning_command(),
        table(
            ("Training", "Time (s)"),
            [*rounds, ("Full fine-tune, steps alone", f"{quick['full_seconds']:,.0f}")],
        ),
        f"A full fine-tune takes **{quick['times_faster']:.1f}** times as long as the slowest round. What the last "
        f"round changed on {imdb['reviews']:,} official IMDB test reviews:",
        table(
            ("Accuracy before", "Accuracy after", "Change in points (95% interval)"),
            [(percent(imdb["first_accuracy"], 2), percent(imdb["second_accuracy"], 2), comparison(imdb))],
        ),
        measured(found),
    )


def equal_steps(found: Results) -> str:
    """Return the accuracy of both training loops after equally many steps, from ``equal_steps.json``."""
    recipe, pairs = found["recipe"], [seed["accuracy"] for seed in found["seeds"]]
    rows = [
        (
            str(seed["seed"]),
            percent(pair["second_accuracy"]),
            percent(pair["first_accuracy"]),
            comparison(pair),
        )
        for seed, pair in zip(found["seeds"], pairs, strict=True)
    ]
    average = (
        "Mean",
        percent(fmean(pair["second_accuracy"] for pair in pairs)),
        percent(fmean(pair["first_accuracy"] for pair in pairs)),
        bold(mean(found["difference"])),
    )
    return paragraphs(
        f"To see whether that speed costs accuracy, both loops trained {recipe['base']} for {found['steps']} steps of "
        f"{recipe['batch_size']} IMDB reviews, from the same weights on the same batches. The models were measured in "
        f"float32 on {pairs[0]['reviews']:,} held-out reviews of the official train part. Each seed draws other "
        "reviews, another classification head and other dropout masks. The interval of the mean is over the seeds.",
        command("make peers", "python -m benchmarks.training.equal_steps --data imdb.parquet"),
        table(
            (
                "Seed",
                "Accuracy of Thumbs",
                f"Accuracy of {trainer_name(found['trainer'])}",
                "Difference in points (95% interval)",
            ),
            [*rows, average],
        ),
        measured(found),
    )


def gpu(found: Results) -> str:
    """Return training speed on a GPU and its share of the chip's peak, from ``gpu.json``."""
    return paragraphs(
        f"Whole training steps (forward, backward, gradient clipping and AdamW) were timed on an {found['gpu']} in "
        f"{found['precision']}, with Keras on {found['backend']}, on random texts of {found['tokens']} tokens and "
        f"networks of random weights. The peak is {found['peak']:,.0f} TFLOP/s by the data sheet; one large matrix "
        f"product reached {found['product']:,.0f} TFLOP/s here, with its launch and the transfer of its result "
        "included.",
        command(f"KERAS_BACKEND={found['backend']} python -m benchmarks.training.gpu --peak {found['peak']:.0f}"),
        table(
            (
                "Network",
                "Parameters",
                "Batch size (texts)",
                "Step (ms)",
                "Speed (texts/s)",
                "Compute rate (TFLOP/s)",
                "Share of the peak",
            ),
            [
                (
                    row["network"][0].upper() + row["network"][1:],
                    f"{row['parameters']:,}",
                    str(row["batch"]),
                    f"{1000 * row['step_seconds']:.1f}",
                    f"{row['samples_per_second']:,.0f}",
                    f"{row['teraflops']:.0f}",
                    bold(percent(row["share_of_peak"], 0)),
                )
                for row in found["speeds"]
            ],
        ),
        measured(found),
    )


def tutorial(found: Results) -> str:
    """Return the tables for the tutorial's recipe, from the results in ``tutorial.json``."""
    dev = found["dev"]
    return paragraphs(
        "The recipe `tutorial` was run from a CSV file with the columns `review` and `sentiment` to a published model, "
        f"on {found['limit']:,} of the 50,000 IMDB reviews and with the encoder {found['base']} "
        f"({found['parameters']:,} parameters) instead of BERT-base. The last tenth of the rows measures the model.",
        command(f"python -m benchmarks.training.tutorial --data imdb.parquet --limit {found['limit']}"),
        table(
            ("Rows trained on", "Training steps", "Rows measured", "Accuracy", "Measured rows also trained on"),
            [
                (
                    f"{found['train']:,}",
                    f"{found['steps']:,}",
                    f"{dev['reviews']:,}",
                    percent(dev["accuracy"]),
                    f"{found['shared']:,}",
                )
            ],
        ),
        "The recipe splits by rows, as the tutorial does, so that some texts are on both sides: "
        f"{found['shared_of_all']} of 5,000 measured rows when all 50,000 are used. "
        "The model's answers to the tutorial's two examples:",
        table(
            ("Text", "Prediction (confidence)"),
            [(text, verdict.partition(":")[0]) for text, verdict in found["examples"].items()],
        ),
        measured(found),
    )


def trainer_name(name: str) -> str:
    """Return how a table names a training loop of the results files."""
    return "Thumbs" if name == OURS else name.replace("Trainer, ", "Trainer with ")


def _fine_tuning_command() -> str:
    return command(
        "make peers",
        "python -m benchmarks.training.fine_tuning --data imdb.parquet --sentences rt_polarity.csv.gz",
    )
