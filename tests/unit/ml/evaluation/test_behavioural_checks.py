"""Behavioural checks: the files' contents, how each kind is scored, and how a malformed file is rejected."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml.errors import UnusableCheck
from ml.evaluation.behavioural_checks import Check, Minimum, PassRate, check_texts, pass_rates
from ml.evaluation.check_files import read_checks
from ml.serving.probes import PROBES

CHECKS = read_checks()
TEXTS = check_texts(CHECKS)
HEAD = {
    "minimum": 'title = "T"\nkind = "minimum"\n',
    "invariance": 'title = "T"\nkind = "invariance"\n',
    "direction": 'title = "T"\nkind = "direction"\ntolerance = 0.1\n',
}


def labelled(checks: list[Check]) -> Iterator[tuple[str, str]]:
    return ((case.texts[0], case.label) for check in checks for case in check.cases if isinstance(case, Minimum))


def read_check_file(folder: Path, kind: str, body: str) -> list[Check]:
    (folder / "own.toml").write_text(HEAD[kind] + body, encoding="utf-8")
    return read_checks(folder)


def test_every_kind_has_a_check() -> None:
    assert {check.kind for check in CHECKS} == set(HEAD)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_has_between_20_and_60_cases(check: Check) -> None:
    assert 20 <= len(check.cases) <= 60


def test_all_checks_together_have_at_most_600_texts() -> None:
    assert len(TEXTS) == len(set(TEXTS))
    assert 300 <= len(TEXTS) <= 600


def test_every_text_is_a_short_line_without_placeholders() -> None:
    assert [text for text in TEXTS if text != " ".join(text.split()) or set("{}|") & set(text)] == []
    assert 10 <= min(map(len, TEXTS)) < max(map(len, TEXTS)) <= 300


def test_no_text_is_expected_to_get_both_labels() -> None:
    labels = dict(labelled(CHECKS))
    assert [text for text, label in labelled(CHECKS) if labels[text] != label] == []


@pytest.mark.parametrize("check", [check for check in CHECKS if check.kind == "minimum"], ids=lambda check: check.name)
def test_a_constant_verdict_fails_40_percent_of_the_cases(check: Check) -> None:
    shares = Counter(label for _, label in labelled([check]))
    assert min(shares["Positive"], shares["Negative"]) >= 0.4 * len(check.cases)


def test_no_check_text_is_a_probe() -> None:
    assert not set(TEXTS) & set(PROBES)


def test_words_are_combined_in_a_fixed_order(tmp_path: Path) -> None:
    body = """
    [words]
    subject = ["The film", "The book"]
    fine = ["fine", "good"]
    [[cases]]
    label = "Positive"
    texts = ["{subject} is {fine}.", "I liked {subject}."]
    """
    assert check_texts(read_check_file(tmp_path, "minimum", body)) == [
        "The film is fine.",
        "The book is fine.",
        "The film is good.",
        "The book is good.",
        "I liked The film.",
        "I liked The book.",
    ]


def test_minimum_requires_the_label(tmp_path: Path) -> None:
    body = """
    [[cases]]
    label = "Positive"
    texts = ["Good.", "Fine."]
    [[cases]]
    label = "Negative"
    texts = ["Bad.", "Poor."]
    """
    checks = read_check_file(tmp_path, "minimum", body)
    (rate,) = pass_rates(checks, {"Good.": 0.51, "Fine.": 0.5, "Bad.": 0.5, "Poor.": 0.51})
    assert rate == PassRate("own", "T", "minimum", False, passed=2, cases=4, failures=("Fine.", "Poor."))


def test_invariance_requires_one_verdict_for_all(tmp_path: Path) -> None:
    body = """
    [words]
    name = ["Ann", "Bo", "Cy"]
    opinion = ["is good", "is bad"]
    [[cases]]
    swap = "name"
    texts = ["{name} {opinion}."]
    """
    checks = read_check_file(tmp_path, "invariance", body)
    positive = {"Ann is good.": 0.9, "Bo is good.": 0.6, "Cy is good.": 0.51}
    positive |= {"Ann is bad.": 0.1, "Bo is bad.": 0.4, "Cy is bad.": 0.51}
    (rate,) = pass_rates(checks, positive)
    assert (rate.passed, rate.cases) == (1, 2)
    assert rate.failures == ("Ann is bad. | Bo is bad. | Cy is bad.",)


@pytest.mark.parametrize(
    ("goes", "probabilities", "passed"),
    [
        ("up", (0.5, 0.7, 0.9), 1),
        ("up", (0.5, 0.45, 0.9), 1),
        ("up", (0.5, 0.9, 0.7), 0),
        ("up", (0.7, 0.5, 0.9), 0),
        ("down", (0.9, 0.7, 0.5), 1),
        ("down", (0.9, 0.95, 0.5), 1),
        ("down", (0.5, 0.7, 0.9), 0),
    ],
)
def test_each_step_of_a_direction_must_go_the_stated_way(
    tmp_path: Path, goes: str, probabilities: tuple[float, ...], passed: int
) -> None:
    texts = ("It is good.", "It is very good.", "It is extremely good.")
    checks = read_check_file(tmp_path, "direction", f'[[cases]]\ngoes = "{goes}"\ntexts = {list(texts)}')
    (rate,) = pass_rates(checks, dict(zip(texts, probabilities, strict=True)))
    assert rate.passed == passed
    assert rate.failures == (() if passed else (" | ".join(texts),))


def test_known_hard_is_copied_to_the_pass_rate(tmp_path: Path) -> None:
    body = 'known_hard = true\n[[cases]]\nlabel = "Negative"\ntexts = ["How original."]'
    (rate,) = pass_rates(read_check_file(tmp_path, "minimum", body), {"How original.": 0.9})
    assert rate.known_hard


DIRECTION = '[[cases]]\ngoes = "up"\ntexts = ["Good.", "Very good."]'
CASE = '[[cases]]\nlabel = "Positive"\ntexts = ["Good."]\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", "Invalid value"),
        ('title = "T"\n' + CASE, "kind is None, not one of minimum, invariance, direction"),
        ('kind = "maximum"\n' + CASE, "kind is 'maximum'"),
        ('kind = "minimum"\n' + CASE, "the file is missing title"),
        (HEAD["minimum"], "the file is missing cases"),
        (HEAD["minimum"] + "cases = []", "there are no cases"),
        (HEAD["minimum"] + 'cases = ["Good."]', "entry 1 of cases: the case is not a table"),
        (HEAD["invariance"] + 'cases = ["Good."]', "entry 1 of cases: the case is not a table"),
        (HEAD["minimum"] + "tolerance = 0.1\n" + CASE, "the file has tolerance, which is not a known key"),
        (HEAD["minimum"] + 'known_hard = "no"\n' + CASE, "known_hard must be of type bool"),
        (HEAD["minimum"] + CASE + CASE, "the same case occurs twice"),
        (HEAD["minimum"] + CASE.replace("Positive", "good"), "'good' is not a label; use Negative or Positive"),
        (HEAD["minimum"] + CASE.replace('["Good."]', '"Good."'), "entry 1 of cases: texts must be of type list"),
        (
            HEAD["minimum"] + CASE.replace("Good", "{fine}"),
            "entry 1 of cases: these names must occur both in a text and in words: 'fine'",
        ),
        (HEAD["minimum"] + CASE.replace("Good", "{}"), "these names must occur both in a text and in words: ''"),
        (HEAD["minimum"] + CASE.replace("Good", "{fine"), "expected '}' before end of string"),
        (HEAD["minimum"] + CASE + '[words]\nfine = ["good"]', "no text uses these words: fine"),
        (HEAD["minimum"] + CASE + "[words]\nfine = []", "words.fine is not a list of 1 or more strings"),
        (HEAD["invariance"] + '[[cases]]\ntexts = ["Good."]', "texts is not a list of 2 or more strings"),
        (
            HEAD["invariance"] + '[[cases]]\ntexts = ["Good.", "Good."]',
            "a text occurs twice in the case that begins with 'Good.'",
        ),
        (
            HEAD["invariance"] + '[[cases]]\nswap = "name"\ntexts = ["Good."]',
            "must occur both in a text and in words: 'name'",
        ),
        (HEAD["direction"] + '[[cases]]\ngoes = "left"\ntexts = ["Good.", "Bad."]', "goes is 'left', not up or down"),
        (HEAD["direction"].replace("0.1", "5.0") + DIRECTION, "the tolerance is 5.0"),
        (HEAD["direction"].replace("tolerance = 0.1", "") + "cases = []", "the file is missing tolerance"),
    ],
)
def test_a_malformed_file_is_refused_with_its_path_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UnusableCheck) as caught:
        read_checks(tmp_path)
    assert str(tmp_path / "own.toml") in str(caught.value)
    assert reason in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes('title = "Café"'.encode("latin-1"))
    with pytest.raises(UnusableCheck, match="utf-8"):
        read_checks(tmp_path)


def test_a_folder_without_checks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableCheck, match="has no TOML file"):
        read_checks(tmp_path)
