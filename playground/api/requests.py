"""Reads the values of a request from the query, a form, a multipart body or JSON."""

from tornado.httputil import HTTPServerRequest

from playground.wire import JsonObject, Upload, bad_request, not_utf8, parse_json


def read_values(request: HTTPServerRequest) -> JsonObject:
    """Return text, JSON values and uploads by name; the last of several values counts. Raises ApiError 400."""
    given: JsonObject = {name: _text(values[-1]) for name, values in request.arguments.items()}
    if request.body and request.headers.get("Content-Type", "").startswith("application/json"):
        given |= _json_body(request.body)
    for name, parts in request.files.items():
        given[name] = Upload(parts[-1].filename, parts[-1].content_type, parts[-1].body)
    return given


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8() from error


def _json_body(body: bytes) -> JsonObject:
    source = _text(body)
    try:
        value = parse_json(source)
    except ValueError as error:
        raise bad_request("can't parse the body as JSON") from error
    if not isinstance(value, dict):
        raise bad_request("the body must be a JSON object")
    return value
