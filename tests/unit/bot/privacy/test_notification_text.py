"""How a notice reads in the chat."""

import pytest

from bot.privacy.notification_text import Reprediction, render_notification
from bot.texts import texts_for
from ml.serving.engine import Verdict
from storage.training.notifications import Correction, CorrectionNotification

TEXTS = texts_for("en")


def reread(text: str = "A bore.", label: str = "Negative", confidence: float = 0.94) -> Reprediction:
    return Reprediction(text, Verdict(label, confidence, True, 1, (1.0, -1.0), "seven"))


def notice(count: int, *, votes: bool = False) -> CorrectionNotification:
    corrections = tuple(Correction(number, "Negative") for number in range(count))
    return CorrectionNotification(1, 900, 7, "en", corrections, votes)


def test_one_correction_is_told_of_with_the_new_verdict() -> None:
    text = render_notification(TEXTS, "seven", notice(1), [(reread(), "Negative")])
    assert text == (
        "Your correction is in model <b>seven</b>, which is live now.\n\n"
        "“A bore.”\nIt now says 👎 <b>Negative</b> · 94%."
    )


@pytest.mark.parametrize(("label", "said"), [("Negative", "It now says 👎"), ("Positive", "It still says 👍")])
def test_a_verdict_that_did_not_change_is_not_called_learnt(label: str, said: str) -> None:
    assert said in render_notification(TEXTS, "seven", notice(1), [(reread(label=label), "Negative")])


def test_the_texts_beyond_those_that_are_quoted_are_counted() -> None:
    text = render_notification(TEXTS, "seven", notice(5), [(reread(), "Negative")] * 3)
    assert text.startswith("5 of your corrections")
    assert text.endswith("… and 2 more.")


def test_corrections_whose_texts_are_gone_are_counted_only() -> None:
    text = render_notification(TEXTS, "seven", notice(2), [])
    assert text == "2 of your corrections are in model <b>seven</b>, which is live now."


def test_a_long_text_is_cut_and_markup_in_it_is_escaped() -> None:
    text = render_notification(TEXTS, "seven", notice(1), [(reread("<b>dull</b>\n" + "and dull " * 400), "Negative")])
    assert "“&lt;b&gt;dull&lt;/b&gt; and dull" in text
    assert "…”\n" in text
    assert len(text) < 400


def test_no_model_is_certain() -> None:
    assert "· 99%" in render_notification(TEXTS, "seven", notice(1), [(reread(confidence=1.0), "Negative")])


def test_votes_on_texts_of_others_are_told_of() -> None:
    only = render_notification(TEXTS, "seven", notice(0, votes=True), [])
    assert only == "Your votes on other people's reviews are in model <b>seven</b>, which is live now."
    assert render_notification(TEXTS, "seven", notice(1, votes=True), []).endswith(TEXTS.notice_votes_too)
