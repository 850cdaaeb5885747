"""The starter's verdicts are explained by the words that decide them."""

import pytest
from paths import STARTER

from ml.explanation.erasure import erase, margin
from ml.explanation.explain import explain
from ml.serving.engine import Classifier


@pytest.fixture(scope="module")
def starter() -> Classifier:
    return Classifier.load(STARTER)


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("The tea was awful.", "Negative", {"awful"}),
        ("We had a wonderful evening.", "Positive", {"wonderful"}),
        ("It wasn't good.", "Negative", {"wasn't"}),
        ("Not bad at all.", "Positive", {"Not"}),
    ],
)
def test_the_obvious_word_is_the_strongest(starter: Classifier, text: str, label: str, words: set[str]) -> None:
    found = explain(text, starter.engine.tokenizer, starter.classify)
    named = found.up if label == "Positive" else found.down
    assert named[0].word.text in words


def test_a_long_review_is_decided_by_its_clearest_passage(starter: Classifier) -> None:
    plain = "We took the tram to the theatre, which is near the station, and our seats were in row twelve. "
    clear = "👎 I hated every minute of it. It is a boring, badly acted and pointless waste of time."
    text = f"{plain * 5}{clear}"
    found = explain(text, starter.engine.tokenizer, starter.classify)
    assert found.verdict.windows == 2
    assert found.verdict.label == "Negative"
    assert "badly acted" in found.passage.of(text)
    assert starter.classify([text])[0] == found.verdict
    spans = [span for each in found.down for span in each.word.spans]
    assert margin(starter.classify([erase(text, spans)])[0]) > margin(found.verdict)
