"""The table about how well the gate estimates a gain when people vote mostly on mistakes."""

from benchmarks.figures.markdown import NONE, Results, command, measured, paragraphs, percent, points, table


def gate_votes(found: Results) -> str:
    """Render ``gate_votes.json``: the errors of the estimates for each voting scheme."""
    cases = found["cases"]
    rounds, colluders = cases[0]["rounds"], max(case["colluders"] for case in cases)
    return paragraphs(
        f"For each row, we simulated {rounds} rounds in which {found['people']} people are shown "
        f"{found['verdicts']:,} verdicts. Each person votes on a share of the mistakes, drawn between "
        f"{_range(found['mistakes'])}, and on a share of the correct verdicts, drawn between "
        f"{_range(found['correct'])}. People also differ in how often the model is wrong about their texts, and in "
        "how much the candidate gains on them. The gate knows none of these shares and gains. It sees only the "
        "verdicts, the votes, the texts that `/label` drew at random, and the question that the bot asks below "
        f"{percent(found['asked'], 0)} of the verdicts. The {colluders} people who collude are shown "
        f"{found['texts_each']} verdicts each and vote on {found['votes_each']} of them, always falsely and in the "
        "candidate's favour. Weights cannot tell these votes from honest ones.",
        command("python -m benchmarks.gate"),
        "Errors are in points. “Mean error” is the mean of the estimate minus the true gain over all shown verdicts, "
        "and “Mean size” is the mean of its absolute value. “Unweighted” is the mean error if all votes have the same "
        "weight. “Proven” is the share of rounds with a p-value of at most 5% for “better”:",
        table(
            (
                "Votes",
                "Gain",
                "Drawn",
                "Texts with votes",
                "Can't tell",
                "Mean error",
                "Mean size",
                "Unweighted",
                "95% interval covers",
                "Its half width",
                "Proven",
            ),
            [
                (
                    case["name"],
                    f"{100 * case['gain']:g}",
                    str(case["drawn"]),
                    f"{case['texts']:.0f}",
                    percent(case["unknown"], 0),
                    _signed(case["error"]),
                    _plain(case["abs_error"]),
                    _signed(case["unweighted_error"]),
                    _share(case["covered"]),
                    _plain(case["half_width"]),
                    _share(case["proven"]),
                )
                for case in cases
            ],
        ),
        f"The gate says that it can't tell if all votes are on mistakes and fewer than {found['min_drawn']} texts "
        "were drawn at random.",
        measured(found),
    )


def _range(ends: list[float]) -> str:
    return f"{percent(ends[0], 0)} and {percent(ends[1], 0)}"


def _signed(value: float | None) -> str:
    return NONE if value is None else points(value)


def _plain(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.2f}"


def _share(value: float | None) -> str:
    return NONE if value is None else percent(value, 1)
