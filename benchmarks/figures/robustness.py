"""Tables about robustness: processes killed during training runs, and people who collude against the model."""

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
    """Render ``chaos.json``: how training runs ended when their processes were killed."""
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
        "Most promotions for one run": lambda run: bold(str(run["most_promotions"])),
        "Live models loaded completely": lambda run: str(run["loads"]),
        "Models that failed to load or verify": lambda run: bold(str(len(run["refusals"]))),
        "Median duration of an undisturbed run (s)": lambda run: f"{run['quiet_seconds']:.0f}",
        "Median duration of a run with kills (s)": lambda run: f"{run['struck_seconds']:.0f}",
        "Longest run (s)": lambda run: f"{run['longest_seconds']:.0f}",
        "Redis outages survived": _outages,
    }
    return paragraphs(
        "We killed the training processes with `kill -9` at random points during the runs. In a few runs, we also "
        f"stopped Redis for five seconds. The model is small ({found['parameters']:,} parameters, {found['layers']} "
        "layers) and trained on the project's own sentences; everything else is production code. "
        f"The benchmark uses {found['lanes']} parallel workers, each with a separate beat, database and broker. A "
        "lease expires after 30 seconds, and a run fails after three failed attempts. In this benchmark only, the "
        "gate's limits on losses are off, because 28 gate sentences cannot show a loss of 0.3 points. The gate still "
        "holds a candidate if the trigger scan finds new words that flip neutral sentences.",
        command("python -m benchmarks.chaos --out benchmarks/results/chaos.json"),
        table(
            ("Figure", *(_TRANSPORTS[name] for name in transports)),
            [(name, *(figure(run) for run in transports.values())) for name, figure in figures.items()],
        ),
        "An outage counts as survived if the worker and the beat keep running and the next run's model is promoted. "
        f"{measured(found)}",
    )


def poison(found: Results) -> str:
    """Render ``poison.json``: the outcomes of attacks by colluding people."""
    live, parts, groups = found["live"], found["parts"], found["groups"]
    imdb, sentences = parts["IMDB to test"]["reviews"], parts["sentences held out"]["reviews"]
    return paragraphs(
        f"In a simulation, {found['people']} people write and label Rotten Tomatoes sentences. Some of them collude to "
        "flip labels or to plant a phrase that makes any text Positive. Each colluder is ten times as active as an "
        "honest person. Each attack is repeated with several seeds, and each repetition is one training run under the "
        f"project's rules. The model is small ({found['parameters']:,} parameters, {found['layers']} layers). The "
        "admin promotes a held model that is better on feedback unless the trigger scan reports a word.",
        command(
            "python -m benchmarks.poison --data imdb.parquet --sentences rt_polarity.csv.gz "
            "--out benchmarks/results/poison.json"
        ),
        "Number of runs by decision. “Phrase found” counts the runs in which the trigger scan reports a word from the "
        "phrase:",
        table(
            (
                "Attack",
                "People who collude",
                "Planted texts, of all texts",
                "Planted texts, of all training texts",
                "Rejected",
                "Held",
                "Held, then promoted by the admin",
                "Promoted by the gate",
                "Phrase found",
            ),
            [_decisions(group) for group in groups],
        ),
        "Harm compared with the previous live model, as the mean over the seeds, with the worst seed in brackets. "
        "“Went live” covers the models that the gate or the admin promoted. “Without the rules” is the same fine-tune "
        "on all votes; its models always go live. A negative loss is a gain. “Turned by the phrase” is the "
        "share of correctly classified negative sentences that become Positive when the phrase is added. The previous "
        f"live model is right on {percent(live['imdb'])} of {imdb:,} official IMDB test reviews outside the gate set "
        f"and on {percent(live['sentences'])} of {sentences:,} held-out sentences:",
        table(
            (
                "Attack",
                "People who collude",
                "Models",
                "Loss on IMDB in points",
                "Loss on sentences in points",
                "Increase in sentences turned by the phrase, in points",
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
