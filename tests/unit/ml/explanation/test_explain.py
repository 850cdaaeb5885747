"""The words that move a verdict most are found with few calls to the model."""

import pytest
from weighted_engine import weighted_classifier

from ml.explanation.erasure import MAXIMUM_WORDS, erase
from ml.explanation.explain import Explanation, explain
from ml.explanation.selection import WordEffect, strongest
from ml.explanation.words import Span, Word
from ml.serving.engine import Classifier


def explained(classifier: Classifier, text: str) -> Explanation:
    return explain(text, classifier.engine.tokenizer, classifier.classify)


def named(explanation: Explanation) -> tuple[list[str], list[str]]:
    return [each.word.text for each in explanation.up], [each.word.text for each in explanation.down]


def test_the_strongest_three_are_named_each_way() -> None:
    classifier, engine = weighted_classifier()
    found = explained(classifier, "The slow, BORING and wasted evening was dull, but charming.")
    assert named(found) == (["charming"], ["BORING", "slow", "wasted"])
    assert [each.effect for each in found.down] == pytest.approx([-3.0, -2.0, -1.0])
    assert len(engine.calls) == 1


def test_a_word_is_erased_everywhere_at_once() -> None:
    [boring] = explained(weighted_classifier()[0], "Boring, so boring.").down
    assert boring.word.spans == (Span(0, 6), Span(11, 17))
    assert boring.effect == pytest.approx(-6.0)


def test_a_function_word_is_named_only_if_it_moves_the_verdict() -> None:
    classifier, _ = weighted_classifier()
    assert named(explained(classifier, "The slow one is not charming.")) == (["charming"], ["not", "slow"])
    assert named(explained(classifier, "The lot.")) == (["The"], [])


@pytest.mark.parametrize("text", ["", "...", "A film."])
def test_a_text_may_have_no_words_to_name(text: str) -> None:
    assert named(explained(weighted_classifier()[0], text)) == ([], [])


def test_a_weak_word_beside_a_strong_one_is_not_named() -> None:
    weights = {"a1": 3.0, "a2": 0.1, "a3": 0.4}
    up, down = strongest([WordEffect(Word(name, (Span(0, 1),)), effect) for name, effect in weights.items()])
    assert [each.word.text for each in up] == ["a1", "a3"]
    assert down == ()


def test_the_passage_that_decided_is_found_in_a_long_text() -> None:
    classifier, engine = weighted_classifier(window=32)
    text = f"{'It was on. ' * 12}Then a slow, boring part began. {'It went on. ' * 12}It was charming."
    found = explained(classifier, text)
    assert found.verdict.windows > 3
    assert "slow, boring part" in found.passage.of(text)
    assert named(found) == ([], ["boring", "slow"])
    assert [span.of(text) for each in found.down for span in each.word.spans] == ["boring", "slow"]
    assert len(engine.calls) == 2
    tokenizer = engine.tokenizer
    assert len(tokenizer.windows(tokenizer.token_ids([found.passage.of(text)])[0])) == 1


def test_the_sections_are_the_windows_of_the_text() -> None:
    classifier, engine = weighted_classifier(window=32)
    text = "👍 Unbelievably well-acted!<br />The café's owner isn\u2019t there. " * 8
    found = explained(classifier, text)
    [whole, *sections] = engine.calls[0]
    assert whole == text
    assert len(sections) == found.verdict.windows
    assert all(section in text for section in sections)
    assert text.startswith(sections[0])
    assert text.endswith(sections[-1])


def test_a_passage_with_many_words_is_narrowed_down_first() -> None:
    classifier, engine = weighted_classifier(window=512)
    words = [f"x{number}" for number in range(180)]
    found = explained(classifier, " ".join([*words[:60], "boring", *words[60:], "charming"]))
    assert found.verdict.windows == 1
    assert named(found) == (["charming"], ["boring"])
    assert [len(call) for call in engine.calls] == [24, MAXIMUM_WORDS + 1]


def test_only_the_first_window_is_explained_if_a_model_reads_no_more() -> None:
    classifier, _ = weighted_classifier(window=16, reading="head")
    assert named(explained(classifier, f"Slow. {'It went on. ' * 12}Boring.")) == ([], ["Slow"])


def test_erasing_keeps_everything_else() -> None:
    assert erase("a slow, slow film", [Span(8, 12), Span(2, 6)]) == "a ,  film"
    assert erase("a", []) == "a"
