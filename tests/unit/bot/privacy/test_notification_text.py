"""The notice that a model learned from a person's corrections."""

import pytest

from bot.privacy.notification_text import Reprediction, render_notification
from bot.texts import texts_for
from ml.serving.engine import Verdict
from storage.training.notifications import Correction, CorrectionNotification

TEXTS = texts_for("en")


def reprediction(text: str = "A bore.", label: str = "Negative", confidence: float = 0.94) -> Reprediction:
    return Reprediction(text, Verdict(label, confidence, True, 1, (1.0, -1.0), "seven"))


def notice(count: int, *, votes: bool = False) -> CorrectionNotification:
    corrections = tuple(Correction(number, "Negative") for number in range(count))
    return CorrectionNotification(1, 900, 7, "en", corrections, votes)


def test_a_notice_about_one_correction_shows_the_new_verdict() -> None:
    text = render_notification(TEXTS, "seven", notice(1), [(reprediction(), "Negative")])
    assert text == (
        "Model <b>seven</b> is live now, and it learned from your correction.\n\n"
        "“A bore.”\nIt now says 👎 <b>Negative</b> · 94%."
    )


@pytest.mark.parametrize(("label", "words"), [("Negative", "It now says 👎"), ("Positive", "It still says 👍")])
def test_a_verdict_that_is_still_wrong_is_not_presented_as_learned(label: str, words: str) -> None:
    assert words in render_notification(TEXTS, "seven", notice(1), [(reprediction(label=label), "Negative")])


def test_texts_that_are_not_quoted_are_counted() -> None:
    text = render_notification(TEXTS, "seven", notice(5), [(reprediction(), "Negative")] * 3)
    assert "learned from 5 of your corrections" in text
    assert text.endswith("… and 2 more.")


def test_corrections_without_a_text_are_only_counted() -> None:
    text = render_notification(TEXTS, "seven", notice(2), [])
    assert text == "Model <b>seven</b> is live now, and it learned from 2 of your corrections."


def test_a_long_text_is_truncated_and_its_markup_escaped() -> None:
    text = render_notification(
        TEXTS, "seven", notice(1), [(reprediction("<b>dull</b>\n" + "and dull " * 400), "Negative")]
    )
    assert "“&lt;b&gt;dull&lt;/b&gt; and dull" in text
    assert "…”\n" in text
    assert len(text) < 400


def test_no_model_is_certain() -> None:
    assert "· 99%" in render_notification(TEXTS, "seven", notice(1), [(reprediction(confidence=1.0), "Negative")])


def test_a_notice_mentions_votes_on_other_peoples_texts() -> None:
    only = render_notification(TEXTS, "seven", notice(0, votes=True), [])
    assert only == "Model <b>seven</b> is live now, and it learned from your votes on other people's reviews."
    assert render_notification(TEXTS, "seven", notice(1, votes=True), []).endswith(TEXTS.notice_votes_too)
