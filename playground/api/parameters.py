"""Pydantic base models for parameters, with errors worded like Telegram's.

Two parts are written by hand, because pydantic has no option for them. First, forms send numbers, booleans, arrays and
objects as text, and Telegram accepts fewer spellings than pydantic's lax mode. Second, Telegram reports only the first
error, in one sentence that names every object on the path to it.
"""

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Self, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from playground.wire import JsonObject, Upload, bad_request, parse_json

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_EXPECTED = {
    "string_type": "String expected",
    "int_type": "Integer expected",
    "float_type": "Number expected",
    "finite_number": "Number expected",
    "bool_type": "Boolean expected",
    "list_type": "Array expected",
    "is_instance_of": "an uploaded file expected",
}
_NOT_AN_OBJECT = "object_type"


class Parameters(BaseModel):
    """A request's parameters, as fields. Null is treated like a missing value.

    Unknown names are rejected, except in the Bot API, which ignores them.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Validate values from a form or a JSON body, or raise ApiError 400 for the first error."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise bad_request(cls.describe(error)) from error

    @classmethod
    def describe(cls, error: ValidationError) -> str:
        """Return the first error as a sentence."""
        return first_error(error)

    def to_json(self) -> JsonObject:
        """Return the given values, leaving out defaults. Uploads are described by name, type and size."""
        return self.model_dump(exclude_unset=True)

    @classmethod
    def parse_text(cls, name: str, value: object) -> object:
        """Return ``value``, parsed if it is text and the ``name`` field has a different type."""
        field = cls.model_fields.get(name)
        return value if field is None or not isinstance(value, str) else _parse_text(value, _types(field.annotation))

    @model_validator(mode="before")
    @classmethod
    def _parse_texts(cls, given: Any) -> Any:  # noqa: ANN401  # JSON of any shape
        if not isinstance(given, Mapping):
            return given
        return {
            name: cls.parse_text(name, value)
            for name, value in given.items()
            if value is not None or name not in cls.model_fields
        }


class BotApiObject(Parameters):
    """An object inside a parameter, with its Bot API name. Members without a field are ignored."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="wrap")
    @classmethod
    def _name_object_in_errors(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        if not isinstance(value, dict):
            raise PydanticCustomError(_NOT_AN_OBJECT, "{name} expected", {"name": cls.__name__})
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError(f"can't parse {cls.__name__}: {first_error(error)}") from error


def resolve_attachments(given: Mapping[str, object]) -> dict[str, object]:
    """Replace each text ``attach://NAME`` with the upload NAME, and remove the separate parameter NAME."""
    uses = {name: str(value).removeprefix("attach://") for name, value in given.items() if _is_attached(value, given)}
    taken = set(uses.values())
    rest = {name: value for name, value in given.items() if name not in taken}
    return {name: given[uses[name]] if name in uses else value for name, value in rest.items()}


def _is_attached(value: object, given: Mapping[str, object]) -> bool:
    is_reference = isinstance(value, str) and value.startswith("attach://")
    return is_reference and isinstance(given.get(str(value).removeprefix("attach://")), Upload)


def _parse_text(text: str, types: set[type]) -> object:
    """Parse ``text`` as one of ``types``, or return it unchanged if it is not valid for any of them."""
    if bool in types:
        return _BOOLEANS.get(text.lower(), text)
    if int in types:
        return int(text) if re.fullmatch(r"-?\d{1,19}", text) else text
    if float in types:
        return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else text
    if not any(issubclass(kind, list | BotApiObject) for kind in types):
        return text
    try:
        return parse_json(text)
    except ValueError:
        return text


def _types(annotation: Any) -> set[type]:  # noqa: ANN401  # an annotation can be anything
    """Return the types that an annotation allows, excluding the types of array items."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _types(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {kind for alternative in get_args(annotation) for kind in _types(alternative)}
    return {origin or annotation}


def first_error(error: ValidationError) -> str:
    """In one sentence, describe the first unknown name or, if all names are known, the first wrong value."""
    errors = error.errors()
    return _sentence(next((one for one in errors if one["type"] == "extra_forbidden"), errors[0]))


def _sentence(error: ErrorDetails) -> str:
    kind, place = error["type"], error["loc"]
    if kind == "missing":
        return f'parameter "{place[0]}" is required'
    if kind == "extra_forbidden":
        return f'unknown parameter "{place[0]}"'
    reason = _EXPECTED.get(kind) or error["msg"].removeprefix("Value error, ")
    if not place:
        return reason
    if (
        kind in ("list_type", _NOT_AN_OBJECT)
        and isinstance(error["input"], str)
        and not any(isinstance(part, int) for part in place)
    ):
        return f'can\'t parse "{place[0]}" as JSON: {reason}'
    return f'wrong parameter "{place[0]}": {reason}'
