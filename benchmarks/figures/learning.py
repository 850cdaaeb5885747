"""Tables about learning from people: corrections from a different domain, and the learning loop on a running demo."""

import re
from typing import Final

from benchmarks.figures.domains import TITLES
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
    percent_with_interval,
    table,
)

# In the recorded results, the gate's sentences have a space before the percent sign.
_SPACED_PERCENT: Final = re.compile(r"(?<=\d) %")
_NOT_LIVE: Final = "did not go live"


def feedback_value(found: Results) -> str:
    """Render ``feedback_value.json``: the gain from votes in other domains."""
    first = next(iter(found["domains"].values()))["groups"][0]["rounds"]
    return paragraphs(
        "How much do votes from a different domain improve accuracy in that domain, and how much do they cost on IMDB? "
        f"We drew votes {len(first)} times and ran a separate feedback round on each draw with the "
        f"`{found['recipe']['name']}` recipe, always from the same anchor ({found['anchor']}, "
        f"{found['parameters']:,} parameters). Additional rounds used all votes at once. Each model was evaluated on "
        f"other texts from the same domain and on {first[0]['imdb']['reviews']:,} official IMDB test reviews outside "
        "the gate set. The intervals for the means are computed over the draws.",
        command("python -m benchmarks.training.feedback_value --data ../shared/data"),
        *(part for name, value in found["domains"].items() for part in _domain_value(name, value)),
        f"{disjoint(found)} {measured(found)}",
    )


def _domain_value(domain: str, value: Results) -> tuple[str, ...]:
    """Render a domain's rounds: a sentence about the texts, a table, and each group's share of the full gain."""
    name = TITLES[domain]
    texts = value["groups"][0]["rounds"][0]["texts"]

    def row(one: Results, training: str) -> tuple[str, ...]:
        accuracy = percent(one["texts"]["second_accuracy"])
        return f"{one['votes']:,}", training, accuracy, comparison(one["texts"]), comparison(one["imdb"])

    rows: list[tuple[str, ...]] = [("0", "The anchor", percent(texts["first_accuracy"]), NONE, NONE)]
    for group in value["groups"]:
        rows += [row(one, f"Feedback round, {group['chosen']}, draw {n}") for n, one in enumerate(group["rounds"], 1)]
        rows.append(
            (
                f"{group['votes']:,}",
                f"Mean of the draws, {group['chosen']}",
                percent(texts["first_accuracy"] + group["lift"]["mean"]),
                bold(mean(group["lift"])),
                mean(group["imdb_change"]),
            )
        )
    rows += [row(one, f"{how[0].upper()}{how[1:]}, no interpolation") for how, one in value["all_votes"].items()]
    columns = (
        "Votes",
        "Training",
        "Accuracy",
        "Change in points (95% interval)",
        "Change on IMDB in points (95% interval)",
    )
    shares = " ".join(
        f"The mean gain from {group['votes']} votes ({group['chosen']}) is **{_share(group['share_of_full_lift'])}** "
        "of the largest gain from all votes."
        for group in value["groups"]
    )
    return f"{name}, evaluated on {texts['reviews']:,} texts:", table(columns, rows), shares


def _share(found: Results | None) -> str:
    if found is None:
        return NONE
    return percent_with_interval(found["mean"], (found["low"], found["high"]), 0)


def learning_loop(found: Results) -> str:
    """Render ``learning_loop.json``: the rounds of the learning loop on a running demo."""
    parts, rounds = found["parts"], found["rounds"]
    names = [f"Round {number}" for number in range(1, len(rounds) + 1)]
    labelling = zip(*(_labelling(one) for one in rounds), strict=True)
    training = zip(*(_training(one) for one in rounds), strict=True)
    background = zip(*(_background(one) for one in rounds), strict=True)
    return paragraphs(
        f"On a running demo, {found['people']} simulated people wrote Rotten Tomatoes sentences over HTTP, voted on "
        "the bot's predictions and labelled each other's texts with `/label`, so that every text had two votes. By "
        f"design, {found['mistaken']:.0%} of the votes were wrong. Then the admin sent `/retrain`. If the gate held "
        "the model even though it was better on feedback, the admin promoted it. The models have "
        f"{found['parameters']:,} parameters.",
        command("python -m benchmarks.learning --data imdb.parquet --sentences rt_polarity.csv.gz"),
        "Votes and labels:",
        table(("Count", *names), _rows(labelling)),
        "Training runs, with the accuracies of the live model and then of the candidate, on "
        f"{parts['sentences held out']['reviews']:,} other sentences and on {parts['IMDB to test']['reviews']:,} "
        "official IMDB test reviews outside the gate set:",
        table(("Training run", *names), _rows(training)),
        "While the candidate was being trained and loaded, several other people each wrote one sentence per second. A "
        "reply is late if it takes more than 5 seconds. It is outdated if it comes from the old model even though the "
        "sentence was sent after the new model had gone live:",
        table(("Replies during the run", *names), _rows(background)),
        f"{disjoint(found)} {measured(found)}",
    )


def _rows(pairs: "zip[tuple[tuple[str, str], ...]]") -> list[tuple[str, ...]]:
    """Return one row for each figure, from the (name, value) pairs of all rounds."""
    return [(figures[0][0], *(value for _, value in figures)) for figures in pairs]


def _labelling(one: Results) -> list[tuple[str, str]]:
    votes, counts = one["votes"], one["judged"]
    return [
        ("Sentences written", f"{one['sentences']:,}"),
        ("Predictions voted wrong", f"{votes['called_wrong']:,}"),
        ("Wrong votes, of all votes", f"{votes['mistaken']:,} of {votes['own'] + votes['others']:,}"),
        ("Eligible texts in all rounds so far", f"{counts['usable']:,}"),
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
    """Return the accuracies and their change.

    ``found`` is None for a rejected candidate, because its files are deleted.
    """
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
