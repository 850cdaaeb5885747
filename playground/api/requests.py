"""Reads the values in a request from the query, a form, a multipart body or JSON."""

from collections.abc import Mapping

from tornado.httpclient import HTTPResponse
from tornado.httputil import HTTPFile, HTTPInputError, HTTPServerRequest, parse_body_arguments

from playground.wire import JsonObject, Upload, bad_request, not_utf8, parse_json


def read_values(request: HTTPServerRequest) -> JsonObject:
    """Return text, JSON values and uploads, keyed by name, or raise ApiError 400.

    If a name has several values, the last one is used.
    """
    return _values(request.headers.get("Content-Type", ""), request.body, request.arguments, request.files)


def read_answer(response: HTTPResponse) -> JsonObject:
    """Return the values in a response's body in the same form as ``read_values``, or raise ApiError 400."""
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    content_type = response.headers.get("Content-Type", "")
    try:
        parse_body_arguments(content_type, response.body, arguments, files, response.headers)
    except (HTTPInputError, UnicodeDecodeError) as error:
        raise bad_request(f"can't parse the body: {error}") from error
    return _values(content_type, response.body, arguments, files)


def _values(
    content_type: str, body: bytes, arguments: Mapping[str, list[bytes]], files: Mapping[str, list[HTTPFile]]
) -> JsonObject:
    given: JsonObject = {name: _text(values[-1]) for name, values in arguments.items()}
    if body and content_type.startswith("application/json"):
        given |= _json_body(body)
    for name, parts in files.items():
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
