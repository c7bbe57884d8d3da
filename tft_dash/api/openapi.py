"""``/api/v1/openapi.json``: version 1 of the JSON interface described by OpenAPI 3.1, the documents included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from flask import Flask, Response

from tft_dash import __version__
from tft_dash.api.answers import json_answer, make_blueprint
from tft_dash.api.operations import OPERATIONS, PATH_WORDS, REPEATED, WHOLE_NUMBERS, Operation
from tft_dash.api.shapes import schema_of, shape_schemas
from tft_dash.importing.mapping import json_schema as mapping_schema
from tft_dash.scenarios.document import json_schema as scenario_schema
from tft_dash.services import Services

_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("A value in the address or body cannot be.", "#Error"),
    401: ("There is no token, or it is not the right one.", "#Error"),
    403: ("A page of another site may not write here, and a preset is never changed.", "#Error"),
    404: ("There is nothing of that name; the message lists what there is.", "#Error"),
    409: ("Another version is in force by now; it is shown with the difference.", "#Conflict"),
    413: ("More than the settings allow; the message names the setting.", "#Error"),
    415: ("It was sent in a form that is not read here; the message names those that are.", "#Error"),
    422: ("The document or data is not acceptable; every mistake of a document is told at once.", "#Mistakes"),
    428: ("Say which version was edited.", "#Error"),
    429: ("Too much comes in; nothing was kept. Send it again after Retry-After seconds.", "#Error"),
    503: ("It is being prepared, or storage cannot be reached.", "#NotReady"),
}
_DONE: Final[Mapping[int, str]] = {
    200: "Done.",
    201: "Added; Location says where.",
    202: "It has begun, and Location says where to ask; or a part of what was pushed was taken.",
    204: "Noted.",
}
_DOCUMENTS: Final = {"Scenario": scenario_schema, "Mapping": mapping_schema}


def register_openapi(server: Flask, services: Services) -> None:
    """Add ``/api/v1/openapi.json`` under the base path."""
    blueprint = make_blueprint("openapi")
    base = services.settings.base_path.rstrip("/")

    @blueprint.get("/api/v1/openapi.json")
    def description() -> Response:
        return json_answer({**openapi(), "servers": [{"url": base or "/"}]})

    server.register_blueprint(blueprint, url_prefix=base or None)


@cache
def openapi() -> Mapping[str, Any]:
    """The description, without the address of the server."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tft_dash",
            "version": __version__,
            "description": "A server fleet and the probability that it has an incident, as JSON. "
            "A missing value is null; times are UTC.",
        },
        "paths": paths,
        "components": {"schemas": {**shape_schemas(), **_document_schemas()}},
    }


def _described(operation: Operation) -> dict[str, Any]:
    inside = [_parameter(name, "path", PATH_WORDS[name]) for name in re.findall(r"{(\w+)}", operation.path)]
    query = [_parameter(name, "query", words) for name, words in operation.query.items()]
    headers = [_parameter(name, "header", words) for name, words in operation.headers.items()]
    writes = (403,) if operation.method != "get" else ()
    refusals = {str(status): _refusal(status) for status in sorted({*operation.fails, *writes, 503})}
    given = {str(status): _given(status, word) for status, word in operation.gives.items()}
    plain = {
        "operationId": _identity(operation),
        "summary": operation.summary,
        "parameters": [*inside, *query, *headers],
        "responses": {**given, **refusals},
    }
    return plain if operation.takes is None else {**plain, "requestBody": _body(operation)}


def _identity(operation: Operation) -> str:
    """A name for programs that are made from the description: ``post-scenarios-key-runs``."""
    words = re.findall(r"\w+", operation.path.removeprefix("/api/v1/"))
    return "-".join([operation.method, *words]).replace("_", "-")


def _parameter(name: str, where: str, words: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer", "minimum": 0} if name in WHOLE_NUMBERS else {"type": "string"}
    if name in REPEATED:
        schema = {"type": "array", "items": schema}
    plain = {"name": name, "in": where, "description": words, "schema": schema}
    return {**plain, "required": True} if where == "path" else plain


def _body(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.takes, str):
        return {"content": _json(operation.takes)}
    schema = {} if operation.schema is None else {"schema": schema_of(operation.schema)}
    return {"required": True, "content": dict.fromkeys(operation.takes or (), schema)}


def _given(status: int, words: str) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for word in words.split():
        content |= {word.removeprefix("file:"): {}} if word.startswith("file:") else _json(word)
    return {"description": _DONE[status], **({"content": content} if content else {})}


def _refusal(status: int) -> dict[str, Any]:
    words, shape = _REFUSALS[status]
    return {"description": words, "content": _json(shape)}


def _json(word: str) -> dict[str, Any]:
    return {"application/json": {"schema": schema_of(word)}}


def _document_schemas() -> dict[str, Any]:
    """The documents' schemas; the parts of each by the document's own name: ``Scenario.Fleet``."""
    found = {}
    for name, make in _DOCUMENTS.items():
        schema = _moved(make(), name)
        parts = schema.pop("$defs", {})
        found[name] = schema
        found |= {f"{name}.{part}": inner for part, inner in parts.items()}
    return found


def _moved(value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """A schema whose references lead to the description's own collection of schemas."""
    if isinstance(value, dict):
        return {key: _moved(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, name) for inner in value]
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return f"#/components/schemas/{name}.{value.removeprefix('#/$defs/')}"
    return value
