"""Words are counted as the model reads them: whole, or in pieces if its vocabulary lacks them."""

import pytest

from ml.text.tokenization import WindowTokenizer
from ml.text.word_counts import WordCounter, WordCounts
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model


@pytest.mark.parametrize(
    ("text", "words", "unknown"),
    [
        ("A fine film.", 3, 0),
        ("Quokkazzle was fine, wasn't it?!", 6, 1),
        ("flumphtastic gribblewort", 2, 2),
        ("10 out of 10 👍", 4, 0),
        ("...", 0, 0),
        ("", 0, 0),
    ],
)
def test_words_and_unknown_words_are_counted(text: str, words: int, unknown: int) -> None:
    tokenizer = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, 16, 4)
    assert WordCounter.of(tokenizer).count(tokenizer.token_ids([text])) == [WordCounts(words, unknown)]
