"""Tables about delivery: what happens to replies when bots are killed under load, and when servers fail."""

from collections.abc import Callable
from typing import Final

from benchmarks.delivery.report import MAX_UNCERTAIN
from benchmarks.figures.markdown import NONE, Results, bold, command, measured, paragraphs, percent, table

_LANES: Final = {
    "sqlite-polling": "SQLite, polling",
    "sqlite-webhook": "SQLite, webhook",
    "postgresql-polling": "PostgreSQL, polling",
    "postgresql-webhook": "PostgreSQL, webhook",
    "plain-bot": "Plain bot, polling",
}
_PLAIN: Final = "plain-bot"
# The number of kills in all of Thumbs' lanes, with the default options.
_PLANNED: Final = 1000
_FIGURES: Final[dict[str, Callable[[Results], str]]] = {
    "Kills": lambda lane: str(lane["kills"]),
    "Kills while starting, receiving, classifying, sending": lambda lane: ", ".join(
        str(lane["moments"].get(moment, 0)) for moment in ("starting", "receiving", "classifying", "sending")
    ),
    "Kills with a text or a reply in progress": lambda lane: _of_thumbs(lane, "during_work"),
    "Kills with a call to Telegram in flight": lambda lane: _of_thumbs(lane, "during_call"),
    "Most calls in flight at one kill": lambda lane: _of_thumbs(lane, "most_calls"),
    "Texts": lambda lane: f"{lane['texts']:,}",
    "Texts lost": lambda lane: bold(str(lane["lost"])),
    "Texts answered twice": lambda lane: bold(str(lane["doubled"])),
    "Texts answered out of order": lambda lane: bold(str(lane["out_of_order"])),
    "Replies listed as uncertain after a kill": lambda lane: _of_thumbs(lane, "uncertain_by_kill"),
    "Replies listed as uncertain after a cut connection": lambda lane: _of_thumbs(lane, "uncertain_by_cut"),
    "Uncertain replies that did arrive": lambda lane: _of_thumbs(lane, "uncertain_arrived"),
    "Median time from a kill to the next answer (s)": lambda lane: _seconds(lane["median_recovery"]),
    "Longest time from a kill to the next answer (s)": lambda lane: _seconds(lane["longest_recovery"]),
}


def delivery(found: Results) -> str:
    """Render ``delivery.json``: what happened to the texts when bots were killed, and the reply rates after outages."""
    lanes, load = found["lanes"], found["load"]
    thumbs = [lane for name, lane in lanes.items() if name != _PLAIN]
    kills, texts = (sum(lane[name] for lane in thumbs) for name in ("kills", "texts"))
    uncertain = len([reply for reply in found["uncertain"] if reply["lane"] != _PLAIN])
    return paragraphs(
        f"We ran `thumbs bot` with the shipped model, killed it with `kill -9` {_kills(kills)} at random moments, and "
        f"restarted it immediately. Meanwhile, {load['people']} simulated people wrote a total of {load['rate']:.0f} "
        "texts per second through the playground. Between the bot and the playground, a faulty wire refused calls "
        "(429, 500, 502), delayed calls, cut connections before and after calls, and delivered updates twice and, by "
        "webhook, out of order. The history checker compares the texts with the wire's log and the bot's database. A "
        "text counts as lost if no reply to it arrived and none is listed as uncertain.",
        "The plain bot consists of python-telegram-bot with persistence, and a Celery task on Redis that classifies "
        "each text and sends the verdict. It uses the settings that the two projects' documentation recommends "
        "(`acks_late`, `reject_on_worker_lost`, retries). Each kill hits its bot process, its worker or the worker's "
        "child process. Redis redelivers a killed worker's tasks after 10 seconds; the default is one hour. The plain "
        "bot keeps no list of uncertain replies.",
        command("python -m benchmarks.delivery --outages --out benchmarks/results/delivery.json"),
        table(
            ("Figure", *(_LANES[name] for name in lanes)),
            [(name, *(figure(lane) for lane in lanes.values())) for name, figure in _FIGURES.items()],
        ),
        f"In total, {uncertain} of {texts:,} replies from Thumbs ({percent(uncertain / texts, 2)}) are uncertain. The "
        "database and the results file list each of them. Our goal was that at most "
        f"{percent(MAX_UNCERTAIN)} of the replies, and at most one per kill, are uncertain. The plain "
        "bot replies twice if the wire delivers an "
        f"update twice, which happens to {percent(_rate(found, 'duplicate_update'), 0)} of the updates.",
        *_outages(found["outages"]),
        measured(found),
    )


def _outages(outages: Results | None) -> tuple[str, ...]:
    """Return the paragraphs about outages, or no paragraphs if outages were not measured."""
    if outages is None:
        return ()
    findings = outages["findings"]
    return (
        "We also caused outages under the same load, with PostgreSQL and polling: we stopped PostgreSQL or Redis for "
        "five seconds, killed PostgreSQL's backends, or used up all its connections. The table counts replies that "
        "arrived within five seconds of their text, during the 15 seconds before an outage and during 15 seconds that "
        "start 10 seconds after its end:",
        table(
            (
                "Outage",
                "Answers per second before",
                "Answers per second after",
                "Ratio",
                "From its end to an answer (s)",
            ),
            [
                (
                    outage["name"],
                    f"{outage['before']:.1f}",
                    f"{outage['after']:.1f}",
                    bold(percent(outage["after"] / outage["before"], 0)),
                    _seconds(outage["seconds_to_answer"]),
                )
                for outage in outages["outages"]
            ],
        ),
        f"Of the {findings['texts']:,} texts written during this test, {len(findings['lost'])} were lost, "
        f"{len(findings['doubled'])} answered twice and {len(findings['out_of_order'])} answered out of order; "
        f"replies listed as uncertain: {len(findings['uncertain'])}.",
    )


def _kills(kills: int) -> str:
    """Return the number of kills, followed by the planned number if time ran out."""
    return f"{kills:,} times" if kills >= _PLANNED else f"{kills:,} times (of {_PLANNED:,} planned; time ran out)"


def _rate(found: Results, kind: str) -> float:
    """Return the number of faults of one kind per text."""
    return float(next(fault["rate"] for fault in found["wire_faults"] if fault["kind"] == kind))


def _of_thumbs(lane: Results, name: str) -> str:
    """Return a lane's figure, or a placeholder for the plain bot, which doesn't store updates and replies."""
    return NONE if lane["lane"] == _PLAIN else str(lane[name])


def _seconds(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"
