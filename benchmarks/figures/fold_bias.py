"""The table about the fold models that stand in for a candidate in the gate."""

from benchmarks.figures.markdown import Results, bold, command, mean, measured, paragraphs, percent, table


def fold_bias(found: Results) -> str:
    """Render ``fold_bias.json``: the accuracy of the fold models and of the candidates, by draw."""
    draws = found["draws"]
    return paragraphs(
        "To measure a candidate on votes, the gate uses fold models, which are heads on the anchor's frozen features. "
        f"They should be as accurate as the candidate that they stand in for. In each draw, "
        f"{draws[0]['votes']} Rotten Tomatoes sentences got a vote, a feedback round trained a candidate on all of "
        "them, and the fold models were fitted. "
        f"All of these models were then evaluated on the same {found['unseen']['reviews']:,} other sentences.",
        command("python -m benchmarks.gate.fold_bias --data FOLDER"),
        table(
            ("Draw", "Votes", "Anchor", "Fold models", "Candidate"),
            [
                (str(number), str(draw["votes"]), *(percent(draw[key]) for key in ("anchor", "folds", "candidate")))
                for number, draw in enumerate(draws, start=1)
            ],
        ),
        f"Fold models minus candidate, in points: {bold(mean(found['bias']))}, with the 95% interval over the draws. "
        f"The anchor is {found['anchor']}. " + measured(found),
    )
