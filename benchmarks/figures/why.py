"""The table about explanations: whether the words that /why names move the verdict."""

from benchmarks.figures.domains import TITLES
from benchmarks.figures.markdown import (
    Results,
    bold,
    command,
    measured,
    paragraphs,
    percent,
    percent_with_interval,
    table,
)


def why(found: Results) -> str:
    """Render ``why.json``: the effect of removing the named words, by set, and the time to explain a verdict."""
    duration = found["duration"]
    rows = [_row(title, found["sets"][name]) for name, title in TITLES.items() if name in found["sets"]]
    rows.append(_row("Texts in several windows", found["several_windows"]))
    together = found["together"]
    share = bold(percent_with_interval(together["moved_more"], together["interval"]))
    rows.append(("All texts", f"{together['texts']:,}", share, f"{together['named']:.2f}", f"{together['random']:.2f}"))
    return paragraphs(
        "An explanation is faithful if the words that it names really moved the verdict. From each text, we removed "
        "the words that `/why` names (at most three) and, separately, as many random words. We compared how far the "
        "margin between the two labels' logits moved. Our goal is that the named words move it further in "
        f"{percent(found['aim'], 0)} of the texts. The texts were drawn from the reported halves, and no choices were "
        "based on these halves.",
        command("python -m benchmarks.why --data FOLDER"),
        table(
            (
                "Texts",
                "Number of texts",
                "Named words moved the margin more (95% interval)",
                "Mean shift, named words (logits)",
                "Mean shift, random words (logits)",
            ),
            rows,
        ),
        f"Explaining the verdict on {duration['words']} words took {duration['median']:.2f} s (median; 95th percentile "
        f"{duration['p95']:.2f} s), over {duration['runs']} texts, on {duration['threads']} threads. "
        + measured(found),
    )


def _row(title: str, share: Results) -> tuple[str, ...]:
    moved = percent_with_interval(share["moved_more"], share["interval"])
    return title, f"{share['texts']:,}", moved, f"{share['named']:.2f}", f"{share['random']:.2f}"
