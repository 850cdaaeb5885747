"""The poisoning's rows of the README."""

from typing import Any, Final

_NAMES: Final = {"flip": "flip labels", "trigger": "plant a phrase"}
# The figure that shows the harm of an attack, and what it is called.
_HARM: Final = {"flip": ("lost", "points of IMDB lost"), "trigger": ("turned", "more sentences turned by the phrase")}


def rows_of(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What became of each attack, by ``benchmarks/results/poison.json``."""
    return [row for group in found["groups"] for row in _rows(group)]


def source_of(found: dict[str, Any]) -> str:
    """How the figures came about."""
    live, parts = found["live"], found["parts"]
    network = f"a network of {found['parameters']:,} parameters in {found['layers']} layers on the usual code path"
    reviews, sentences = parts["IMDB to test"]["reviews"], parts["sentences held out"]["reviews"]
    return (
        f"{found['people']} people judge Rotten Tomatoes sentences, colluders ten times as many as others; models are "
        f"measured beside the one that was live, {network}, right on {live['imdb']:.1%} of {reviews:,} official test "
        f"reviews outside the gate set and on {live['sentences']:.1%} of {sentences:,} held-out sentences. The admin "
        "promotes what is held although it is better on feedback, unless a word stands out. Without rules: the same "
        "fine-tune on every vote, always live. Each line is a mean and the worst of the seeds; texts in two of the "
        f"parts: {found['shared_texts']}"
    )


def _rows(group: dict[str, Any]) -> list[tuple[str, str]]:
    ends = ", ".join(f"{count} {state}" for state, count in sorted(group["ends"].items(), reverse=True))
    if group["tapped"]:
        ends += f", {group['tapped']} of the held promoted by the admin"
    if group["attack"] == "none":
        return [
            ("nobody colludes", ends),
            ("gone live: points of IMDB lost, gained on sentences", _of_both(group, "live")),
            ("without rules", _of_both(group, "naive")),
        ]
    name = f"{group['share']:.0%} {_NAMES[group['attack']]}"
    figure, harm = _HARM[group["attack"]]
    found = f"; phrase named in {group['named']}" if group["attack"] == "trigger" else ""
    planted = f"{group['planted']:.0%} of the texts are planted, {group['trained_planted']:.0%} of those that train"
    return [
        (f"{name}: {planted}", f"{ends}{found}"),
        (f"{name}: {harm}: gone live, **without rules**", _beside(group, figure)),
        *([(f"{name}: points of IMDB lost: gone live, without rules", _beside(group, "lost"))] if found else []),
    ]


def _beside(group: dict[str, Any], figure: str) -> str:
    return f"{_points(group[figure]['live'])}, **{_points(group[figure]['naive'])}**"


def _of_both(group: dict[str, Any], models: str) -> str:
    return f"{_points(group['lost'][models])}, {_points(group['gained'][models])}"


def _points(found: dict[str, float] | None) -> str:
    """A mean and the largest value in points."""
    return "none" if found is None else f"{100 * found['mean']:.2f} ({100 * found['most']:.2f})"
