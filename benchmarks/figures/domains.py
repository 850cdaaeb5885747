"""Tables about other domains: the sets, the candidates for the starter, and the final figures."""

from typing import Final

from benchmarks.figures.markdown import (
    NONE,
    Results,
    bold,
    command,
    measured,
    paragraphs,
    percent,
    points_with_interval,
    table,
)

TITLES: Final = {
    "imdb": "IMDB",
    "alexa": "Alexa reviews",
    "uci": "UCI sentences",
    "sentiment140": "Sentiment140, labelled by hand",
    "rotten_tomatoes": "Rotten Tomatoes",
}


def domains(found: Results) -> str:
    """Render ``domains.json``: the sets of texts, the candidates, and the final figures once they exist."""
    candidates = found["candidates"]
    return paragraphs(
        "People send the bot short texts about anything, so a model must also work outside IMDB. We evaluate models as "
        "they are served, in int8, on four domains that no model was trained on: Amazon reviews of Alexa devices, the "
        "UCI sentences (Kotzias 2015: products, restaurants and films), the tweets in Sentiment140 that were labelled "
        "by hand (Go et al. 2009), and Rotten Tomatoes sentences. We leave out repeated texts, neutral tweets, and "
        "film sentences that are part of an IMDB training review.",
        "A hash of each text assigns it to one of two halves. We choose between models on the development half and on "
        "the IMDB training reviews that the recipe holds out. The final figures are computed on the reported half and "
        "on the official IMDB test split.",
        command(
            "python -m benchmarks.domains models/starter --data FOLDER",
            "python -m benchmarks.domains models/starter --data FOLDER --half reported",
        ),
        _sets(found),
        "The results file contains the SHA-256 digest of each set and of the IMDB train split. The program checks that "
        "no two of these sets have a text in common. Many of the film sentences in the UCI set are quoted from "
        "official IMDB test reviews. No model is trained on those reviews.",
        "The plain run does what a tutorial would do. It fine-tunes the same encoder with Hugging Face's Trainer on "
        "the official train split for two epochs, with AdamW at 5e-5, a linear decay, batches of 32 and the first 128 "
        "tokens of each review. The resulting model reads only the first 256 tokens of a text, and we treat it as sure "
        "of all its answers. It reads only the domains' texts, because reading all IMDB test reviews with PyTorch "
        "would take longer than everything else together. To reproduce it, run `python -m benchmarks.domains.plain`.",
        "The table shows each starter candidate's balanced accuracy on the development half of each set. Balanced "
        "accuracy is the mean of the accuracy on positive texts and the accuracy on negative texts. The calibration "
        "error, the share of texts on which the model was not sure, and its accuracy on the rest are computed over the "
        "four domains together. We compare at most 20 candidates, because the best of many can look good by luck "
        "alone.",
        _candidates(found),
        *_comparison(found),
        *_reported(found),
        "The results file gives the commit and the machine for each model. The line below describes the last "
        "candidate.",
        measured(candidates[-1]["evaluation"]),
    )


def _sets(found: Results) -> str:
    left_out, sets = found["left_out"], found["sets"]

    def row(name: str, development: str, reported: str, source: str) -> tuple[str, ...]:
        counts = left_out[source]
        other = counts["neutral"] + counts["in_train"] + counts["in_other_set"]
        texts = (f"{sets[key]['reviews']:,}" for key in (development, reported))
        return name, *texts, f"{counts['repeated']:,}", f"{counts['quoted_from_train']:,}", f"{other:,}"

    rows = [row("IMDB", "imdb_dev", "imdb_test", "imdb_test")]
    rows += [
        row(title, f"{name}_development", f"{name}_reported", name) for name, title in TITLES.items() if name != "imdb"
    ]
    return table(
        (
            "Set",
            "Texts in the development half",
            "Texts in the reported half",
            "Left out: repeated",
            "Left out: part of a training review",
            "Left out: neutral, in the IMDB train split or in another set",
        ),
        rows,
    )


def _candidates(found: Results) -> str:
    rows = [
        _candidate(each["name"], each["how"], each["evaluation"]["figures"], each["evaluation"])
        for each in found["candidates"]
    ]
    if plain := found["plain"].get("development"):
        rows.insert(0, _candidate("Plain run", "see above", plain, None))
    return table(
        (
            "Candidate",
            "How it was made",
            *TITLES.values(),
            "Mean of the four domains",
            "Calibration error",
            "Unsure",
            "Accuracy of sure answers",
            "Behavioural checks passed",
        ),
        rows,
    )


def _candidate(name: str, how: str, figures: Results, evaluation: Results | None) -> tuple[str, ...]:
    sets, together = figures["sets"], figures["domains_together"]
    return (
        name,
        how,
        *(percent(sets[key]["balanced_accuracy"]) if key in sets else NONE for key in TITLES),
        bold(percent(figures["mean_balanced_accuracy"])),
        percent(together["calibration_error"]),
        percent(together["unsure"]) if evaluation else NONE,
        percent(together["sure_accuracy"]) if evaluation else NONE,
        f"{evaluation['checks_passed']} of {evaluation['checks']}" if evaluation else NONE,
    )


def _comparison(found: Results) -> list[str]:
    """Return the table of the candidates' differences from the plain run, or nothing if the plain run is missing."""
    if "development" not in found["plain"]:
        return []
    rows = [
        (
            each["name"],
            *(
                points_with_interval(difference["difference"], difference["interval"], 1)
                if (difference := each["evaluation"]["differences"].get(key))
                else NONE
                for key in TITLES
            ),
        )
        for each in found["candidates"]
    ]
    return [
        "This table shows the difference from the plain run in points of balanced accuracy, with the interval from a "
        "paired bootstrap that draws texts separately for each label:",
        table(("Candidate", *TITLES.values()), rows),
    ]


def _reported(found: Results) -> list[str]:
    """Return the table of final figures, or a sentence saying that they are missing."""
    if not found["reported"]:
        return ["The reported half has not been evaluated yet."]
    rows = []
    if plain := found["plain"].get("reported"):
        rows += [
            _final("Plain run", title, plain["sets"][key], None)
            for key, title in TITLES.items()
            if key in plain["sets"]
        ]
    for each in found["reported"]:
        figures = each["figures"]
        rows += [
            _final(each["version"], title, figures["sets"][key], each["differences"].get(key))
            for key, title in TITLES.items()
        ]
        rows.append(_final(each["version"], "The four domains together", figures["domains_together"], None))
    return [
        "The final figures, on the reported half and on the official IMDB test split:",
        table(
            (
                "Model",
                "Set",
                "Balanced accuracy",
                "Difference from the plain run in points (95% interval)",
                "Accuracy",
                "Calibration error",
                "Unsure",
                "Accuracy of sure answers",
                "Called positive",
            ),
            rows,
        ),
    ]


def _final(model: str, title: str, figures: Results, difference: Results | None) -> tuple[str, ...]:
    sure = figures["sure_accuracy"]
    return (
        model,
        title,
        bold(percent(figures["balanced_accuracy"])),
        points_with_interval(difference["difference"], difference["interval"], 1) if difference else NONE,
        percent(figures["accuracy"]),
        percent(figures["calibration_error"]),
        percent(figures["unsure"]),
        percent(sure) if sure is not None else NONE,
        percent(figures["called_positive"]),
    )
