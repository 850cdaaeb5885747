"""Tables on robustness: processes killed during training runs, and people who collude against the model."""

from collections.abc import Callable
from typing import Final

from benchmarks.figures.markdown import (
    NONE,
    Results,
    bold,
    command,
    disjoint,
    measured,
    paragraphs,
    percent,
    points,
    table,
)

_TRANSPORTS: Final = {"redis": "Redis and PostgreSQL", "folder": "Folder and SQLite"}
_OPEN_STATES: Final = ("queued", "running", "evaluating")
_ATTACKS: Final = {"none": "None", "flip": "Flipped labels", "trigger": "Planted phrase"}
_DECISIONS: Final = ("rejected", "held", "promoted")
_MODELS: Final = {"live": "Went live", "naive": "Without the rules"}


def chaos(found: Results) -> str:
    """Return what became of training runs whose processes were killed, from ``chaos.json``."""
    transports = found["transports"]
    figures: dict[str, Callable[[Results], str]] = {
        "Worker killed": lambda run: str(run["kills"] - _killed(run, "trainer") - _killed(run, "beat")),
        "Trainer killed": lambda run: str(_killed(run, "trainer")),
        "Beat killed": lambda run: str(_killed(run, "beat")),
        "Kills during an open run, of all kills": lambda run: f"{_during_runs(run)} of {run['kills']}",
        "Training runs": lambda run: str(run["runs"]),
        "Runs by final state": lambda run: ", ".join(
            f"{count} {state}" for state, count in sorted(run["ends"].items())
        ),
        "Runs lost": lambda run: bold(str(run["lost"])),
        "Most promotions of one run": lambda run: bold(str(run["most_promotions"])),
        "Live models loaded completely": lambda run: str(run["loads"]),
        "Models that failed to load or verify": lambda run: bold(str(len(run["refusals"]))),
        "Median duration of an undisturbed run (s)": lambda run: f"{run['quiet_seconds']:.0f}",
        "Median duration of a run with kills (s)": lambda run: f"{run['struck_seconds']:.0f}",
        "Longest run (s)": lambda run: f"{run['longest_seconds']:.0f}",
        "Redis outages survived": _outages,
    }
    return paragraphs(
        "The training processes were killed with `kill -9` at random points during a run, and Redis was stopped for "
        f"five seconds in the middle of one. The model is small ({found['parameters']:,} parameters, "
        f"{found['layers']} layers), trained on sentences of the project's own; everything else is the "
        f"production code. {found['lanes']} workers run in "
        "parallel, each with a separate beat, database and broker. A lease expires after 30 seconds, and a run fails "
        "after three broken attempts. The gate's limits on losses are off in this benchmark alone, as 28 gate "
        "sentences cannot show a loss of 0.3 points; the gate still holds a candidate whose new words it distrusts.",
        command("python -m benchmarks.chaos --out benchmarks/results/chaos.json"),
        table(
            ("Figure", *(_TRANSPORTS[name] for name in transports)),
            [(name, *(figure(run) for run in transports.values())) for name, figure in figures.items()],
        ),
        f"An outage is survived when worker and beat keep running and the next run is promoted. {measured(found)}",
    )


def poison(found: Results) -> str:
    """Return what became of attacks by people who collude, from ``poison.json``."""
    live, parts, groups = found["live"], found["parts"], found["groups"]
    imdb, sentences = parts["IMDB to test"]["reviews"], parts["sentences held out"]["reviews"]
    return paragraphs(
        f"{found['people']} simulated people write and label Rotten Tomatoes sentences, and some of them collude, each "
        "ten times as active as an honest person, to flip labels, or to plant a phrase that makes any text Positive. "
        "Each attack is drawn with several seeds, and each draw is one training run under the project's rules. The "
        f"model is small ({found['parameters']:,} parameters, {found['layers']} layers). The admin promotes a held "
        "model that is better on feedback unless the trigger scan names a word.",
        command(
            "python -m benchmarks.poison --data imdb.parquet --sentences rt_polarity.csv.gz "
            "--out benchmarks/results/poison.json"
        ),
        "Decisions, in runs. “Phrase found” counts the runs in which the trigger scan names a word of the phrase:",
        table(
            (
                "Attack",
                "People who collude",
                "Planted, of all texts",
                "Planted, of texts trained on",
                "Rejected",
                "Held",
                "Held, then promoted by the admin",
                "Promoted by the gate",
                "Phrase found",
            ),
            [_decisions(group) for group in groups],
        ),
        "Harm, compared with the model that was live before: the mean over the seeds, with the worst in brackets. "
        "“Went live” are the models that the gate or the admin promoted; “without the rules” is the same fine-tune on "
        "every vote, always live. A negative loss is a gain. “Turned by the phrase” is the share of correctly "
        "classified negative sentences that the phrase makes Positive. The model that was live before is right on "
        f"{percent(live['imdb'])} of {imdb:,} official IMDB test reviews outside the gate set and on "
        f"{percent(live['sentences'])} of {sentences:,} held-out sentences:",
        table(
            (
                "Attack",
                "People who collude",
                "Models",
                "Loss on IMDB in points",
                "Loss on sentences in points",
                "Increase of sentences turned by the phrase, in points",
            ),
            [_harm(group, key) for group in groups for key in _MODELS],
        ),
        f"{disjoint(found)} {measured(found)}",
    )


def _killed(run: Results, victim: str) -> int:
    return int(run["victims"].get(victim, 0))


def _during_runs(run: Results) -> int:
    return sum(run["states"].get(state, 0) for state in _OPEN_STATES)


def _outages(run: Results) -> str:
    outages = run["outages"]
    survived = sum(outage["same_processes"] and outage["after"] == "promoted" for outage in outages)
    return f"{survived} of {len(outages)}" if outages else NONE


def _decisions(group: Results) -> tuple[str, ...]:
    rejected, held, promoted = (str(group["ends"].get(state, 0)) for state in _DECISIONS)
    return (
        *_attack(group),
        percent(group["planted"], 0),
        percent(group["trained_planted"], 0),
        rejected,
        held,
        str(group["tapped"]),
        promoted,
        str(group["named"]) if group["attack"] == "trigger" else NONE,
    )


def _harm(group: Results, key: str) -> tuple[str, ...]:
    lost, gained, turned = (group[figure][key] for figure in ("lost", "gained", "turned"))
    if lost is None:
        return *_attack(group), _MODELS[key], "no model", "no model", "no model"
    return (
        *_attack(group),
        _MODELS[key],
        _mean_and_worst(lost),
        points(-gained["mean"]),
        _mean_and_worst(turned) if group["attack"] == "trigger" else NONE,
    )


def _attack(group: Results) -> tuple[str, str]:
    share = f"{percent(group['share'], 0)} ({group['colluders']})" if group["colluders"] else "0%"
    return _ATTACKS[group["attack"]], share


def _mean_and_worst(found: Results) -> str:
    return f"{points(found['mean'])} ({points(found['most'])})"
