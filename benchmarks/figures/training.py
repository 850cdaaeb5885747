"""Tables about training: comparisons with Hugging Face's Trainer, speed on a GPU, and the tutorial's results."""

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
"""The name of this project's training loop in the results files."""


def speed(found: Results) -> str:
    """Render ``fine_tuning.json``: the training speed compared with Hugging Face's Trainer."""
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
        f"We compared the project's training loop (Keras) with Hugging Face's Trainer (PyTorch, in {len(trainers) - 1} "
        f"configurations) on {run['cores']} cores. All of them trained the same encoder, {run['base']} with "
        f"{run['parameters']:,} parameters, from the same weights and on the same padded batches of "
        f"{recipe['batch_size']} IMDB reviews, in windows of {recipe['window']} tokens. Each loop ran in a separate "
        f"process, and the processes took turns: {run['untimed_steps']} untimed steps, then {blocks} blocks of "
        f"{run['steps_a_block']} timed steps. The times for Thumbs include writing checkpoints; Trainer wrote none.",
        _fine_tuning_command(),
        table(
            (
                "Training loop",
                "Median speed (samples/s)",
                "Slowest to fastest block (samples/s)",
                "Speed of Thumbs relative to this",
                "Packages",
            ),
            [row(name, trainer) for name, trainer in trainers.items()],
        ),
        f"Compared block by block, Thumbs is **{ratio['lowest']:.2f}** to {ratio['highest']:.2f} times as fast as the "
        f"fastest configuration, {trainer_name(run['fastest'])}. {measured(found)}",
    )


def feedback_round(found: Results) -> str:
    """Render the durations of a feedback round and of a full fine-tune, and the round's effect on IMDB accuracy."""
    quick = found["feedback_round"]
    imdb = quick["imdb"]
    rounds = [
        (f"Feedback round {number}, from the command to the published folder", f"{seconds:.0f}")
        for number, seconds in enumerate(quick["round_seconds"], start=1)
    ]
    return paragraphs(
        f"We timed feedback rounds with {quick['judgements']} corrections (Rotten Tomatoes sentences) and compared "
        "them with a full fine-tune in the same training loop. The time for the full fine-tune is an estimate: "
        f"{quick['full_steps']:,} steps, each taking the median time of {quick['timed_steps']} timed steps. It does "
        "not include reading data, evaluating and publishing.",
        _fine_tuning_command(),
        table(
            ("Training", "Time (s)"),
            [*rounds, ("Full fine-tune, training steps only", f"{quick['full_seconds']:,.0f}")],
        ),
        f"A full fine-tune takes **{quick['times_faster']:.1f}** times as long as the slowest round. The effect of the "
        f"last round on {imdb['reviews']:,} official IMDB test reviews:",
        table(
            ("Accuracy before", "Accuracy after", "Change in points (95% interval)"),
            [(percent(imdb["first_accuracy"], 2), percent(imdb["second_accuracy"], 2), comparison(imdb))],
        ),
        measured(found),
    )


def equal_steps(found: Results) -> str:
    """Render ``equal_steps.json``: the accuracy of both training loops after the same number of steps."""
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
        f"To check whether this speed costs accuracy, we trained {recipe['base']} with both loops for "
        f"{found['steps']} steps of {recipe['batch_size']} IMDB reviews, from the same weights and on the same "
        f"batches. We evaluated the models in float32 on {pairs[0]['reviews']:,} held-out reviews from the official "
        "train split. Each seed leads to different reviews, a different classification head and different dropout "
        "masks. The interval for the mean is computed over the seeds.",
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
    """Render ``gpu.json``: the training speed on a GPU, in texts per second and as a share of the chip's peak."""
    return paragraphs(
        f"We timed complete training steps (forward, backward, gradient clipping and AdamW) on an {found['gpu']} in "
        f"{found['precision']}, with Keras on {found['backend']}. The texts are random, {found['tokens']} tokens long, "
        f"and the networks have random weights. The data sheet gives a peak of {found['peak']:,.0f} TFLOP/s. In this "
        f"test, one large matrix product reached {found['product']:,.0f} TFLOP/s, including its launch and the "
        "transfer of the result.",
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
    """Render ``tutorial.json``: the results of the tutorial's recipe."""
    dev = found["dev"]
    return paragraphs(
        "We ran the `tutorial` recipe end to end, from a CSV file with the columns `review` and `sentiment` to a "
        f"published model. The run used {found['limit']:,} of the 50,000 IMDB reviews, and the encoder {found['base']} "
        f"({found['parameters']:,} parameters) instead of BERT-base. The last tenth of the rows was used for "
        "evaluation.",
        command(f"python -m benchmarks.training.tutorial --data imdb.parquet --limit {found['limit']}"),
        table(
            ("Training rows", "Training steps", "Evaluation rows", "Accuracy", "Evaluation rows also in training"),
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
        "Like the tutorial, the recipe splits the data by rows, so some texts end up on both sides. With all 50,000 "
        f"rows, {found['shared_of_all']} of the 5,000 evaluation rows contain a text that is also in the training "
        "rows. The model's predictions for the tutorial's two examples:",
        table(
            ("Text", "Prediction (confidence)"),
            [(text, verdict.partition(":")[0]) for text, verdict in found["examples"].items()],
        ),
        measured(found),
    )


def trainer_name(name: str) -> str:
    """Return the name that tables use for a training loop in a results file."""
    return "Thumbs" if name == OURS else name.replace("Trainer, ", "Trainer with ")


def _fine_tuning_command() -> str:
    return command(
        "make peers",
        "python -m benchmarks.training.fine_tuning --data imdb.parquet --sentences rt_polarity.csv.gz",
    )
