"""How a prediction is rendered as a verdict."""

from dataclasses import replace

import pytest

from bot.reviews.verdict import render_correction, render_known_correction, render_verdict
from bot.texts import texts_for
from storage.chat.predictions import Prediction
from storage.db.states import Vote

TEXTS = texts_for("en")
SURE = Prediction(
    id=1,
    message_id=2,
    person_id=3,
    chat_id=4,
    version="20260102-0123abcd",
    label="Positive",
    confidence=0.934,
    sure=True,
    windows=1,
    replaces=None,
    logits=(-1.3, 1.3),
)


def test_a_sure_verdict() -> None:
    assert render_verdict(TEXTS, SURE) == "👍 <b>Positive</b> · 93%\n<i>model 20260102-0123abcd</i>"


@pytest.mark.parametrize(("label", "thumb", "other"), [("Positive", "👍", "👎"), ("Negative", "👎", "👍")])
@pytest.mark.parametrize("sure", [True, False])
def test_a_verdict_names_exactly_one_label(label: str, thumb: str, other: str, sure: bool) -> None:
    text = render_verdict(TEXTS, replace(SURE, label=label, sure=sure))
    assert [name for name in ("Positive", "Negative") if name in text] == [label]
    assert thumb in text
    assert other not in text
    assert ("not sure" in text) is not sure


@pytest.mark.parametrize(("confidence", "shown"), [(0.506, "51%"), (0.994, "99%"), (0.996, "99%"), (1.0, "99%")])
def test_no_answer_is_certain(confidence: float, shown: str) -> None:
    assert shown in render_verdict(TEXTS, replace(SURE, confidence=confidence))


@pytest.mark.parametrize("confidence", [0.5, 0.5001, 0.5049])
def test_an_even_verdict_shows_no_percentage(confidence: float) -> None:
    text = render_verdict(TEXTS, replace(SURE, label="Negative", confidence=confidence, sure=False))
    assert text.startswith("🤔 I'm not sure, it could be either. If I had to guess: 👎 <b>Negative</b>\n")
    assert "%" not in text


def test_a_text_read_in_several_windows_says_so() -> None:
    assert "parts" not in render_verdict(TEXTS, SURE)
    assert "in 7 overlapping parts" in render_verdict(TEXTS, replace(SURE, windows=7))


@pytest.mark.parametrize("vote", list(Vote))
def test_a_vote_is_thanked_for_below_the_verdict(vote: Vote) -> None:
    plain, thanked = render_verdict(TEXTS, SURE), render_verdict(TEXTS, SURE, vote)
    assert thanked.startswith(f"{plain}\n\nThank you")
    words = {each: f"<b>{each.value}</b>" for each in Vote}
    assert [each for each, word in words.items() if word in thanked] == [vote]


@pytest.mark.parametrize(("label", "thumb"), [("Positive", "👍"), ("Negative", "👎")])
def test_a_correction_says_that_it_comes_from_people(label: str, thumb: str) -> None:
    assert render_correction(TEXTS, label) == f"{thumb} <b>{label}</b> · corrected by people"
    for vote in Vote:
        for text in (render_correction(TEXTS, label, vote), render_known_correction(TEXTS, label, vote)):
            assert text.startswith(f"{render_correction(TEXTS, label)}\n\n")
            assert f"<b>{vote}</b>" in text


def test_values_from_the_database_are_escaped() -> None:
    assert "<i>model &lt;b&gt;&amp;</i>" in render_verdict(TEXTS, replace(SURE, version="<b>&"))
