"""Declared parameters: what a method takes, and how a value from the wire becomes one of that kind.

Values come as text from queries and forms (objects and arrays then as JSON) and as they are from JSON bodies. A name
that is not declared, a missing required one and a value of the wrong kind are refused, at every depth.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playground.wire import JsonObject, Upload, bad_request

_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


class Unfit(Exception):
    """A value is not of the kind that is declared; the message says what is expected or wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: ``read`` gives the value or raises Unfit; ``structured`` ones are JSON inside forms."""

    name: str
    read: Callable[[object], object]
    structured: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared name."""

    kind: Kind
    required: bool


def need(kind: Kind) -> Parameter:
    """A parameter that must be given."""
    return Parameter(kind, required=True)


def may(kind: Kind) -> Parameter:
    """A parameter that may be left out."""
    return Parameter(kind, required=False)


def read_parameters(declared: Mapping[str, Parameter], given: Mapping[str, object]) -> JsonObject:
    """The values by name; parameters that were not given are left out. Raises ApiError 400 with the first fault."""
    try:
        return _read_members(declared, given)
    except Unfit as unfit:
        raise bad_request(str(unfit)) from unfit


def attached(given: Mapping[str, object]) -> dict[str, object]:
    """``given`` with each text ``attach://NAME`` replaced by the upload NAME, which leaves the list of parameters."""
    uses = {name: str(value).removeprefix("attach://") for name, value in given.items() if _refers(value, given)}
    taken = set(uses.values())
    rest = {name: value for name, value in given.items() if name not in taken}
    return {name: given[uses[name]] if name in uses else value for name, value in rest.items()}


def _refers(value: object, given: Mapping[str, object]) -> bool:
    is_reference = isinstance(value, str) and value.startswith("attach://")
    return is_reference and isinstance(given.get(str(value).removeprefix("attach://")), Upload)


def _read_members(declared: Mapping[str, Parameter], given: Mapping[str, object]) -> JsonObject:
    for name in given:
        if name not in declared:
            raise Unfit(f'unknown parameter "{name}"')
    values = {}
    for name, parameter in declared.items():
        value = given.get(name)
        if value is not None:
            values[name] = _read_one(name, parameter.kind, value)
        elif parameter.required:
            raise Unfit(f'parameter "{name}" is required')
    return values


def _read_one(name: str, kind: Kind, value: object) -> object:
    if kind.structured and isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise Unfit(f'can\'t parse "{name}" as JSON: {kind.name} expected') from error
    try:
        return kind.read(value)
    except Unfit as unfit:
        raise Unfit(f'wrong parameter "{name}": {unfit}') from unfit


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("String expected")
    return value


def _integer(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit("Integer expected")
    return value


def _number(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Unfit("Number expected")
    return float(value)


def _boolean(value: object) -> bool:
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    if not isinstance(value, bool):
        raise Unfit("Boolean expected")
    return value


def _chat_id(value: object) -> int | str:
    if isinstance(value, str) and re.fullmatch(r"@\w+", value):
        return value
    return _integer(value)


def _upload(value: object) -> Upload:
    if not isinstance(value, Upload):
        raise Unfit("an uploaded file expected")
    return value


def _upload_or_name(value: object) -> Upload | str:
    return value if isinstance(value, Upload) else _string(value)


STRING = Kind("String", _string)
INTEGER = Kind("Integer", _integer)
NUMBER = Kind("Number", _number)
BOOLEAN = Kind("Boolean", _boolean)
CHAT_ID = Kind("chat identifier", _chat_id)
UPLOAD = Kind("file", _upload)
FILE = Kind("file", _upload_or_name)


def one_of(*choices: str) -> Kind:
    """One of these words."""

    def read(value: object) -> str:
        if value not in choices:
            raise Unfit(f"one of {', '.join(choices)} expected")
        return str(value)

    return Kind("String", read)


def between(low: int, high: int) -> Kind:
    """An integer from ``low`` to ``high``, both included."""

    def read(value: object) -> int:
        number = _integer(value)
        if not low <= number <= high:
            raise Unfit(f"{low} to {high} expected")
        return number

    return Kind("Integer", read)


def array(kind: Kind) -> Kind:
    """An array of one kind."""

    def read(value: object) -> list[object]:
        if not isinstance(value, list):
            raise Unfit("Array expected")
        return [kind.read(item) for item in value]

    return Kind("Array", read, structured=True)


def record(name: str, **members: Parameter) -> Kind:
    """An object with these members and no others."""

    def read(value: object) -> JsonObject:
        if not isinstance(value, dict):
            raise Unfit(f"{name} expected")
        try:
            return _read_members(members, value)
        except Unfit as unfit:
            raise Unfit(f"can't parse {name}: {unfit}") from unfit

    return Kind(name, read, structured=True)


def checked(kind: Kind, check: Callable[[JsonObject], None]) -> Kind:
    """A kind whose objects must also pass ``check``, which raises Unfit."""

    def read(value: object) -> object:
        result = kind.read(value)
        if isinstance(result, dict):
            check(result)
        return result

    return Kind(kind.name, read, kind.structured)
