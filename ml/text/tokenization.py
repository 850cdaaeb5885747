"""Turns texts into windows of token ids, in the same way for training and serving.

If a text does not fit into one window, the whole text is read in several overlapping windows, and the last window ends
where the text ends. Alternatively, a recipe can read only the head, which is the first window.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from ml.errors import UnusableCheckpoint
from ml.text.characters import CharacterForm, clean_characters

TokenIds = npt.NDArray[np.int32]
# How much of a text is read: every window, or only the first.
Reading = Literal["whole", "head"]

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# Used if a base model does not name its special tokens. The first three tokens are required.
_DEFAULT_SPECIAL_TOKENS: Final = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}
# Other settings in a base model's ``tokenizer_config.json`` that also apply to a fine-tuned model.
_COPIED_SETTINGS: Final = ("tokenizer_class", "do_lower_case", "strip_accents", "tokenize_chinese_chars")
# The names of these settings in the normalizer in BERT's ``tokenizer.json``, whose values take effect.
_NORMALIZER_SETTINGS: Final = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
_NORMALIZER_DEFAULTS: Final = {"strip_accents": None, "tokenize_chinese_chars": True}
# The transformers class that applies ``tokenizer.json`` unchanged. BertTokenizer replaces its normalizer with BERT's.
_GENERIC_CLASS: Final = "PreTrainedTokenizerFast"


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Windows padded to one length: ``input_ids`` and ``attention_mask`` (1 or 0), both (windows, tokens) int32."""

    input_ids: TokenIds
    attention_mask: TokenIds


@dataclass(frozen=True, slots=True)
class WindowTokenizer:
    """Splits texts into windows of token ids: [CLS], up to ``window - 2`` tokens of text, [SEP].

    Neighbouring windows share ``overlap`` tokens. ``config`` is written to ``tokenizer_config.json`` for transformers.
    """

    tokenizer: Tokenizer
    window: int
    overlap: int
    reading: Reading
    cls_id: int
    sep_id: int
    pad_id: int
    config: Mapping[str, Any]
    characters: CharacterForm = "as_written"

    @property
    def room(self) -> int:
        """How many of a text's tokens fit into a window."""
        return self.window - 2

    @classmethod
    def read(
        cls,
        folder: Path,
        window: int,
        overlap: int,
        reading: Reading = "whole",
        characters: CharacterForm = "as_written",
    ) -> Self:
        """Read ``tokenizer.json``, and ``tokenizer_config.json`` if there is one.

        Raise UnusableCheckpoint if either file is malformed, or if ``tokenizer.json`` is missing or has no [CLS],
        [SEP] or [PAD].
        """
        path = folder / TOKENIZER_FILES[0]
        if not path.is_file():
            raise UnusableCheckpoint(path=folder, reason=f"{TOKENIZER_FILES[0]} is missing")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        # The tokenizers library raises a plain Exception for every fault in the file.
        except Exception as error:
            raise UnusableCheckpoint(path=folder, reason=f"{TOKENIZER_FILES[0]} cannot be read ({error})") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        config = _read_config(folder, tokenizer)
        names = [_token_text(config[name]) for name in list(_DEFAULT_SPECIAL_TOKENS)[:3]]
        cls_id, sep_id, pad_id = map(tokenizer.token_to_id, names)
        if cls_id is None or sep_id is None or pad_id is None:
            raise UnusableCheckpoint(path=folder, reason=f"the vocabulary has no {names[0]}, {names[1]} or {names[2]}")
        return cls(tokenizer, window, overlap, reading, cls_id, sep_id, pad_id, config, characters)

    def require_vocabulary(self, folder: Path, size: int) -> None:
        """Raise UnusableCheckpoint if a token id exceeds ``size``, the number of embeddings in ``folder``."""
        largest = max(self.tokenizer.get_vocab(with_added_tokens=True).values())
        if largest >= size:
            reason = f"{TOKENIZER_FILES[0]} has token ids up to {largest}, but there are only {size} embeddings"
            raise UnusableCheckpoint(path=folder, reason=reason)

    def token_ids(self, texts: Iterable[str]) -> list[list[int]]:
        """Return all token ids of each text, without special tokens."""
        cleaned = [clean_characters(text, self.characters) for text in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(cleaned, add_special_tokens=False)]

    def windows(self, ids: Sequence[int]) -> list[list[int]]:
        """Split one text's ids into windows.

        An empty text, or a text that fits into one window, becomes a single window.
        """
        starts = self.window_starts(len(ids))
        return [[self.cls_id, *ids[start : start + self.room], self.sep_id] for start in starts]

    def window_starts(self, length: int) -> list[int]:
        """Return the start of each window in a text of ``length`` tokens."""
        if self.reading == "head":
            return [0]
        last = max(length - self.room, 0)
        return [*range(0, last, self.room - self.overlap), last]

    def pad(self, windows: Sequence[Sequence[int]], multiple: int) -> TokenBatch:
        """Pad windows to the length of the longest one, rounded up to a multiple of ``multiple``.

        Rounding up limits the number of different shapes.
        """
        longest = max(len(window) for window in windows)
        length = min(-(-longest // multiple) * multiple, max(self.window, longest))
        input_ids = np.full((len(windows), length), self.pad_id, np.int32)
        attention_mask = np.zeros((len(windows), length), np.int32)
        for row, window in enumerate(windows):
            input_ids[row, : len(window)] = window
            attention_mask[row, : len(window)] = 1
        return TokenBatch(input_ids, attention_mask)

    def save(self, folder: Path) -> None:
        """Write the tokenizer files that transformers reads, with ``window`` as the maximum length."""
        self.tokenizer.save(str(folder / TOKENIZER_FILES[0]))
        config = {**self.config, "model_max_length": self.window}
        (folder / TOKENIZER_FILES[1]).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _read_config(folder: Path, tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the settings to keep from ``tokenizer_config.json``, with BERT's defaults for missing settings."""
    path = folder / TOKENIZER_FILES[1]
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        names = (*_COPIED_SETTINGS, *_DEFAULT_SPECIAL_TOKENS)
        given = {name: content[name] for name in names if content.get(name) is not None}
    except (OSError, ValueError, AttributeError) as error:
        raise UnusableCheckpoint(path=folder, reason=f"{TOKENIZER_FILES[1]} cannot be read ({error})") from error
    defaults = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": None}
    settings = {**defaults, **_DEFAULT_SPECIAL_TOKENS, **given}
    return _with_applied_settings(settings, json.loads(tokenizer.to_str())["normalizer"])


def _with_applied_settings(settings: dict[str, Any], normalizer: dict[str, Any] | None) -> dict[str, Any]:
    """Return ``settings`` with the values from ``tokenizer.json``, so that transformers reads texts the same way.

    In some base models, the two files differ, and transformers uses ``tokenizer_config.json``.
    """
    if normalizer is None or normalizer.get("type") != "BertNormalizer":
        kept = {name: value for name, value in settings.items() if name not in _NORMALIZER_SETTINGS}
        return {**kept, "tokenizer_class": _GENERIC_CLASS}
    applied = {name: normalizer.get(key) for name, key in _NORMALIZER_SETTINGS.items()}
    return settings | {
        name: value for name, value in applied.items() if name in settings or value != _NORMALIZER_DEFAULTS.get(name)
    }


def _token_text(token: Any) -> str:
    """Return a special token's text, which the file stores as a string or inside an object."""
    return str(token["content"] if isinstance(token, dict) and "content" in token else token)
