"""How an explanation is rendered: a sentence that names the words, and the text with those words in bold."""

from dataclasses import replace

import pytest

from bot.reviews.why import Why, emphasise, render_why
from bot.texts import texts_for
from ml.explanation.explain import Explanation
from ml.explanation.selection import WordEffect
from ml.explanation.words import Span, Word, distinct_words, find_words
from ml.serving.engine import Verdict
from storage.chat.predictions import Prediction

TEXTS = texts_for("en")
TEXT = "Slow, <boring> & wasted, but charming 👍"
VERDICT = Verdict("Negative", 0.9, True, 1, (1.0, -1.0), "one")
PREDICTION = Prediction(1, 2, 3, 4, "one", "Negative", 0.9, True, 1, None, (1.0, -1.0))
WHOLE = Span(0, len(TEXT))


def words(*names: str, effect: float) -> tuple[WordEffect, ...]:
    found: dict[str, Word] = {word.text: word for word in distinct_words(TEXT, find_words(TEXT))}
    return tuple(WordEffect(found[name], effect) for name in names)


DOWN, UP = words("Slow", "wasted", "but", effect=-1.0), words("charming", effect=1.0)
EXPLANATION = Explanation(VERDICT, UP, DOWN, WHOLE)
WHY = Why(EXPLANATION, PREDICTION, False, TEXT, WHOLE)
PASSAGE = "<b>Slow</b>, &lt;boring&gt; &amp; <b>wasted</b>, <b>but</b> <b>charming</b> 👍"


def test_the_words_are_named_and_shown_in_the_text() -> None:
    sentence, passage = render_why(TEXTS, WHY).split("\n")
    assert sentence == ("👎 <b>Slow</b>, <b>wasted</b> and <b>but</b> pulled it down; <b>charming</b> pulled it up.")
    assert passage == f"<blockquote expandable>{PASSAGE}</blockquote>"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"up": ()}, "👎 <b>Slow</b>, <b>wasted</b> and <b>but</b> pulled it down."),
        ({"up": (), "down": DOWN[:2]}, "👎 <b>Slow</b> and <b>wasted</b> pulled it down."),
        ({"down": ()}, "👎 <b>charming</b> pulled it up."),
        ({"up": (), "down": ()}, TEXTS.why_no_words),
        (
            {"verdict": replace(VERDICT, label="Positive"), "down": DOWN[:1]},
            "👍 <b>charming</b> pulled it up; <b>Slow</b> pulled it down.",
        ),
    ],
)
def test_the_words_that_speak_for_the_verdict_come_first(changes: dict[str, object], sentence: str) -> None:
    shown = render_why(TEXTS, replace(WHY, explanation=replace(EXPLANATION, **changes)))  # type: ignore[arg-type]
    assert shown.split("\n")[0] == sentence


def test_an_unsure_verdict_says_so() -> None:
    unsure = replace(EXPLANATION, verdict=replace(VERDICT, sure=False))
    assert render_why(TEXTS, replace(WHY, explanation=unsure)).startswith(f"{TEXTS.why_unsure}\n👎")


def test_a_correction_is_by_people_and_the_explanation_is_about_the_models_own_verdict() -> None:
    first, second, _, _ = render_why(TEXTS, replace(WHY, corrected=True)).split("\n")
    assert first == "People decided this one."
    assert second == "My own verdict is 👎 <b>Negative</b>, and here's why:"


def test_a_verdict_by_an_earlier_model_is_named() -> None:
    shown = render_why(TEXTS, replace(WHY, prediction=replace(PREDICTION, version="zero")))
    assert shown.startswith("That verdict came from model zero. I now use model one, which says 👎 <b>Negative</b>:\n")


def test_the_passage_of_a_long_text_is_introduced() -> None:
    long = replace(EXPLANATION, verdict=replace(VERDICT, windows=2))
    assert f"{TEXTS.why_passage}\n<blockquote" in render_why(TEXTS, replace(WHY, explanation=long))


def test_only_words_that_are_shown_as_a_whole_are_bold() -> None:
    places = [span for each in (*DOWN, *UP) for span in each.word.spans]
    assert emphasise(TEXT, Span(6, 28), places) == "&lt;boring&gt; &amp; <b>wasted</b>, <b>but</b>"
    assert emphasise(TEXT, Span(2, 8), places) == "ow, &lt;b"


def test_an_endless_word_is_truncated_in_the_sentence() -> None:
    endless = WordEffect(Word("so" * 2_000, (Span(0, 4),)), 1.0)
    sentence = render_why(TEXTS, replace(WHY, explanation=replace(EXPLANATION, up=(endless,)))).split("\n")[0]
    assert sentence.endswith(f"<b>{'so' * 19}s…</b> pulled it up.")
