"""Tables about the gate's decisions over years of weekly runs, and about trials."""

from benchmarks.figures.markdown import Results, command, measured, paragraphs, percent, table


def gate_over_time(found: Results) -> str:
    """Render ``gate_over_time.json``: wrong and right promotions, and how trials ended."""
    rate, years = found["wrong_promotions_per_year"], found["years"]
    wrong = [row for row in years if row["gain"] == 0]
    return paragraphs(
        "We simulated years of weekly runs with the gate's own rules for looks and trials. In some years, the "
        "candidate stays the same; in others, each week's candidate is a new draw, which is the worst case for "
        f"repeated looks. In all years, the models disagree on {percent(found['flip_rate_of_years'], 0)} of the "
        f"texts. `GATE_WRONG_PROMOTIONS_PER_YEAR` is {percent(rate, 0)}, and trials, where allowed, start "
        "automatically.",
        command("python -m benchmarks.gate.over_time"),
        "Share of years in which a model that is **no better** is promoted for good, with the mean number of trials in "
        "a year in brackets:",
        table(
            ("Votes a week", "Candidates", "Without trials", "With trials"),
            [
                (str(votes), name, _wrong(wrong, votes, new, trials=False), _wrong(wrong, votes, new, trials=True))
                for votes in _votes(years)
                for name, new in (("the same all year", False), ("new each week", True))
            ],
        ),
        "Share of years in which a **better** model is promoted for good, by a run or by a trial, with the median week "
        "in brackets. In these years, candidates stay the same, and trials are allowed:",
        table(
            ("Votes a week", *(f"Gain of {_points(gain)} points" for gain in _gains(years))),
            [(str(votes), *(_right(years, votes, gain) for gain in _gains(years))) for votes in _votes(years)],
        ),
        "The power of a single look is the share of first looks that prove a gain. The gate's test is as powerful as "
        f"the exact test at the same alpha ({percent(found['power'][0]['alpha'], 2)}), because the two tests are the "
        "same if all votes have the same weight. The last column shows a single exact test per year, at "
        f"{percent(rate, 0)}:",
        table(
            ("Texts with votes", "Flips", "Gain in points", "The gate", "Exact test", "Exact test, once a year"),
            [
                (
                    f"{row['texts']:,}",
                    percent(row["flip_rate"], 0),
                    _points(row["gain"]),
                    percent(row["gate"], 1),
                    percent(row["exact"], 1),
                    percent(row["exact_once_a_year"], 1),
                )
                for row in found["power"]
            ],
        ),
        "How trials ended for models that the run had found probably better:",
        table(
            (
                "Texts before",
                "Flips",
                "Gain in points",
                "Confirmed",
                "Rolled back",
                "Median new votes",
                "Most new votes",
            ),
            [
                (
                    str(row["texts_before"]),
                    percent(row["flip_rate"], 0),
                    _points(row["gain"]),
                    percent(row["confirmed"], 1),
                    percent(row["rolled_back"], 1),
                    f"{row['votes']:.0f}",
                    str(row["most_votes"]),
                )
                for row in found["trials"]
            ],
        ),
        measured(found),
    )


def _votes(years: list[Results]) -> list[int]:
    return sorted({row["votes_per_week"] for row in years})


def _gains(years: list[Results]) -> list[float]:
    return sorted({row["gain"] for row in years} - {0})


def _wrong(years: list[Results], votes: int, new: bool, *, trials: bool) -> str:
    (row,) = (
        row
        for row in years
        if (row["votes_per_week"], row["new_candidate_each_week"], row["trials_allowed"]) == (votes, new, trials)
    )
    share = percent(row["by_run"] + row["by_trial"], 1)
    return f"{share} ({row['trials']:.1f})" if trials else share


def _right(years: list[Results], votes: int, gain: float) -> str:
    (row,) = (
        row
        for row in years
        if (row["votes_per_week"], row["gain"]) == (votes, gain)
        and row["trials_allowed"]
        and not row["new_candidate_each_week"]
    )
    week = "" if row["weeks"] is None else f" ({row['weeks']:.0f})"
    return f"{percent(row['by_run'] + row['by_trial'], 0)}{week}"


def _points(gain: float) -> str:
    return f"{100 * gain:g}"
