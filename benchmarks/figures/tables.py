"""The README's tables, made of the committed results."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.learning import table as learning
from benchmarks.poison import table as poison

Results = dict[str, Any]
Row = tuple[str, str]


def _starter(found: Results) -> str:
    test, clean, (low, high) = found["on_test"], found["without_doubtful"], found["interval"]
    int8, other = found["float32_to_int8"], found["on_sentences"]
    lowest, highest = int8["interval"]
    rows = [
        ("accuracy, all official test reviews", f"**{test['accuracy']:.2%}** of {test['reviews']:,}"),
        ("95 % interval", f"{low:.2%} to {high:.2%}"),
        ("accuracy without the doubtful labels", f"{clean['accuracy']:.2%} of {clean['reviews']:,}"),
        ("expected calibration error", f"{test['calibration_error']:.2%}"),
        ("answers called unsure", f"{test['unsure']:.1%}"),
        (
            "in float32; served minus float32, points",
            f"{int8['first_accuracy']:.2%}; "
            f"{int8['difference'] * 100:+.2f} ({lowest * 100:+.2f} to {highest * 100:+.2f})",
        ),
        ("the same verdict in float32 and as served", f"{int8['agreement']:.2%}"),
        (
            "Rotten Tomatoes sentences, never trained on",
            f"{other['accuracy']:.1%} of {other['reviews']:,}, calibration error {other['calibration_error']:.1%}",
        ),
        ("parameters", f"{found['parameters']:,}"),
    ]
    read = f"read in windows of {found['window']} tokens that overlap by {found['overlap']}"
    return _table(f"starter model {found['version']}", rows) + _source(found, f"{found['engine']}; {read}")


def _drive(found: Results) -> str:
    low, high = found["interval"]
    seconds = found["seconds_to_reply"]
    rows = [
        ("reviews sent, messages", f"{found['reviews']:,}, {found['messages']:,} ({found['split_reviews']} split)"),
        ("replied, doubled", f"{found['replied']:,}, {found['doubled']}"),
        ("accuracy", f"{found['accuracy']:.1%} ({low:.1%} to {high:.1%})"),
        ("seconds to the reply: median, 95 %", f"{seconds['50%']}, {seconds['95%']}"),
    ]
    people = f"{found['people_at_once']} people writing at once; a long review waits a second for its next piece"
    return _table("the running demo over HTTP", rows) + _source(found, people)


def _language(found: Results) -> str:
    english, foreign = found["english"], found["foreign"]["all"]
    short = next(row for row in english.values() if row["texts"] == 1000)
    rows = [
        ("short English reviews refused", f"{short['refused']} of {short['texts']:,} (at most {short['high']:.1%})"),
        ("foreign reviews refused", f"{foreign['refused']} of {foreign['texts']}"),
    ]
    return _table("language guard", rows) + _source(found, f"threshold {found['threshold']}, chosen on other texts")


def _against_trainer(run: Results) -> tuple[list[Row], str]:
    ratio = run["ratio"]
    lowest, highest = ratio["lowest"], ratio["highest"]
    speeds = [(f"samples a second, {name}", f"{trainer['median']:.1f}") for name, trainer in run["trainers"].items()]
    rows = [
        *speeds,
        (f"ours over {run['fastest']}", f"at least **{lowest:.2f}** (blocks to {highest:.2f})"),
    ]
    versions = {name: number for trainer in run["trainers"].values() for name, number in trainer["packages"].items()}
    timed = len(next(iter(run["trainers"].values()))["step_seconds"]) * run["steps_a_block"]
    how = (
        f"{run['base']}, {run['parameters']:,} parameters, windows of {run['recipe']['window']} tokens, {run['cores']} "
        f"cores; {run['untimed_steps'] + timed} equal steps of {run['recipe']['batch_size']} in turns, {timed} of them "
        "timed, ours with its checkpoints; "
        f"{', '.join(f'{name} {number}' for name, number in versions.items())}"
    )
    return rows, how


def _equal_steps(found: Results) -> str:
    seeds, difference = found["seeds"], found["difference"]
    low, high = difference["low"] * 100, difference["high"] * 100
    rows = [
        *(
            (
                f"seed {each['seed']}: ours, Trainer",
                f"{each['accuracy']['second_accuracy']:.1%}, {each['accuracy']['first_accuracy']:.1%}",
            )
            for each in seeds
        ),
        ("mean difference, points", f"**{difference['mean'] * 100:+.1f}** ({low:+.1f} to {high:+.1f})"),
    ]
    how = (
        f"{found['recipe']['base']}, {found['steps']} steps of {found['recipe']['batch_size']}, the same batches and "
        f"start; {found['trainer']}; {seeds[0]['accuracy']['reviews']:,} held-out train reviews a seed; 95 % interval "
        "over seeds"
    )
    return _table("accuracy after equal steps", rows) + _source(found, how)


def _fine_tuning(found: Results) -> str:
    rows, how = _against_trainer(found["against_trainer"])
    quick = found["feedback_round"]
    seconds = ", ".join(f"{each:.0f} s" for each in quick["round_seconds"])
    low, high = quick["imdb"]["interval"]
    rows += [
        (f"feedback round of {quick['judgements']} judgements, from command to folder", seconds),
        ("full fine-tune, steps alone, over the slowest round", f"**{quick['times_faster']:.1f}**"),
        (
            "IMDB after the round, points",
            f"{quick['imdb']['difference'] * 100:+.2f} ({low * 100:+.2f} to {high * 100:+.2f})",
        ),
    ]
    how += (
        f". The full fine-tune is {quick['full_steps']:,} steps at the median of {quick['timed_steps']} timed ones; "
        f"IMDB is {quick['imdb']['reviews']:,} official test reviews"
    )
    return _table("fine-tuning on this machine", rows) + _source(found, how)


def _feedback_value(found: Results) -> str:
    lift, change = found["lift"], found["imdb_change"]
    first = found["draws"][0]["sentences"]
    rows = [
        (f"the anchor on {first['reviews']:,} sentences", f"{first['first_accuracy']:.1%}"),
        *(
            (f"after {row['corrections']} corrections, draw {number}", f"{row['sentences']['second_accuracy']:.1%}")
            for number, row in enumerate(found["draws"], start=1)
        ),
        *(
            (f"after all {row['corrections']:,}, {how}, no interpolation", f"{row['sentences']['second_accuracy']:.1%}")
            for how, row in found["all_of_them"].items()
        ),
        ("mean lift, points", f"{lift['mean'] * 100:+.2f} ({lift['low'] * 100:+.2f} to {lift['high'] * 100:+.2f})"),
        ("share of the larger lift that all of them give", f"**{found['share_of_full_lift']:.0%}**"),
        (
            "mean change on IMDB, points",
            f"{change['mean'] * 100:+.2f} ({change['low'] * 100:+.2f} to {change['high'] * 100:+.2f})",
        ),
    ]
    imdb = found["draws"][0]["imdb"]["reviews"]
    how = (
        f"{found['parameters']:,} parameters, recipe feedback; IMDB is {imdb:,} official test reviews; "
        "95 % intervals over draws"
    )
    return _table("corrections from another domain: Rotten Tomatoes", rows) + _source(found, how)


def _gpu(found: Results) -> str:
    rows = [
        (
            f"{row['network']}, batches of {row['batch']}",
            f"{row['samples_per_second']:,.0f} texts/s, {row['teraflops']:.0f} TFLOP/s, "
            f"**{row['share_of_peak']:.0%}** of the peak",
        )
        for row in found["speeds"]
    ]
    networks = {row["network"]: f"{row['parameters']:,} parameters" for row in found["speeds"]}
    how = (
        f"Whole training steps on texts of {found['tokens']} tokens, {found['precision']}, Keras on "
        f"{found['backend']}; {', '.join(f'{name} has {size}' for name, size in networks.items())}. The peak is "
        f"{found['peak']:,.0f} TFLOP/s by the data sheet; one large matrix product, its start and its answer included, "
        f"reached {found['product']:,.0f} here"
    )
    return _table(f"fine-tuning on an {found['gpu']}", rows) + _source(found, how)


def _tutorial(found: Results) -> str:
    dev = found["dev"]
    rows = [
        ("encoder", f"{found['base']}, {found['parameters']:,} parameters"),
        ("rows: used, trained, measured", f"{found['limit']:,}, {found['train']:,}, {dev['reviews']:,}"),
        ("steps: four passes in batches of 32", f"{found['steps']:,}"),
        ("accuracy on the last tenth", f"{dev['accuracy']:.1%}"),
        (
            "its rows whose text is trained on too",
            f"{found['shared']} here, {found['shared_of_all']} of 5,000 without --limit",
        ),
        *((f'"{text}"', verdict.partition(":")[0]) for text, verdict in found["examples"].items()),
    ]
    how = "From a CSV with the columns review and sentiment, by the recipe tutorial with --base and --limit"
    return _table("the tutorial, end to end", rows) + _source(found, how)


def _chaos(found: Results) -> str:
    runs = found["transports"].values()

    def of_each(figure: Callable[[Results], str]) -> str:
        return "; ".join(map(figure, runs))

    def killed(run: Results) -> str:
        beats, trainers = run["victims"].get("beat", 0), run["victims"].get("trainer", 0)
        return f"{run['kills'] - beats - trainers}, {trainers}, {beats}"

    def broken_in_on(run: Results) -> str:
        during = sum(run["states"].get(state, 0) for state in ("queued", "running", "evaluating"))
        return f"{during} of {run['kills']}"

    def ended(run: Results) -> str:
        return ", ".join(f"{count} {state}" for state, count in run["ends"].items())

    def seconds(run: Results) -> str:
        return f"{run['quiet_seconds']:.0f}, {run['struck_seconds']:.0f}, {run['longest_seconds']:.0f}"

    outages = [outage for run in runs for outage in run["outages"]]
    came_back = sum(outage["same_processes"] and outage["after"] == "promoted" for outage in outages)
    rows = [
        ("`kill -9` of worker, trainer, beat", of_each(killed)),
        ("of these while a run was open, the rest just after", of_each(broken_in_on)),
        ("runs, and how they ended", of_each(lambda run: f"{run['runs']}: {ended(run)}")),
        ("runs lost", of_each(lambda run: f"**{run['lost']}**")),
        ("promotions of one run, at most", of_each(lambda run: f"**{run['most_promotions']}**")),
        (
            "live models loaded fully, refused ones among them",
            of_each(lambda run: f"{run['loads']}, **{len(run['refusals'])}**"),
        ),
        ("seconds of a run: undisturbed, struck, longest", of_each(seconds)),
        ("Redis stopped and started: worker and beat went on", f"{came_back} of {len(outages)} times"),
    ]
    how = (
        f"A network of {found['parameters']:,} parameters in {found['layers']} layers, on the usual code path; "
        f"{found['lanes']} workers side by side, each with a beat, a database and a broker of its own. A lease lapses "
        "after 30 seconds, and a run that is broken off three times fails; one is held when the gate distrusts a word "
        "that the small network makes much of. Seconds are medians from asking to the end"
    )
    return _table("killed at random moments: on Redis and PostgreSQL; on a folder and SQLite", rows) + _source(
        found, how
    )


def _learning_loop(found: Results) -> str:
    return _table("from judgements to the live model", learning.rows_of(found)) + _source(
        found, learning.source_of(found)
    )


def _poison(found: Results) -> str:
    title = f"{found['people']} people, some of whom collude"
    return _table(title, poison.rows_of(found)) + _source(found, poison.source_of(found))


def _table(title: str, rows: list[Row]) -> str:
    return "\n".join([f"| {title} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]) + "\n"


def _source(found: Results, how: str) -> str:
    where = found["provenance"]
    machine = f"{where['cpu']}, {where['cores']} cores, {where['memory_gib']} GiB"
    return f"\n{how}. Commit {where['commit'][:9]}, {machine}, {where['date'][:10]}.\n"


TABLES: Final[dict[str, Callable[[Results], str]]] = {
    "starter": _starter,
    "drive": _drive,
    "language": _language,
    "fine_tuning": _fine_tuning,
    "equal_steps": _equal_steps,
    "feedback_value": _feedback_value,
    "gpu": _gpu,
    "tutorial": _tutorial,
    "chaos": _chaos,
    "learning_loop": _learning_loop,
    "poison": _poison,
}
