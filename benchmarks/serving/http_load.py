"""Sends IMDB reviews to a running demo over HTTP and measures the replies.

    make demo &
    python -m benchmarks.serving.http_load --reviews imdb.parquet --split test --count 1000

Each review is sent by a different person. HTML line breaks become newlines, and long reviews are split the way
Telegram's apps split them. A reply is right if it names exactly one label and that label is correct. A reply that says
that the bot is not sure also counts as a reply.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.replies import REPLY_TIMEOUT, named_label, waiting_quantiles
from benchmarks.common.results import write_results
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.data.splits import official_split
from ml.evaluation.intervals import wilson_interval
from ml.text.labels import LABELS
from playground.client import PlaygroundClient

# Lowest id of a person in this benchmark, far from the ids on the demo's page.
_FIRST_PERSON = 1_000_000


@dataclass(frozen=True, slots=True)
class ReviewRoundTrip:
    """One review: messages sent, seconds to the first reply, number of replies, and the label in the first reply."""

    messages: int
    seconds: float
    replies: int
    label: str | None
    right: bool


@dataclass(frozen=True, slots=True)
class HttpLoadReport:
    """The content of ``benchmarks/results/drive.json``. Shares are from 0 to 1, with Wilson's 95% interval."""

    provenance: Provenance
    reviews: int
    split: str
    seed: int
    people_at_once: int
    messages: int
    split_reviews: int
    replied: int
    doubled: int
    without_label: int
    accuracy: float
    interval: tuple[float, float]
    full_test_accuracy: float
    seconds: float
    """Seconds from the first message to the last reply."""
    seconds_to_reply: dict[str, float]
    """Quantiles over all reviews, with ``people_at_once`` people writing at the same time."""


def main() -> int:
    """Send the reviews, and write and print the results.

    Return 1 if any replies are missing or repeated, or if the accuracy is not as expected.
    """
    arguments = _arguments()
    reviews = official_split(read_reviews(arguments.reviews), arguments.split)
    chosen = reviews.sample(arguments.count, random_state=arguments.seed)
    started = time.monotonic()
    with PlaygroundClient(arguments.url, token="") as client, Progress() as bar:
        task = bar.add_task("Reviews", total=len(chosen))
        offset = int(time.time()) % 1_000_000 * 10_000

        def send(number: int, text: str, label: int) -> ReviewRoundTrip:
            found = _send_review(client, _FIRST_PERSON + offset + number, text, LABELS[label])
            bar.advance(task)
            return found

        with ThreadPoolExecutor(arguments.people) as people:
            jobs = [
                people.submit(send, i, *row) for i, row in enumerate(zip(chosen["text"], chosen["label"], strict=True))
            ]
            people.shutdown()
        seconds = time.monotonic() - started
        round_trips = _recount_replies(client, [job.result() for job in jobs], _FIRST_PERSON + offset)
    report = _report(arguments, round_trips, seconds)
    write_results(arguments.out, report)
    _print(report)
    off = abs(report.accuracy - report.full_test_accuracy)
    return int(report.replied != report.reviews or report.doubled > 0 or off > 0.02)


def _arguments() -> argparse.Namespace:
    port = Settings.model_fields["playground_port"].default
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving.http_load", description="Send IMDB reviews to a running demo."
    )
    parser.add_argument("--reviews", type=Path, required=True, help="labelled reviews: parquet or CSV")
    parser.add_argument("--split", default="test", help="official part to draw reviews from")
    parser.add_argument("--count", type=int, default=1000, help="number of reviews to send")
    parser.add_argument("--seed", type=int, default=1, help="seed for drawing the reviews")
    parser.add_argument("--people", type=int, default=16, help="number of people who write at the same time")
    parser.add_argument("--url", default=f"http://127.0.0.1:{port}", help="address of the running demo's page")
    add_out_option(parser, "drive")
    return parser.parse_args()


def _send_review(client: PlaygroundClient, person: int, text: str, label: str) -> ReviewRoundTrip:
    started = time.monotonic()
    sent = client.paste(text.replace("<br />", "\n"), user_id=person)
    try:
        chat = client.wait_for_chat(lambda seen: bool(_bot_messages(seen)), chat_id=person, seconds=REPLY_TIMEOUT)
    except TimeoutError:
        return ReviewRoundTrip(len(sent), REPLY_TIMEOUT, 0, None, False)
    seconds = time.monotonic() - started
    found = named_label(_bot_messages(chat)[0]["text"])
    return ReviewRoundTrip(len(sent), seconds, 1, found, found == label)


def _recount_replies(
    client: PlaygroundClient, round_trips: list[ReviewRoundTrip], first_person: int
) -> list[ReviewRoundTrip]:
    """Count the replies in every chat after the last review, because a repeated reply arrives after the first."""
    return [
        replace(one, replies=len(_bot_messages(client.chat(first_person + number))))
        for number, one in enumerate(round_trips)
    ]


def _bot_messages(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


def _report(arguments: argparse.Namespace, round_trips: list[ReviewRoundTrip], seconds: float) -> HttpLoadReport:
    right = sum(one.right for one in round_trips)
    starter = json.loads((arguments.out.parent / "starter.json").read_text(encoding="utf-8"))
    return HttpLoadReport(
        provenance=provenance("python-telegram-bot", "openvino", "sqlalchemy", "tornado"),
        reviews=len(round_trips),
        split=arguments.split,
        seed=arguments.seed,
        people_at_once=arguments.people,
        messages=sum(one.messages for one in round_trips),
        split_reviews=sum(one.messages > 1 for one in round_trips),
        replied=sum(one.replies > 0 for one in round_trips),
        doubled=sum(one.replies > 1 for one in round_trips),
        without_label=sum(one.label is None for one in round_trips),
        accuracy=right / len(round_trips),
        interval=wilson_interval(right, len(round_trips)),
        full_test_accuracy=starter["on_test"]["accuracy"],
        seconds=round(seconds, 1),
        seconds_to_reply=waiting_quantiles([one.seconds for one in round_trips]),
    )


def _print(report: HttpLoadReport) -> None:
    low, high = report.interval
    print(f"{report.reviews} reviews in {report.messages} messages ({report.split_reviews} split) ", end="")
    print(f"from {report.people_at_once} people at once, {report.seconds} s")
    print(f"  replied {report.replied}, repeated {report.doubled}, without exactly one label {report.without_label}")
    print(f"  accuracy {report.accuracy:.2%} ({low:.2%} to {high:.2%}); full test {report.full_test_accuracy:.2%}")
    print(f"  seconds to reply: {report.seconds_to_reply}")


if __name__ == "__main__":
    sys.exit(main())
