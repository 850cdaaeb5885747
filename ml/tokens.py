"""How a text becomes token ids: one policy for training and serving.

A text is read whole. What does not fit one window is read in several that overlap, the last one ending with the text.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from config.errors import UnusableCheckpoint

Ids = npt.NDArray[np.int32]

# IMDB's reviews carry HTML line breaks; people's messages do not.
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
FILES = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length: ``input_ids`` and ``attention_mask`` (windows, tokens), int32, the mask 1 or 0."""

    input_ids: Ids
    attention_mask: Ids


@dataclass(frozen=True, slots=True)
class TextReader:
    """Text to windows of token ids, each with [CLS] in front and [SEP] behind, at most ``window`` tokens long."""

    tokenizer: Tokenizer
    window: int
    overlap: int
    first: int
    last: int
    padding: int

    @classmethod
    def read(cls, folder: Path, window: int, overlap: int) -> Self:
        """Read ``tokenizer.json``; raises UnusableCheckpoint when it is missing or has no [CLS], [SEP] or [PAD]."""
        path = folder / FILES[0]
        if not path.is_file():
            raise UnusableCheckpoint(path=folder, reason=f"{FILES[0]} is missing")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        # The tokenizers library raises plain Exception for every fault of the file.
        except Exception as error:
            raise UnusableCheckpoint(path=folder, reason=f"{FILES[0]} cannot be read ({error})") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        first, last, padding = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        if first is None or last is None or padding is None:
            raise UnusableCheckpoint(path=folder, reason="the vocabulary has no [CLS], [SEP] or [PAD]")
        return cls(tokenizer, window, overlap, first, last, padding)

    def ids(self, texts: Iterable[str]) -> list[list[int]]:
        """Token ids of each text, whole and without special tokens."""
        cleaned = [_LINE_BREAK.sub(" ", text) for text in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(cleaned, add_special_tokens=False)]

    def windows(self, ids: Sequence[int]) -> list[list[int]]:
        """The windows of one text's ids; a text that fits gives one, as does an empty text."""
        room = self.window - 2
        step = room - self.overlap
        starts = [*range(0, max(len(ids) - room, 0), step), max(len(ids) - room, 0)]
        return [[self.first, *ids[start : start + room], self.last] for start in starts]

    def pad(self, windows: Sequence[Sequence[int]], multiple: int) -> Batch:
        """Pad windows to the longest, rounded up to ``multiple`` so that an engine meets few shapes."""
        longest = max(len(window) for window in windows)
        length = min(-(-longest // multiple) * multiple, max(self.window, longest))
        input_ids = np.full((len(windows), length), self.padding, np.int32)
        attention_mask = np.zeros((len(windows), length), np.int32)
        for row, window in enumerate(windows):
            input_ids[row, : len(window)] = window
            attention_mask[row, : len(window)] = 1
        return Batch(input_ids, attention_mask)

    def save(self, folder: Path) -> None:
        """Write the tokenizer files that transformers reads; the maximum length it is told is the window."""
        self.tokenizer.save(str(folder / FILES[0]))
        facts = {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            "model_max_length": self.window,
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "mask_token": "[MASK]",
        }
        (folder / FILES[1]).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
