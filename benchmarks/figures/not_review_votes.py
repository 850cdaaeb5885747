"""The table about votes that say that a text is not a review."""

from typing import Final

from benchmarks.figures.markdown import Results, command, mean, measured, paragraphs, percent, table

_SETS: Final = {
    "alexa": "Reviews: Alexa",
    "uci": "Reviews: UCI sentences",
    "sentiment140": "Reviews: tweets with an opinion (Sentiment140)",
    "rotten_tomatoes": "Reviews: Rotten Tomatoes sentences",
}


def not_review_votes(found: Results) -> str:
    """Render ``not_review_votes.json``: the share of texts that the head refuses before and after votes."""
    draws = found["draws"]
    first = draws[0]
    rows = [("Not reviews: other neutral tweets", [draw["before"]["neutral_tweets"] for draw in draws], found["gain"])]
    rows += [
        (title, [draw["before"]["reviews"][name] for draw in draws], found["lost"][name])
        for name, title in _SETS.items()
    ]
    return paragraphs(
        "Every training run fits the review head again, with the texts that people agree are not reviews. In each of "
        f"{len(draws)} draws, people said so of {first['votes']} neutral tweets, and corrected {first['corrected']} "
        "opinions from the development halves. The table shows the shares of other texts that the head refuses; the "
        "reviews are from the reported halves.",
        command("python -m benchmarks.serving.not_review_votes --data FOLDER"),
        table(
            ("Texts", "Refused before", "Refused after", "Change in points (95% interval over the draws)"),
            [
                (title, percent(average := sum(before) / len(before)), percent(average + change["mean"]), mean(change))
                for title, before, change in rows
            ],
        ),
        measured(found),
    )
