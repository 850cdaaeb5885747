"""Recipes: small TOML files, each with all the settings for a fine-tune."""

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
# The base of every feedback recipe: the published model that the ANCHOR setting names.
_ANCHOR = "anchor"
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a fine-tune.

    Lengths are in tokens, ``learning_rate`` is per step, ``warmup`` is a share of all steps, and ``dev`` is a share of
    the reviews. The model is not sure of predictions with a calibrated confidence below ``unsure_below``. ``base`` is
    an encoder's name, used unless the command or BASE_MODEL names a different one. ``frozen_layers`` is how many of the
    lowest encoder blocks are frozen, together with the embeddings. ``replay`` is set only in recipes for feedback
    rounds, which start from the anchor. It is the number of excerpts from the anchor's training reviews to replay
    alongside the corrections. ``interpolation`` is the position of the published weights between the anchor's weights
    (0) and the trained weights (1). ``crops`` is the share of windows that are cropped at random, down to the length of
    a sentence.
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
    seed: Annotated[int, Field(ge=0, lt=2**32)]  # the range of NumPy seeds
    frozen_layers: NonNegativeInt = 0
    replay: NonNegativeInt | None = None
    interpolation: Annotated[float, Field(gt=0, le=1)] = 1.0
    crops: Annotated[float, Field(ge=0, le=1)] = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError if windows would not advance, or if the settings of a feedback round are inconsistent."""
        if self.overlap >= self.window - 2:
            raise ValueError(f"overlap = {self.overlap} must be less than window - 2, which is {self.window - 2}")
        if (self.base == _ANCHOR) != (self.replay is not None):
            raise ValueError(f'a feedback recipe needs both base = "{_ANCHOR}" and replay')
        if self.interpolation < 1 and self.replay is None:
            raise ValueError(
                "interpolation is only for feedback recipes, because an encoder has no trained head to interpolate from"
            )

    @classmethod
    def load(cls, name: str) -> Self:
        """Load ``ml/training/recipes/<name>.toml``, or the file at ``name`` if that ends in .toml.

        Raise UnknownRecipe with the available names, or BadRecipe with every fault in the file.
        """
        path = Path(name) if name.endswith(_SUFFIX) else _RECIPES / f"{name}{_SUFFIX}"
        if not path.is_file():
            available = sorted(entry.stem for entry in _RECIPES.glob(f"*{_SUFFIX}"))
            raise UnknownRecipe(name=name, known=", ".join(available))
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            return TypeAdapter(cls).validate_python({"name": path.stem, **values})
        except ValidationError as error:
            raise BadRecipe(path=path, reason="; ".join(map(_describe_error, error.errors()))) from error
        except (OSError, ValueError) as error:
            raise BadRecipe(path=path, reason=f"it cannot be read as TOML ({error})") from error


def _describe_error(error: Any) -> str:
    """Describe one entry of ``ValidationError.errors()``, with the name of its field."""
    field, message = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "unexpected_keyword_argument":
            return f"{field} is not a known field"
        case "missing":
            return f"{field} is missing"
        case "value_error":
            return str(message)
    return f"{field} = {error['input']!r}: {message[:1].lower()}{message[1:]}"
