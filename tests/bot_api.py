"""Checks a call against Telegram's Bot API 10.0, as aiogram's typed methods state it."""

import json
from typing import Any

import aiogram
from aiogram import methods
from pydantic import BaseModel, ValidationError

assert aiogram.__api_version__ == "10.0", "the check is for another version of the Bot API"

_METHODS: dict[str, type[BaseModel]] = {
    name[0].lower() + name[1:]: getattr(methods, name)
    for name in methods.__all__
    if name not in ("Request", "Response")
}


def bot_api_faults(method: str, params: dict[str, Any]) -> list[str]:
    """What is wrong with a call, one sentence each; fields that travel as JSON are decoded first."""
    model = _METHODS.get(method)
    if model is None:
        return [f"{method} is no method of the Bot API"]
    decoded = {name: _decoded(value) for name, value in params.items()}
    # aiogram's models allow extra fields, and so would let a misspelt one pass.
    faults = [f"{method} has no parameter {name}" for name in decoded if name not in model.model_fields]
    try:
        model.model_validate(decoded)
    except ValidationError as error:
        faults += [f"{method}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    return faults


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
