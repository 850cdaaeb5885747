"""The serving table: results for reviews sent to a running demo over HTTP."""

from benchmarks.figures.markdown import Results, command, measured, paragraphs, percent, percent_with_interval, table


def http_load(found: Results) -> str:
    """Return the replies of a running demo, their accuracy and their latency, from ``drive.json``."""
    seconds = found["seconds_to_reply"]
    return paragraphs(
        f"{found['reviews']:,} reviews, drawn from the official IMDB test reviews, were sent to a running demo over "
        f"HTTP by {found['people_at_once']} simulated people at a time. {found['split_reviews']} of them exceed "
        "Telegram's limit for one message and were split as Telegram's apps do; the bot waits a second for the next "
        "part of a long review. The time to reply is from the first message to the reply. A reply counts as accurate "
        "when the one label that it names is the review's.",
        command("make demo &", "python -m benchmarks.serving.http_load --reviews imdb.parquet"),
        table(
            (
                "Reviews",
                "Messages",
                "Reviews with a reply",
                "Reviews with two replies",
                "Accuracy (95% interval)",
                "Accuracy on all test reviews",
                "Median time to reply (s)",
                "95th percentile (s)",
                "Longest (s)",
            ),
            [
                (
                    f"{found['reviews']:,}",
                    f"{found['messages']:,}",
                    f"{found['replied']:,}",
                    f"{found['doubled']:,}",
                    percent_with_interval(found["accuracy"], found["interval"]),
                    percent(found["full_test_accuracy"]),
                    str(seconds["50%"]),
                    str(seconds["95%"]),
                    str(seconds["100%"]),
                )
            ],
        ),
        measured(found),
    )
