"""Formats figures as rows of text, for the terminal and the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml.evaluation.behavioural_checks import PassRate
from ml.evaluation.comparison import Comparison
from ml.evaluation.evaluate import Measurement
from ml.evaluation.intervals import Interval
from ml.evaluation.metrics import Evaluation


@dataclass(frozen=True, slots=True)
class Row:
    """A figure's name and its value for each model. The value is empty for a model without this figure."""

    name: str
    values: tuple[str, ...]


def figure_rows(models: Sequence[Measurement]) -> list[Row]:
    """Return every figure of ``models`` except slices and individual checks. Skip figures that all models lack."""
    columns = [_figures(model) for model in models]
    names = dict.fromkeys(name for column in columns for name in column)
    return [Row(name, tuple(column.get(name, "") for column in columns)) for name in names]


def comparison_rows(found: Comparison) -> list[Row]:
    """Return the changes from the first to the second model."""
    return [
        Row("Accuracy difference, second minus first", (_format_difference(found),)),
        Row("McNemar test (exact, two-sided)", (f"p = {found.mcnemar_p:.2g}",)),
        Row("Negative flips (right, then wrong)", (f"{found.negative_flips:,}",)),
        Row("Positive flips (wrong, then right)", (f"{found.positive_flips:,}",)),
        Row("Same verdict", (f"{found.agreement:.2%} of {found.reviews:,}",)),
    ]


def conclusion(found: Comparison) -> str:
    """Summarise a comparison in one sentence, at the 5% significance level."""
    if found.difference == 0:
        return f"{found.second} and {found.first} are equally accurate."
    change = "more accurate" if found.difference > 0 else "less accurate"
    doubt = "" if found.mcnemar_p < 0.05 else ", but the difference could be chance"
    return f"{found.second} is {change} than {found.first}{doubt}."


def report_warnings(models: Sequence[Measurement]) -> list[str]:
    """Return warnings about optimistic or less meaningful figures, for the top of the report."""
    trained_on_reviews = [
        f"{model.name} was fine-tuned on reviews from this file, so its figures are optimistic."
        for model in models
        if model.trained_on_them
    ]
    trained_on_checks = [
        f"{model.name} was trained on the texts of the behavioural checks, so their results say less about the model."
        for model in models
        if model.trained_on_checks
    ]
    return [*trained_on_reviews, *trained_on_checks]


def _figures(model: Measurement) -> dict[str, str]:
    return {
        **_overall_figures(model.on_all),
        **_without_doubtful_figures(model.without_doubtful),
        **_float32_figures(model.from_float32),
        **_check_figures(model.checks),
    }


def _overall_figures(found: Evaluation) -> dict[str, str]:
    served, raw = found.served.figures, found.uncalibrated.figures
    return {
        "Accuracy": f"{served.accuracy:.2%} of {served.reviews:,}",
        "95% interval": "undefined for one review" if found.interval is None else _format_interval(found.interval),
        "F1 of Positive": "undefined without Positive" if found.f1 is None else f"{found.f1:.4f}",
        "Area under the ROC curve": "undefined for one label" if found.auc is None else f"{found.auc:.4f}",
        "Log loss": f"{served.log_loss:.4f} ({raw.log_loss:.4f} uncalibrated)",
        "Expected calibration error": f"{served.calibration_error:.2%} ({raw.calibration_error:.2%} uncalibrated)",
        "Temperature": f"{found.served.temperature:.3f}",
        "Unsure answers": f"{served.unsure:.1%}",
    }


def _without_doubtful_figures(found: Evaluation | None) -> dict[str, str]:
    if found is None:
        return {}
    figures = found.served.figures
    return {"Accuracy without doubtful labels": f"{figures.accuracy:.2%} of {figures.reviews:,}"}


def _float32_figures(found: Comparison | None) -> dict[str, str]:
    if found is None:
        return {}
    return {
        "Accuracy in float32": f"{found.first_accuracy:.2%}",
        "Served int8 minus float32": _format_difference(found),
        "Same verdict in int8 and float32": f"{found.agreement:.2%}",
    }


def _check_figures(checks: Sequence[PassRate]) -> dict[str, str]:
    """Return the number of cases passed, with known hard checks counted separately."""
    found = {}
    for name, hard in (("Behavioural checks passed", False), ("Known hard checks passed", True)):
        chosen = [check for check in checks if check.known_hard == hard]
        if chosen:
            found[name] = f"{sum(check.passed for check in chosen):,} of {sum(check.cases for check in chosen):,} cases"
    return found


def _format_interval(interval: Interval) -> str:
    low, high = interval
    return f"{low:.2%} to {high:.2%}"


def _format_difference(found: Comparison) -> str:
    if found.interval is None:
        return f"{100 * found.difference:+.2f} points"
    low, high = found.interval
    return f"{100 * found.difference:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f})"
