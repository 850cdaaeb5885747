"""Checks a call against Telegram's Bot API 10.0, as declared by aiogram's typed methods."""

import json
from typing import Any

import aiogram
from aiogram import methods
from aiogram.types import BufferedInputFile
from pydantic import BaseModel, ValidationError

assert aiogram.__api_version__ == "10.0", "the check is for another version of the Bot API"

# What the call log shows instead of an uploaded file.
_UPLOAD = {"file_name", "mime_type", "size"}
_METHODS: dict[str, type[BaseModel]] = {
    name[0].lower() + name[1:]: getattr(methods, name)
    for name in methods.__all__
    if name not in ("Request", "Response")
}


def bot_api_errors(method: str, params: dict[str, Any]) -> list[str]:
    """Return what is wrong with a call, one sentence per error. Objects and arrays can be given as JSON text."""
    model = _METHODS.get(method)
    if model is None:
        return [f"{method} is not a Bot API method"]
    decoded = {name: _decoded(value) for name, value in params.items()}
    # aiogram's models allow extra fields, so they would accept a misspelled one.
    errors = [f"{method} has no parameter {name}" for name in decoded if name not in model.model_fields]
    try:
        model.model_validate(decoded)
    except ValidationError as invalid:
        errors += [f"{method}: {'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors()]
    return errors


def _decoded(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == _UPLOAD:
        return BufferedInputFile(b"", value["file_name"])
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
