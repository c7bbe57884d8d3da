"""Scenarios over HTTP: the library as JSON, documents as files, checked and kept in the same words as everywhere."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Flask, Response, request

from tft_dash.api.answers import json_answer, make_blueprint
from tft_dash.api.runs import begun_answer
from tft_dash.errors import ConflictError, UsageError, shorten
from tft_dash.library.scenarios import Entry
from tft_dash.scenarios.differences import differences
from tft_dash.scenarios.document import READ_BYTES, Scenario, as_mapping, document_digest, read_document, to_yaml
from tft_dash.scenarios.format.fields import format_instant
from tft_dash.services import Services

THE_REQUEST: Final = "the request"
"""What a document that was sent is called in messages."""

_PATH: Final = "/api/v1/scenarios"
_YAML, _JSON = "application/yaml", "application/json"
_YES: Final = ("1", "true", "yes")


def register_scenarios(server: Flask, services: Services) -> None:
    """Add ``/api/v1/scenarios…`` under the base path."""
    blueprint = make_blueprint("scenarios")
    base = services.settings.base_path.rstrip("/")
    _add_library(blueprint, services, base)
    _add_entry(blueprint, services, base)
    _add_actions(blueprint, services, base)
    server.register_blueprint(blueprint, url_prefix=base or None)


def _add_library(blueprint: Blueprint, services: Services, base: str) -> None:
    @blueprint.get(_PATH)
    def listed() -> Response:
        archived = request.args.get("archived", "").lower() in _YES
        return json_answer([summary(entry, base) for entry in services.library.entries(archived=archived)])

    @blueprint.post(_PATH)
    def add() -> Response:
        return _made(services.library.add(_document()), base)

    @blueprint.post(f"{_PATH}/check")
    def check() -> Response:
        return json_answer({"valid": True, "digest": document_digest(_document())})


def _add_entry(blueprint: Blueprint, services: Services, base: str) -> None:
    @blueprint.get(f"{_PATH}/<key>")
    def entry(key: str) -> Response:
        found, form = services.library.get(key), request.args.get("format")
        return _whole(found, base) if form is None else _file(found.scenario, form)

    @blueprint.put(f"{_PATH}/<key>")
    def save(key: str) -> Response:
        version = _version()
        if version is None:
            return _without_version()
        if services.library.get(key).preset:
            return _preset_stays(key)
        scenario = _document()
        try:
            return _whole(services.library.save(key, scenario, version=version), base)
        except ConflictError as error:
            return _conflict(error, services.library.get(key), scenario)

    @blueprint.delete(f"{_PATH}/<key>")
    def delete(key: str) -> Response:
        if services.library.get(key).preset:
            return _preset_stays(key)
        services.library.delete(key)
        return json_answer({"key": key, "deleted": True})


def _add_actions(blueprint: Blueprint, services: Services, base: str) -> None:
    @blueprint.post(f"{_PATH}/<key>/restore")
    def restore(key: str) -> Response:
        return _whole(services.library.restore(key), base)

    @blueprint.post(f"{_PATH}/<key>/duplicate")
    def duplicate(key: str) -> Response:
        return _made(services.library.duplicate(key), base)

    @blueprint.post(f"{_PATH}/<key>/archive", defaults={"archived": True})
    @blueprint.post(f"{_PATH}/<key>/unarchive", defaults={"archived": False})
    def archive(key: str, archived: bool) -> Response:
        if services.library.get(key).preset:
            return _preset_stays(key)
        return _whole(services.library.archive(key, archived), base)

    @blueprint.post(f"{_PATH}/<key>/runs")
    def run(key: str) -> Response:
        return begun_answer(services.runs.submit(services.library.get(key).scenario), base)


def summary(entry: Entry, base: str) -> dict[str, Any]:
    """A scenario of the list; ``url`` is the page that opens it."""
    scenario, clock = entry.scenario, entry.scenario.spec.clock
    return {
        "key": entry.key,
        "preset": entry.preset,
        "version": entry.version,
        "name": scenario.name,
        "title": scenario.title,
        "description": scenario.metadata.description,
        "tags": list(scenario.metadata.tags),
        "owner": scenario.metadata.owner,
        "author": entry.author,
        "created": None if entry.created is None else format_instant(entry.created),
        "updated": None if entry.updated is None else format_instant(entry.updated),
        "archived": entry.archived,
        "duration_seconds": clock.duration,
        "ticks": clock.ticks,
        "servers": scenario.spec.fleet.size,
        "digest": entry.digest,
        "url": f"{base}/scenarios/{entry.key}",
    }


def _document() -> Scenario:
    """The document that was sent; no more is read of a longer body than shows that it is too long."""
    content = bytearray()
    while len(content) < READ_BYTES and (part := request.stream.read(READ_BYTES - len(content))):
        content += part
    return read_document(bytes(content), THE_REQUEST)


def _version() -> int | None:
    """The version that was edited, from ``If-Match`` or ``?version=``; None where neither says a number."""
    said = request.headers.get("If-Match") or request.args.get("version") or ""
    text = said.strip().removeprefix("W/").strip('"')
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _made(entry: Entry, base: str) -> Response:
    return _whole(entry, base, status=201, headers={"Location": f"{base}{_PATH}/{entry.key}"})


def _whole(entry: Entry, base: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A scenario with its document, and its version as the entity tag that a later PUT gives back."""
    body = {**summary(entry, base), "document": as_mapping(entry.scenario)}
    return json_answer(body, status, {"ETag": f'"{entry.version}"', **(headers or {})})


def _file(scenario: Scenario, form: str) -> Response:
    """The document as a file; what was posted and fetched gives the same bytes wherever it goes on to."""
    if form not in ("yaml", "json"):
        raise UsageError(f"A document is written as yaml or json, not '{shorten(form, 40)}'.")
    plain = json.dumps(as_mapping(scenario), indent=2, ensure_ascii=False) + "\n"
    text, kind = (to_yaml(scenario), _YAML) if form == "yaml" else (plain, _JSON)
    name = f"{scenario.name}.scenario.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, content_type=f"{kind}; charset=utf-8", headers=headers)


def _without_version() -> Response:
    words = 'Say which version was edited: If-Match: "3", or ?version=3. Nothing was saved.'
    return json_answer({"error": words}, 428)


def _preset_stays(key: str) -> Response:
    words = f"'{key}' is a preset and stays as it is. Duplicate it and change the copy."
    return json_answer({"error": words}, 403)


def _conflict(error: ConflictError, current: Entry, sent: Scenario) -> Response:
    """What is in force instead, and in what the document that was sent differs from it."""
    document = as_mapping(current.scenario)
    changed = [
        {"path": difference.path, "before": difference.before, "after": difference.after}
        for difference in differences(document, as_mapping(sent))
    ]
    body = {"error": str(error), "version": error.version, "document": document, "differences": changed}
    return json_answer(body, 409, {"ETag": f'"{error.version}"'})
