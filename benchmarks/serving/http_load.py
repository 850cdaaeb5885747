"""Sends real reviews to a running demo, as people do, and counts what comes back.

    make demo &
    python -m benchmarks.serving.http_load --reviews imdb.parquet --split test --count 1000

Each review comes from a person of its own, with its HTML line breaks as line ends, and is split as Telegram's apps
split long texts. A reply counts as right when the one label that it names is the review's; an unsure reply counts as an
answer.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from benchmarks.common.provenance import Provenance, provenance
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.data.splits import official_split
from ml.evaluation.intervals import wilson_interval
from ml.text.labels import LABELS
from playground.client import PlaygroundClient

# A person's id in this run; far from those that the page shows.
_FIRST_PERSON = 1_000_000
# Seconds until a review counts as unanswered.
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One review and what came back: messages sent, seconds to the reply, replies in all, and the label it names."""

    messages: int
    seconds: float
    replies: int
    label: str | None
    right: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/drive.json`` holds; shares are 0 to 1, the interval is 95 % (Wilson)."""

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
    """From the first message to the last reply."""
    seconds_to_reply: dict[str, float]
    """Quantiles over the reviews, while ``people_at_once`` wrote at the same time."""


def main() -> int:
    """Drive the demo, write the JSON and print it; 1 when a reply is missing or doubled, or accuracy is off."""
    arguments = _arguments()
    reviews = official_split(read_reviews(arguments.reviews), arguments.split)
    chosen = reviews.sample(arguments.count, random_state=arguments.seed)
    started = time.monotonic()
    with PlaygroundClient(arguments.url, token="") as client, Progress() as bar:
        task = bar.add_task("Reviews", total=len(chosen))
        offset = int(time.time()) % 1_000_000 * 10_000

        def exchange(number: int, text: str, label: int) -> Exchange:
            found = _exchange(client, _FIRST_PERSON + offset + number, text, LABELS[label])
            bar.advance(task)
            return found

        with ThreadPoolExecutor(arguments.people) as people:
            jobs = [
                people.submit(exchange, i, *row)
                for i, row in enumerate(zip(chosen["text"], chosen["label"], strict=True))
            ]
            people.shutdown()
        seconds = time.monotonic() - started
        exchanges = _recounted(client, [job.result() for job in jobs], _FIRST_PERSON + offset)
    report = _report(arguments, exchanges, seconds)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(report)
    off = abs(report.accuracy - report.full_test_accuracy)
    return int(report.replied != report.reviews or report.doubled > 0 or off > 0.02)


def _arguments() -> argparse.Namespace:
    port = Settings.model_fields["playground_port"].default
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving.http_load", description="Send real reviews to a demo."
    )
    parser.add_argument("--reviews", type=Path, required=True, help="labelled reviews: parquet or CSV")
    parser.add_argument("--split", default="test", help="official part to draw from")
    parser.add_argument("--count", type=int, default=1000, help="reviews to send")
    parser.add_argument("--seed", type=int, default=1, help="draws the reviews")
    parser.add_argument("--people", type=int, default=16, help="people who write at the same time")
    parser.add_argument("--url", default=f"http://127.0.0.1:{port}", help="address of the running demo's page")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/drive.json"), help="results file")
    return parser.parse_args()


def _exchange(client: PlaygroundClient, person: int, text: str, label: str) -> Exchange:
    started = time.monotonic()
    sent = client.paste(text.replace("<br />", "\n"), user_id=person)
    try:
        chat = client.wait_for_chat(lambda seen: bool(_answers(seen)), chat_id=person, seconds=_PATIENCE)
    except TimeoutError:
        return Exchange(len(sent), _PATIENCE, 0, None, False)
    seconds = time.monotonic() - started
    named = [name for name in LABELS if name in _answers(chat)[0]["text"]]
    found = named[0] if len(named) == 1 else None
    return Exchange(len(sent), seconds, 1, found, found == label)


def _recounted(client: PlaygroundClient, exchanges: list[Exchange], first: int) -> list[Exchange]:
    """The exchanges with the replies that stand in each chat once everything was sent: a doubled one comes later."""
    return [
        Exchange(one.messages, one.seconds, len(_answers(client.chat(first + number))), one.label, one.right)
        for number, one in enumerate(exchanges)
    ]


def _answers(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


def _report(arguments: argparse.Namespace, exchanges: list[Exchange], seconds: float) -> Report:
    right = sum(one.right for one in exchanges)
    waits = [one.seconds for one in exchanges]
    starter = json.loads((arguments.out.parent / "starter.json").read_text(encoding="utf-8"))
    return Report(
        provenance=provenance("python-telegram-bot", "openvino", "sqlalchemy", "tornado"),
        reviews=len(exchanges),
        split=arguments.split,
        seed=arguments.seed,
        people_at_once=arguments.people,
        messages=sum(one.messages for one in exchanges),
        split_reviews=sum(one.messages > 1 for one in exchanges),
        replied=sum(one.replies > 0 for one in exchanges),
        doubled=sum(one.replies > 1 for one in exchanges),
        without_label=sum(one.label is None for one in exchanges),
        accuracy=right / len(exchanges),
        interval=wilson_interval(right, len(exchanges)),
        full_test_accuracy=starter["on_test"]["accuracy"],
        seconds=round(seconds, 1),
        seconds_to_reply={f"{share:.0%}": round(float(np.quantile(waits, share)), 2) for share in (0.5, 0.95, 1.0)},
    )


def _print(report: Report) -> None:
    low, high = report.interval
    print(f"{report.reviews} reviews in {report.messages} messages ({report.split_reviews} split) ", end="")
    print(f"from {report.people_at_once} people at once, {report.seconds} s")
    print(f"  replied {report.replied}, doubled {report.doubled}, without one label {report.without_label}")
    print(f"  accuracy {report.accuracy:.2%} ({low:.2%} to {high:.2%}); full test {report.full_test_accuracy:.2%}")
    print(f"  seconds to reply: {report.seconds_to_reply}")


if __name__ == "__main__":
    sys.exit(main())
