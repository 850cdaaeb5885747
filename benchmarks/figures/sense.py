"""The table about texts that are not reviews."""

from typing import Final

from benchmarks.figures.markdown import Results, command, measured, paragraphs, percent_with_interval, table

_OTHERS: Final = {
    "chat_lines": "Not reviews: chat lines written for this test",
    "neutral_tweets": "Not reviews: neutral tweets (Sentiment140)",
}
_REVIEWS: Final = {
    "imdb": "Reviews: IMDB test",
    "alexa": "Reviews: Alexa",
    "uci": "Reviews: UCI sentences",
    "sentiment140": "Reviews: tweets with an opinion (Sentiment140)",
    "rotten_tomatoes": "Reviews: Rotten Tomatoes sentences",
}


def sense(found: Results) -> str:
    """Render ``sense.json``: how many texts of each kind get no verdict from the model."""
    rows = [(name, found["others"][key]) for key, name in _OTHERS.items()]
    rows += [(name, found["reviews"][key]) for key, name in _REVIEWS.items()]
    return paragraphs(
        "The bot should refuse every text that is not a review, but never a review. No choices were based on the "
        "texts below: the authors of the chat lines had not seen the rules or the review head, and the texts from "
        "other domains are from the reported half. From the larger sets, reviews were drawn at random.",
        command("python -m benchmarks.serving.sense --data FOLDER"),
        table(
            ("Texts", "Number of texts", "By the review head", "By rules", "Share refused (95% interval)"),
            [
                (
                    name,
                    f"{row['texts']:,}",
                    f"{row['by_head']:,}",
                    f"{row['by_rule']:,}",
                    percent_with_interval(row["share"], (row["low"], row["high"])),
                )
                for name, row in rows
            ],
        ),
        measured(found),
    )
