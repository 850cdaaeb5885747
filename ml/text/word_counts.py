"""Counts a text's words, and those that the vocabulary lacks, so that the model reads them in pieces."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from ml.text.tokenization import WindowTokenizer

# The beginning of a piece that continues a word.
_CONTINUES: Final = "##"


@dataclass(frozen=True, slots=True)
class WordCounts:
    """A text's number of words, and how many of them are unknown to the model as whole words."""

    words: int
    unknown: int


@dataclass(frozen=True, slots=True)
class WordCounter:
    """Counts words by their token ids. Punctuation, emoji and characters that no piece contains are not words.

    ``starts`` and ``continues`` say of each token id whether it starts a word or continues one.
    """

    starts: npt.NDArray[np.bool_]
    continues: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, tokenizer: WindowTokenizer) -> Self:
        """Return a counter for a tokenizer's vocabulary."""
        vocabulary = tokenizer.tokenizer.get_vocab(with_added_tokens=True)
        special = tokenizer.tokenizer.get_added_tokens_decoder()
        starts, continues = (np.zeros(max(vocabulary.values()) + 1, np.bool_) for _ in range(2))
        for token, number in vocabulary.items():
            continues[number] = token.startswith(_CONTINUES)
            starts[number] = number not in special and not continues[number] and any(map(str.isalnum, token))
        return cls(starts, continues)

    def count(self, texts: Iterable[Sequence[int]]) -> list[WordCounts]:
        """Return the counts for texts that are given as token ids without special tokens."""
        return [self._count(np.asarray(ids, np.int64)) for ids in texts]

    def _count(self, ids: npt.NDArray[np.int64]) -> WordCounts:
        starts = self.starts[ids]
        in_pieces = starts[:-1] & self.continues[ids[1:]]
        return WordCounts(int(starts.sum()), int(in_pieces.sum()))
