"""How a text becomes token ids: one policy for training and serving.

A text is read whole: what does not fit one window is read in several that overlap, the last one ending with the text.
A recipe may instead read the head alone, which cuts the text off where its first window ends.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from ml.errors import UnusableCheckpoint

TokenIds = npt.NDArray[np.int32]
# How much of a text is read: every window of it, or the first alone.
Reading = Literal["whole", "head"]

# IMDB's reviews carry HTML line breaks; people's messages do not.
LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Half of a character, which a cut-off emoji leaves behind. It has no UTF-8, so the tokenizer cannot take it.
_SURROGATE = re.compile("[\ud800-\udfff]")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# What a base without a word about it is; the three that reading needs come first.
_DEFAULT_SPECIAL_TOKENS: Final = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}
# What else of a base's ``tokenizer_config.json`` is true of a fine-tuned model as well.
_COPIED_SETTINGS: Final = ("tokenizer_class", "do_lower_case", "strip_accents", "tokenize_chinese_chars")


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Windows padded to one length: ``input_ids`` and ``attention_mask`` (windows, tokens), int32, the mask 1 or 0."""

    input_ids: TokenIds
    attention_mask: TokenIds


@dataclass(frozen=True, slots=True)
class WindowTokenizer:
    """Text to windows of token ids, each with [CLS] in front and [SEP] behind, at most ``window`` tokens long.

    ``facts`` is what the folder's ``tokenizer_config.json`` says of the tokenizer, for those that read it elsewhere.
    """

    tokenizer: Tokenizer
    window: int
    overlap: int
    reading: Reading
    cls_id: int
    sep_id: int
    pad_id: int
    config: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path, window: int, overlap: int, reading: Reading = "whole") -> Self:
        """Read ``tokenizer.json``, and ``tokenizer_config.json`` where there is one.

        Raises UnusableCheckpoint when one is broken, or the first is missing or has no [CLS], [SEP] or [PAD].
        """
        path = folder / TOKENIZER_FILES[0]
        if not path.is_file():
            raise UnusableCheckpoint(path=folder, reason=f"{TOKENIZER_FILES[0]} is missing")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        # The tokenizers library raises plain Exception for every fault of the file.
        except Exception as error:
            raise UnusableCheckpoint(path=folder, reason=f"{TOKENIZER_FILES[0]} cannot be read ({error})") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        facts = _read_config(folder, tokenizer)
        names = [_token_text(facts[name]) for name in list(_DEFAULT_SPECIAL_TOKENS)[:3]]
        first, last, padding = map(tokenizer.token_to_id, names)
        if first is None or last is None or padding is None:
            raise UnusableCheckpoint(path=folder, reason=f"the vocabulary has no {names[0]}, {names[1]} or {names[2]}")
        return cls(tokenizer, window, overlap, reading, first, last, padding, facts)

    def token_ids(self, texts: Iterable[str]) -> list[list[int]]:
        """Token ids of each text, whole and without special tokens."""
        cleaned = [LINE_BREAK.sub(" ", _SURROGATE.sub("\ufffd", text)) for text in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(cleaned, add_special_tokens=False)]

    def windows(self, ids: Sequence[int]) -> list[list[int]]:
        """The windows of one text's ids; a text that fits gives one, as does an empty text."""
        room = self.window - 2
        if self.reading == "head":
            return [[self.cls_id, *ids[:room], self.sep_id]]
        step = room - self.overlap
        starts = [*range(0, max(len(ids) - room, 0), step), max(len(ids) - room, 0)]
        return [[self.cls_id, *ids[start : start + room], self.sep_id] for start in starts]

    def pad(self, windows: Sequence[Sequence[int]], multiple: int) -> TokenBatch:
        """Pad windows to the longest, rounded up to ``multiple`` so that an engine meets few shapes."""
        longest = max(len(window) for window in windows)
        length = min(-(-longest // multiple) * multiple, max(self.window, longest))
        input_ids = np.full((len(windows), length), self.pad_id, np.int32)
        attention_mask = np.zeros((len(windows), length), np.int32)
        for row, window in enumerate(windows):
            input_ids[row, : len(window)] = window
            attention_mask[row, : len(window)] = 1
        return TokenBatch(input_ids, attention_mask)

    def save(self, folder: Path) -> None:
        """Write the tokenizer files that transformers reads; the maximum length it is told is the window."""
        self.tokenizer.save(str(folder / TOKENIZER_FILES[0]))
        facts = {**self.config, "model_max_length": self.window}
        (folder / TOKENIZER_FILES[1]).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _read_config(folder: Path, tokenizer: Tokenizer) -> dict[str, Any]:
    """What ``tokenizer_config.json`` says that stays true; where it is silent, a BERT with this tokenizer's case."""
    path = folder / TOKENIZER_FILES[1]
    try:
        stated = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        told = {
            name: stated[name] for name in (*_COPIED_SETTINGS, *_DEFAULT_SPECIAL_TOKENS) if stated.get(name) is not None
        }
    except (OSError, ValueError, AttributeError) as error:
        raise UnusableCheckpoint(path=folder, reason=f"{TOKENIZER_FILES[1]} cannot be read ({error})") from error
    normalizer = json.loads(tokenizer.to_str())["normalizer"] or {}
    lower = bool(normalizer.get("lowercase", True))
    silent = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lower,
        "model_max_length": None,
        **_DEFAULT_SPECIAL_TOKENS,
    }
    return {**silent, **told}


def _token_text(token: Any) -> str:
    """A special token's text: the file holds either that or an object around it."""
    return str(token["content"] if isinstance(token, dict) and "content" in token else token)
