"""Tables about model quality: the starter model and the language guard."""

from typing import Final

from benchmarks.figures.markdown import (
    Results,
    bold,
    command,
    comparison,
    disjoint,
    measured,
    paragraphs,
    percent,
    percent_with_interval,
    table,
)

_ENGLISH: Final = {
    "short_reviews": "English: short reviews (Rotten Tomatoes and Alexa)",
    "imdb_first_sentences": "English: first sentences of IMDB test reviews",
    "tricky": "English: fragments written to mislead the guard",
}
# The results have these two entries in addition to one for each language.
_FOREIGN: Final = {
    "all": "Other languages: reviews written for this test",
    "stray": "Other languages: reviews found in the English collections",
}


def starter(found: Results) -> str:
    """Render ``starter.json``: the starter model's accuracy and calibration, and the cost of quantisation."""
    test, clean, other = found["on_test"], found["without_doubtful"], found["on_sentences"]
    int8 = found["float32_to_int8"]

    def row(texts: str, figures: Results, accuracy: str) -> tuple[str, ...]:
        calibration = percent(figures["calibration_error"], 2)
        return texts, f"{figures['reviews']:,}", accuracy, calibration, percent(figures["unsure"])

    return paragraphs(
        f"We evaluated the starter model {found['version']} ({found['parameters']:,} parameters) on all official IMDB "
        "test reviews and on Rotten Tomatoes sentences, a domain that it was not trained on. The second row excludes "
        "IMDB reviews with disputed labels (Northcutt et al. 2021). Predictions below the confidence threshold are "
        "reported as unsure, but count towards the accuracy like all other predictions.",
        command(
            "python -m benchmarks.serving.model_quality --data imdb.parquet --doubtful label_errors.csv "
            "--sentences rt_polarity.csv.gz"
        ),
        table(
            ("Texts", "Number of texts", "Accuracy (95% interval)", "Expected calibration error", "Unsure"),
            [
                row("IMDB test reviews", test, bold(percent(test["accuracy"], 2)) + _interval(found["interval"])),
                row("IMDB test reviews without disputed labels", clean, percent(clean["accuracy"], 2)),
                row(
                    "Rotten Tomatoes sentences",
                    other,
                    percent_with_interval(other["accuracy"], found["sentences_interval"]),
                ),
            ],
        ),
        "The model is served in int8. This table compares int8 with float32 on the same IMDB test reviews:",
        table(
            (
                "Accuracy in float32",
                "Accuracy in int8",
                "Difference in points (95% interval)",
                "Same label in both",
            ),
            [
                (
                    percent(int8["first_accuracy"], 2),
                    percent(int8["second_accuracy"], 2),
                    comparison(int8),
                    percent(int8["agreement"], 2),
                )
            ],
        ),
        f"Engine: {found['engine']}. Reviews are read in windows of {found['window']} tokens that overlap by "
        f"{found['overlap']} tokens. {disjoint(found)} {measured(found)}",
    )


def language_guard(found: Results) -> str:
    """Render ``language.json``: how many texts of each kind the language guard rejects."""
    languages = found["foreign"].keys() - _FOREIGN.keys()
    rows = [(name, found["english"][key]) for key, name in _ENGLISH.items()]
    rows += [(name, found["foreign"][key]) for key, name in _FOREIGN.items()]
    return paragraphs(
        "The language guard should refuse as many texts in other languages as possible, but no English ones. We "
        f"tested it on English collections and on reviews in {len(languages)} other languages, written for this "
        f"test. Its threshold, {found['threshold']}, was chosen on other texts.",
        command(
            "python -m benchmarks.serving.language_guard --rt rt_polarity.csv.gz --alexa amazon_alexa.csv.gz "
            "--imdb imdb.parquet"
        ),
        table(
            ("Texts", "Number of texts", "Refused", "Share refused (95% interval)"),
            [
                (
                    name,
                    f"{row['texts']:,}",
                    f"{row['refused']:,}",
                    percent_with_interval(row["share"], (row["low"], row["high"])),
                )
                for name, row in rows
            ],
        ),
        measured(found),
    )


def _interval(interval: tuple[float, float]) -> str:
    low, high = interval
    return f" ({percent(low, 2)} to {percent(high, 2)})"
