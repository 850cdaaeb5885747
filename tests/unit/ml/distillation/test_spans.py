"""The parts of a review that a teacher labels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.distillation.spans import Span, crop_spans, find_words, window_spans


def test_words_are_separated_by_white_space() -> None:
    text = " Good,\nreally  good. "
    assert [text[word.start : word.end] for word in find_words(text)] == ["Good,", "really", "good."]


@given(
    tokens=st.lists(st.integers(1, 6), min_size=1, max_size=80),
    room=st.integers(6, 30),
    overlap=st.integers(0, 5),
)
def test_windows_cover_every_word_and_fit(tokens: list[int], room: int, overlap: int) -> None:
    words = [Span(10 * number, 10 * number + 9) for number in range(len(tokens))]
    spans = window_spans(words, tokens, room, overlap)
    covered = {n for span in spans for n in range(span.start // 10, span.end // 10 + 1)}
    assert covered == set(range(len(tokens)))
    assert spans[-1].end == words[-1].end
    for span in spans:
        assert sum(tokens[span.start // 10 : span.end // 10 + 1]) <= room
    assert [span.start for span in spans] == sorted({span.start for span in spans})


def test_neighbouring_windows_overlap() -> None:
    words = [Span(10 * number, 10 * number + 9) for number in range(30)]
    first, second, *_ = window_spans(words, [1] * 30, 10, 4)
    assert (first.end + 1 - second.start) // 10 == 4


def test_a_word_that_does_not_fit_is_a_window_of_its_own() -> None:
    words = [Span(0, 1), Span(2, 50), Span(51, 52)]
    assert window_spans(words, [1, 40, 1], 10, 2) == words


def test_a_text_without_words_has_no_parts() -> None:
    assert window_spans([], [], 10, 2) == []
    assert crop_spans([], 3, np.random.default_rng(0)) == []


@given(words=st.integers(6, 300), seed=st.integers(0, 100))
def test_crops_are_within_the_text_and_5_to_100_words_long(words: int, seed: int) -> None:
    positions = [Span(10 * number, 10 * number + 9) for number in range(words)]
    crops = crop_spans(positions, 4, np.random.default_rng(seed))
    assert len(crops) == 4
    for crop in crops:
        assert 5 <= (crop.end + 1 - crop.start) // 10 <= min(words, 100)
        assert 0 <= crop.start < crop.end <= positions[-1].end


def test_short_crops_are_as_frequent_as_long_ones() -> None:
    positions = [Span(10 * number, 10 * number + 9) for number in range(200)]
    crops = crop_spans(positions, 2_000, np.random.default_rng(1))
    # Half of a log-uniform distribution from 5 to 100 lies below the geometric mean, 22.
    shorter = sum((crop.end + 1 - crop.start) // 10 <= 22 for crop in crops)
    assert 900 < shorter < 1_100
