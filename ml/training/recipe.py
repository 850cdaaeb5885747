"""A recipe: everything that decides what a fine-tune does, in one small readable file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from ml.errors import BadRecipe, UnknownRecipe
from ml.text.tokenization import Reading

_RECIPES = Path(__file__).parent / "recipes"
_SUFFIX = ".toml"
# What a recipe of feedback rounds calls its base: the published model that the setting ANCHOR names.
_ANCHOR = "anchor"
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to fine-tune.

    Lengths are in tokens, rates a step, ``warmup`` a share of all steps, ``dev`` a share of reviews,
    ``unsure_below`` the calibrated confidence below which an answer is called unsure. ``base`` is an encoder's name,
    used where neither the command nor BASE_MODEL names another. ``frozen_layers`` is a number of lower encoder blocks
    that stay as they are, the embeddings with them. ``replay`` makes a recipe that of feedback rounds, whose base is
    the anchor: parts of so many of the reviews that it was trained on are shown again beside the corrections.
    ``interpolation`` is how far the published weights lie from the anchor's towards the trained ones: 1 publishes those
    as they are. ``crops`` is the share of windows that are shown as a random part of themselves, short as a sentence.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: str
    base: str
    reading: Reading
    window: PositiveInt
    overlap: NonNegativeInt
    batch_size: PositiveInt
    epochs: PositiveInt
    learning_rate: PositiveFloat
    schedule: Literal["linear", "constant"]
    warmup: Share
    weight_decay: NonNegativeFloat
    adam_epsilon: PositiveFloat
    clip: Literal["global", "variable"]
    clip_norm: PositiveFloat
    hidden_dropout: Share
    attention_dropout: Share
    precision: Literal["float32", "bfloat16", "fastest"]
    split: Literal["movies", "rows"]
    dev: Annotated[float, Field(gt=0, lt=1)]
    unsure_below: Annotated[float, Field(ge=0.5, lt=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]  # as NumPy takes it
    frozen_layers: NonNegativeInt = 0
    replay: NonNegativeInt | None = None
    interpolation: Annotated[float, Field(gt=0, le=1)] = 1.0
    crops: Annotated[float, Field(ge=0, le=1)] = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError where the windows of a text would not move on, or half a feedback round is told."""
        if self.overlap >= self.window - 2:
            raise ValueError(f"overlap = {self.overlap} has to be less than window - 2, which is {self.window - 2}")
        if (self.base == _ANCHOR) != (self.replay is not None):
            raise ValueError(f'replay is for feedback rounds, whose base is "{_ANCHOR}", and they need it')
        if self.interpolation < 1 and self.replay is None:
            raise ValueError("interpolation is for feedback rounds: an encoder's head is new, so nothing lies between")

    @classmethod
    def load(cls, name: str) -> Self:
        """The recipe ``ml/training/recipes/<name>.toml``, or the file at ``name`` when that ends in .toml.

        Raises UnknownRecipe with the names there are, or BadRecipe with everything that is wrong in the file.
        """
        path = Path(name) if name.endswith(_SUFFIX) else _RECIPES / f"{name}{_SUFFIX}"
        if not path.is_file():
            known = sorted(entry.stem for entry in _RECIPES.glob(f"*{_SUFFIX}"))
            raise UnknownRecipe(name=name, known=", ".join(known))
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            return TypeAdapter(cls).validate_python({"name": path.stem, **values})
        except ValidationError as error:
            raise BadRecipe(path=path, reason="; ".join(map(_describe_error, error.errors()))) from error
        except (OSError, ValueError) as error:
            raise BadRecipe(path=path, reason=f"it cannot be read as TOML ({error})") from error


def _describe_error(error: Any) -> str:
    """One entry of ``ValidationError.errors()`` in words that name the field."""
    field, message = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "unexpected_keyword_argument":
            return f"there is no field {field}"
        case "missing":
            return f"{field} is missing"
        case "value_error":
            return str(message)
    return f"{field} = {error['input']!r}: {message[:1].lower()}{message[1:]}"
