"""A recipe: everything that decides what a fine-tune does, in one small readable file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from config.errors import UnknownRecipe
from ml.tokens import Reading

_FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to fine-tune.

    Lengths are in tokens, rates a step, ``warmup`` a share of all steps, ``dev`` a share of reviews,
    ``unsure_below`` the calibrated confidence below which an answer is called unsure. ``base`` is an encoder's name,
    used where neither the command nor BASE_MODEL names another.
    """

    name: str
    base: str
    reading: Reading
    window: int
    overlap: int
    batch_size: int
    epochs: int
    learning_rate: float
    schedule: Literal["linear", "constant"]
    warmup: float
    weight_decay: float
    adam_epsilon: float
    clip: Literal["global", "variable"]
    clip_norm: float
    hidden_dropout: float
    attention_dropout: float
    precision: Literal["float32", "bfloat16", "fastest"]
    split: Literal["movies", "rows"]
    dev: float
    unsure_below: float
    seed: int

    @classmethod
    def named(cls, name: str) -> Self:
        """The recipe ``ml/recipes/<name>.toml``; raises UnknownRecipe with the names there are."""
        path = _FOLDER / f"{name}.toml"
        if not path.is_file():
            known = sorted(entry.stem for entry in _FOLDER.glob("*.toml"))
            raise UnknownRecipe(name=name, known=", ".join(known))
        return cls(name=name, **tomllib.loads(path.read_text(encoding="utf-8")))
