"""The serving table: a running demo's replies to reviews that were sent over HTTP."""

from benchmarks.figures.markdown import Results, command, measured, paragraphs, percent, percent_with_interval, table


def http_load(found: Results) -> str:
    """Render ``drive.json``: the number of replies from a running demo, their accuracy and their latency."""
    seconds = found["seconds_to_reply"]
    return paragraphs(
        f"Over HTTP, simulated people ({found['people_at_once']} at a time) sent {found['reviews']:,} official IMDB "
        f"test reviews to a running demo. Of these reviews, {found['split_reviews']} are too long for one message, "
        "so they were split the way Telegram's apps split long texts. The bot waits one second for the next part of "
        "a long review. The time to reply is measured from a review's first message. A reply is accurate if it names "
        "exactly one label and that label is correct.",
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
