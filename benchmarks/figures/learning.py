"""Tables on learning from people: corrections from another domain, and the loop on a running demo."""

import re
from typing import Final

from benchmarks.figures.markdown import (
    NONE,
    Results,
    bold,
    command,
    comparison,
    disjoint,
    mean,
    measured,
    paragraphs,
    percent,
    table,
)

# Recorded sentences of the gate put a space before the percent sign.
_SPACED_PERCENT: Final = re.compile(r"(?<=\d) %")
_NOT_LIVE: Final = "did not go live"


def feedback_value(found: Results) -> str:
    """Return what corrections from another domain are worth, from ``feedback_value.json``."""
    draws, recipe = found["draws"], found["recipe"]
    first = draws[0]
    sentences, imdb = first["sentences"], first["imdb"]

    def row(corrections: str, training: str, one: Results) -> tuple[str, ...]:
        accuracy = percent(one["sentences"]["second_accuracy"])
        return corrections, training, accuracy, comparison(one["sentences"]), comparison(one["imdb"])

    rounds = [
        row(f"{one['corrections']:,}", f"Feedback round, draw {number}", one) for number, one in enumerate(draws, 1)
    ]
    everything = [
        row(f"{one['corrections']:,}", f"{how[0].upper()}{how[1:]}, no interpolation", one)
        for how, one in found["all_of_them"].items()
    ]
    return paragraphs(
        "The table shows what corrections from another domain are worth, and what they cost on IMDB. The corrections "
        f"are labelled Rotten Tomatoes sentences. The anchor ({found['parameters']:,} parameters) learned from each of "
        f"{len(draws)} draws of {first['corrections']} corrections in a separate feedback round by the recipe "
        f"`{recipe['name']}`, and from all corrections at once. Every model was measured on the same "
        f"{sentences['reviews']:,} other sentences and on {imdb['reviews']:,} official IMDB test reviews outside the "
        "gate set. The intervals of the mean are over the draws.",
        command("python -m benchmarks.training.feedback_value --data imdb.parquet --sentences rt_polarity.csv.gz"),
        table(
            (
                "Corrections",
                "Training",
                "Accuracy on sentences",
                "Change on sentences in points (95% interval)",
                "Change on IMDB in points (95% interval)",
            ),
            [
                ("0", "The anchor", percent(sentences["first_accuracy"]), NONE, NONE),
                *rounds,
                (
                    f"{first['corrections']:,}",
                    "Mean of the draws",
                    percent(sentences["first_accuracy"] + found["lift"]["mean"]),
                    bold(mean(found["lift"])),
                    mean(found["imdb_change"]),
                ),
                *everything,
            ],
        ),
        f"The mean gain of a draw is **{percent(found['share_of_full_lift'], 0)}** of the larger gain from all "
        f"corrections. {disjoint(found)} {measured(found)}",
    )


def learning_loop(found: Results) -> str:
    """Return the rounds of the learning loop on a running demo, from ``learning_loop.json``."""
    parts, rounds = found["parts"], found["rounds"]
    names = [f"Round {number}" for number in range(1, len(rounds) + 1)]
    labelling = zip(*(_labelling(one) for one in rounds), strict=True)
    training = zip(*(_training(one) for one in rounds), strict=True)
    background = zip(*(_background(one) for one in rounds), strict=True)
    return paragraphs(
        f"On a running demo, {found['people']} simulated people wrote Rotten Tomatoes sentences over HTTP, voted on "
        "the bot's predictions and labelled each other's texts with `/label`, so that a text has two votes; "
        f"{found['mistaken']:.0%} of the votes are mistaken by design. Then the admin sent `/retrain`, and promoted a "
        "model that the gate had held although it was better on feedback. The models have "
        f"{found['parameters']:,} parameters.",
        command("python -m benchmarks.learning --data imdb.parquet --sentences rt_polarity.csv.gz"),
        "Votes and labels:",
        table(("Count", *names), _rows(labelling)),
        "The training run. Accuracies are of the live model and of the candidate, on "
        f"{parts['sentences held out']['reviews']:,} other sentences and on {parts['IMDB to test']['reviews']:,} "
        "official IMDB test reviews outside the gate set:",
        table(("Training run", *names), _rows(training)),
        "Other people wrote a sentence a second each while the candidate was trained and loaded. A reply is late after "
        "5 seconds, and outdated when the old model answers a sentence sent after the new one had gone live:",
        table(("Replies during the run", *names), _rows(background)),
        f"{disjoint(found)} {measured(found)}",
    )


def _rows(pairs: "zip[tuple[tuple[str, str], ...]]") -> list[tuple[str, ...]]:
    """Return a row for each figure from the same (name, value) pairs of every round."""
    return [(figures[0][0], *(value for _, value in figures)) for figures in pairs]


def _labelling(one: Results) -> list[tuple[str, str]]:
    votes, counts = one["votes"], one["judged"]
    return [
        ("Sentences written", f"{one['sentences']:,}"),
        ("Predictions voted wrong", f"{votes['called_wrong']:,}"),
        ("Mistaken votes, of all votes", f"{votes['mistaken']:,} of {votes['own'] + votes['others']:,}"),
        ("Eligible texts, all rounds so far", f"{counts['usable']:,}"),
        ("Eligible texts with a wrong label", f"{counts['wrong']:,}"),
        ("Texts in quarantine", f"{counts['quarantined']:,}"),
    ]


def _training(one: Results) -> list[tuple[str, str]]:
    run, live = one["run"], one["retrain_to_live"]
    return [
        ("Texts trained on", f"{run['train']:,}"),
        ("Texts held out", f"{run['held_out']:,}"),
        ("The gate's decision, as the chat shows it", f"“{_SPACED_PERCENT.sub('%', run['sentence'])}”"),
        ("From `/retrain` to the decision (s)", f"{one['seconds']['/retrain to card']:.0f}"),
        (
            "From `/retrain` to the first reply of the new model (s)",
            _NOT_LIVE if live is None else bold(f"{live:.0f}"),
        ),
        *_compared("sentences", one["on_sentences"]),
        *_compared("IMDB", one["on_imdb"]),
    ]


def _compared(texts: str, found: Results | None) -> list[tuple[str, str]]:
    """Return accuracies and change; ``found`` is None for a rejected candidate, whose files are deleted."""
    accuracy, change = "not measured: the candidate was rejected", NONE
    if found is not None:
        accuracy = f"{percent(found['first_accuracy'])} to {percent(found['second_accuracy'])}"
        change = comparison(found)
    return [(f"Accuracy on {texts}", accuracy), (f"Change on {texts} in points (95% interval)", change)]


def _background(one: Results) -> list[tuple[str, str]]:
    seen = one["meanwhile"]
    return [
        ("Sentences sent", f"{seen['sentences']:,}"),
        ("Late replies", f"{seen['late']:,}"),
        ("Sentences with two replies", f"{seen['doubled']:,}"),
        ("Sentences without a reply", f"{seen['sentences'] - seen['answered']:,}"),
        ("Outdated replies", f"{seen['stale']:,}"),
    ]
