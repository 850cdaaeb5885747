"""The learning loop's rows of the README."""

from collections.abc import Iterator
from typing import Any


def rows_of(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What each round took and gave, by ``benchmarks/results/learning_loop.json``."""
    return [row for number, one in enumerate(found["rounds"], start=1) for row in _round(f"round {number}", one)]


def source_of(found: dict[str, Any]) -> str:
    """How the figures came about."""
    measured = found["parts"]
    return (
        f"Rotten Tomatoes sentences, written and judged over HTTP by {found['people']} people on the running demo, two "
        f"votes each, {found['mistaken']:.0%} of them mistaken by design; {found['parameters']:,} parameters; measured "
        f"on {measured['sentences held out']['reviews']:,} other sentences and "
        f"{measured['IMDB to test']['reviews']:,} official test reviews outside the gate set; texts in two of the "
        f"parts: {found['shared_texts']}"
    )


def _round(name: str, one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    run, votes, judged, meanwhile = one["run"], one["votes"], one["judged"], one["meanwhile"]
    yield (
        f"{name}: sentences, verdicts called wrong, votes mistaken",
        f"{one['sentences']:,}, {votes['called_wrong']:,}, {votes['mistaken']:,} of {votes['own'] + votes['others']:,}",
    )
    yield (
        f"{name}: usable so far, with a wrong label, quarantined",
        f"{judged['usable']:,}, {judged['wrong']:,}, {judged['quarantined']:,}",
    )
    yield f"{name}: the card ({run['train']:,} trained, {run['held_out']:,} held out)", run["sentence"]
    live = one["retrain_to_live"]
    told = "did not go live" if live is None else f"**{live:.0f} s**"
    yield f"{name}: `/retrain` to the first reply of the new model", told
    yield f"{name}: `/retrain` to the card", f"{one['seconds']['/retrain to card']:.0f} s"
    for what, found in (("held-out sentences", one["on_sentences"]), ("IMDB", one["on_imdb"])):
        if found is None:
            yield f"{name}: {what}", "as before, for the candidate was rejected"
            continue
        low, high = (100 * end for end in found["interval"])
        change = f"{100 * found['difference']:+.2f} points, {low:+.2f} to {high:+.2f}"
        yield f"{name}: {what}", f"{found['first_accuracy']:.1%} to {found['second_accuracy']:.1%} ({change})"
    yield (
        f"{name}: sentences of others meanwhile; late, doubled, unanswered, by the old model after the new",
        f"{meanwhile['sentences']:,}; {meanwhile['late']}, {meanwhile['doubled']}, "
        f"{meanwhile['sentences'] - meanwhile['answered']}, {meanwhile['stale']}",
    )
