"""Evaluates published models, as they are served, on IMDB and on four other domains.

    python -m benchmarks.domains models/starter
    python -m benchmarks.domains var/models/mine --candidate "lower rate" --how "5e-5 instead of 1e-4, two epochs"
    python -m benchmarks.domains models/starter --half reported

By default, models are evaluated on the development half of each domain and on the IMDB reviews that the recipe holds
out. Base all choices on these figures. With ``--candidate``, the figures are added to the results file, which lists
every model that was considered. ``--half reported`` evaluates the final models on the other halves and on the official
IMDB test split, and stores these figures.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich.progress import Progress

from benchmarks.common.options import add_out_option
from benchmarks.domains.distinct_texts import HALVES, DistinctTexts, Half
from benchmarks.domains.evaluation import Evaluation, ModelFigures, evaluate_model, model_figures, plain_answers
from benchmarks.domains.options import add_data_option
from benchmarks.domains.plain_predictions import PREDICTIONS, PlainPredictions
from benchmarks.domains.results import (
    Candidate,
    Content,
    add_candidate,
    read_content,
    require_room,
    set_plain,
    set_reported,
    write_content,
)
from benchmarks.domains.set_figures import Answers, Difference, SetFigures
from ml.training.recipe import Recipe


def main() -> None:
    """Evaluate the models and print their figures.

    Store the figures if ``--candidate`` or ``--half reported`` is given.
    """
    parser = _parser()
    arguments = parser.parse_args()
    if (arguments.candidate is None) != (arguments.how is None):
        parser.error("--candidate and --how belong together")
    if arguments.candidate is not None and (len(arguments.models) > 1 or arguments.half == "reported"):
        parser.error("--candidate needs exactly one model and the development half")
    texts = DistinctTexts.read(arguments.data, Recipe.load(arguments.recipe))
    content = read_content(arguments.out, texts.text_sets(), texts.left_out)
    if arguments.candidate is not None:
        require_room(content, arguments.candidate)
    _print_sets(content)
    sets = texts.half(arguments.half)
    plain = _plain(sets, arguments.half, content)
    evaluations = [_evaluate(folder, sets, plain) for folder in arguments.models]
    if arguments.candidate is not None:
        add_candidate(content, Candidate(arguments.candidate, arguments.how, evaluations[0]))
    if arguments.half == "reported":
        set_reported(content, evaluations)
    if arguments.candidate is not None or arguments.half == "reported":
        write_content(arguments.out, content)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.domains",
        description="Evaluate published models on IMDB and on four other domains.",
    )
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="published folder")
    add_data_option(parser)
    parser.add_argument("--recipe", default="default", help="recipe that selects the training data")
    parser.add_argument("--half", choices=HALVES, default="development", help="half of each domain to evaluate on")
    parser.add_argument("--candidate", metavar="NAME", help="add the model to the candidates under this name")
    parser.add_argument("--how", help="how the candidate was made, in one sentence")
    add_out_option(parser, "domains")
    return parser


def _plain(sets: Mapping[str, pd.DataFrame], half: Half, content: Content) -> dict[str, Answers]:
    """Return the plain run's answers (none if it has not run yet). Print and store its figures."""
    if not PREDICTIONS.exists():
        print("The plain run's predictions are missing, so there is no comparison with it.")
        return {}
    answers = plain_answers(PlainPredictions.read(PREDICTIONS), sets)
    figures = model_figures(answers)
    set_plain(content, half, figures)
    print("\nplain run")
    _print_figures(figures, {})
    return answers


def _evaluate(folder: Path, sets: Mapping[str, pd.DataFrame], plain: Mapping[str, Answers]) -> Evaluation:
    with Progress(transient=True) as progress:
        task = progress.add_task(str(folder), total=sum(map(len, sets.values())))
        found = evaluate_model(folder, sets, plain, lambda done: progress.advance(task, done))
    print(f"\n{folder} ({found.version}), unsure below {found.unsure_below}")
    _print_figures(found.figures, found.differences)
    print(f"  behavioural checks: {found.checks_passed} of {found.checks} cases passed")
    return found


def _print_sets(content: Content) -> None:
    for name, each in content["sets"].items():
        print(f"{name:27} {each['reviews']:>6} texts, digest {each['digest']}")
    for name, reasons in content["left_out"].items():
        print(f"{name:27} left out: {', '.join(f'{reason} {count}' for reason, count in reasons.items() if count)}")


def _print_figures(figures: ModelFigures, differences: Mapping[str, Difference]) -> None:
    for name, each in figures.sets.items():
        _print_set(name, each, differences.get(name))
    _print_set("domains together", figures.domains_together, None)
    print(f"  mean balanced accuracy over the domains {figures.mean_balanced_accuracy:.2%}")


def _print_set(name: str, each: SetFigures, difference: Difference | None) -> None:
    sure = "-" if each.sure_accuracy is None else f"{each.sure_accuracy:.2%}"
    print(f"  {name:17} {each.texts:>6} texts  balanced {each.balanced_accuracy:.2%}  {each.accuracy:.2%}", end="  ")
    print(f"calibration error {each.calibration_error:.2%}  unsure {each.unsure:.1%}  sure {sure}", end="  ")
    print(f"positive {each.called_positive:.1%}", end="")
    if difference is not None:
        low, high = (100 * bound for bound in difference.interval)
        print(f"  against the plain run {100 * difference.difference:+.2f} ({low:+.2f} to {high:+.2f})", end="")
    print()


if __name__ == "__main__":
    main()
