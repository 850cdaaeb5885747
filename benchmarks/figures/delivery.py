"""Tables on delivery: the bot killed under load with a faulty wire, beside a plain bot, and outages of its servers."""

from collections.abc import Callable
from typing import Final

from benchmarks.figures.markdown import NONE, Results, bold, command, measured, paragraphs, percent, table

_LANES: Final = {
    "sqlite-polling": "SQLite, polling",
    "sqlite-webhook": "SQLite, webhook",
    "postgresql-polling": "PostgreSQL, polling",
    "postgresql-webhook": "PostgreSQL, webhook",
    "plain-bot": "Plain bot, polling",
}
_PLAIN: Final = "plain-bot"
_FIGURES: Final[dict[str, Callable[[Results], str]]] = {
    "Kills": lambda lane: str(lane["kills"]),
    "Kills while starting, receiving, classifying, sending": lambda lane: ", ".join(
        str(lane["moments"].get(moment, 0)) for moment in ("starting", "receiving", "classifying", "sending")
    ),
    "Kills with a text or a reply in progress": lambda lane: _of_thumbs(lane, "during_work"),
    "Kills with a call to Telegram in flight": lambda lane: _of_thumbs(lane, "during_call"),
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
    """Return what became of texts while the bot was killed, and of the rate after outages, from ``delivery.json``."""
    lanes, load = found["lanes"], found["load"]
    thumbs = [lane for name, lane in lanes.items() if name != _PLAIN]
    kills, texts = (sum(lane[name] for lane in thumbs) for name in ("kills", "texts"))
    uncertain = len([reply for reply in found["uncertain"] if reply["lane"] != _PLAIN])
    return paragraphs(
        f"`thumbs bot` with the model that ships was killed with `kill -9` {kills:,} times at random moments and "
        f"restarted at once, while {load['people']} simulated people wrote {load['rate']:.0f} texts a second in all "
        "through the playground. The wire refused calls (429, 500, 502), delayed them, cut connections before and "
        "after a call was executed, and delivered updates twice and, by webhook, out of order. The history checker "
        "compares the texts with the wire's log and the bot's database: a text is lost when no answer arrived and no "
        "reply to it is listed as uncertain.",
        "The plain bot is python-telegram-bot with persistence, and a Celery task on Redis that classifies and sends, "
        "with the settings that their documentation recommends (`acks_late`, `reject_on_worker_lost`, retries). Its "
        "kills hit the bot, the worker or the worker's child. Redis delivers the tasks of a killed worker again after "
        "10 seconds, not after an hour as by default. It keeps no list of uncertain replies.",
        command("python -m benchmarks.delivery --outages --out benchmarks/results/delivery.json"),
        table(
            ("Figure", *(_LANES[name] for name in lanes)),
            [(name, *(figure(lane) for lane in lanes.values())) for name, figure in _FIGURES.items()],
        ),
        f"In all, {uncertain} of {texts:,} replies of Thumbs ({percent(uncertain / texts, 2)}) are uncertain, each "
        "listed in the database and in the results file.",
        *_outages(found["outages"]),
        measured(found),
    )


def _outages(outages: Results | None) -> tuple[str, ...]:
    """Return the paragraphs on outages, none if they were not measured."""
    if outages is None:
        return ()
    findings = outages["findings"]
    return (
        "Outages under the same load, on PostgreSQL by polling. PostgreSQL and Redis were away for five seconds each "
        "time, or PostgreSQL's connections were all taken. An answer counts in the 15 seconds before an outage, or "
        "in 15 seconds that start 10 seconds after its end, if it arrived within five seconds of its text:",
        table(
            ("Outage", "Answers a second before", "Answers a second after", "Ratio", "From its end to an answer (s)"),
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
        f"Of the {findings['texts']:,} texts written meanwhile, {len(findings['lost'])} were lost, "
        f"{len(findings['doubled'])} answered twice and {len(findings['out_of_order'])} answered out of order; "
        f"{len(findings['uncertain'])} replies are uncertain.",
    )


def _of_thumbs(lane: Results, name: str) -> str:
    """Return a figure that only a bot with a database of updates and replies has."""
    return NONE if lane["lane"] == _PLAIN else str(lane[name])


def _seconds(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"
