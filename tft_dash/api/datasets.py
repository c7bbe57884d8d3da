"""Datasets over HTTP: the list, the verdict, the columns, the map of gaps, and the rows as JSON, CSV and Parquet."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
from flask import Flask, Response, request

from tft_dash.api.answers import json_answer, make_blueprint
from tft_dash.errors import TftDashError, UsageError
from tft_dash.files import size_and_change
from tft_dash.inspection.rows import Rows
from tft_dash.inspection.views import View, parse_view
from tft_dash.services import Services

_CHUNK: Final = 1 << 20
_LONGEST_VIEW: Final = 20_000
_PAGE: Final = 100


def register_datasets(server: Flask, services: Services) -> None:
    """Add the reading half of ``/api/v1/datasets`` under the base path."""
    blueprint = make_blueprint("api-datasets")
    inspector = services.inspector

    @blueprint.get("/api/v1/datasets")
    def listed() -> Response:
        return json_answer([dataset_payload(services, name) for name in services.recording_names()])

    @blueprint.get("/api/v1/datasets/<path:name>/report")
    def report(name: str) -> Response:
        found, place = inspector.report(services.path(name)), services.place(name)
        shown = found if place.path is not None else replace(found, path=place.shown)
        return json_answer(shown.as_dict())

    @blueprint.get("/api/v1/datasets/<path:name>/columns")
    def columns(name: str) -> Response:
        return json_answer([column.as_dict() for column in inspector.columns(services.path(name))])

    @blueprint.get("/api/v1/datasets/<path:name>/gaps")
    def gaps(name: str) -> Response:
        return json_answer(inspector.gaps(services.path(name)).as_dict())

    @blueprint.get("/api/v1/datasets/<path:name>/rows")
    def rows(name: str) -> Response:
        return _viewed(services, name, lambda _rows, view: _page(inspector.arranged(services.path(name), view), view))

    @blueprint.get("/api/v1/datasets/<path:name>/rows.csv")
    def rows_csv(name: str) -> Response:
        return _viewed(services, name, lambda found, view: _attached(found.export_csv(view), "text/csv", f"{name}.csv"))

    @blueprint.get("/api/v1/datasets/<path:name>/rows.parquet")
    def rows_parquet(name: str) -> Response:
        mime = "application/vnd.apache.parquet"
        return _viewed(services, name, lambda found, view: _attached(_parquet(found, view), mime, f"{name}.parquet"))

    base = services.settings.base_path.rstrip("/")
    server.register_blueprint(blueprint, url_prefix=base or None)


def dataset_payload(services: Services, name: str) -> dict[str, Any]:
    """What is known of a dataset without reading it; ``verdict`` is null until somebody has asked for its report."""
    path, found, problem = None, None, None
    try:
        path = services.path(name)
        found = services.inspector.known_report(path)
    except TftDashError as error:
        problem = str(error)
    plain: dict[str, Any] = {
        "name": name,
        "kind": "folder" if path is not None and path.is_dir() else "file",
        "origin": services.origin(name),
    }
    facts = {} if found is None else found.facts
    verdict = None if found is None else "acceptable" if found.acceptable else "not acceptable"
    known = {fact: facts.get(fact) for fact in ("format", "servers", "rows", "ticks", "span_seconds", "step_seconds")}
    return {**plain, **known, **_on_disk(path), "verdict": verdict, "error": problem}


def _on_disk(path: Path | None) -> dict[str, Any]:
    """Bytes, and the last change in seconds since 1970; null for what is not there."""
    if path is None:
        return {"bytes": None, "changed": None}
    try:
        size, changed = size_and_change(path)
    except OSError:
        return {"bytes": None, "changed": None}
    return {"bytes": size, "changed": changed}


def _viewed(services: Services, name: str, answer: Callable[[Rows, View], Response]) -> Response:
    """The answer for the view that stands in the address; a view that does not fit is 400."""
    rows = services.inspector.rows(services.path(name))
    try:
        return answer(rows, _view(request.args.get("view", "")))
    except UsageError as error:
        return json_answer({"error": str(error)}, 400)


def _view(text: str) -> View:
    if not text:
        return View()
    if len(text) > _LONGEST_VIEW:
        raise UsageError(f"The view is longer than {_LONGEST_VIEW:,} characters. Use fewer filters.")
    try:
        plain = orjson.loads(text)
    except ValueError as error:
        raise UsageError(f"The view is not JSON: {error}. Leave it out to see all rows.") from error
    return parse_view(plain)


def _page(rows: Rows, view: View) -> Response:
    first, limit = _whole("first", 0), _whole("limit", _PAGE)
    page = rows.page(view, first, limit, request.args.getlist("column"))
    columns = [
        {"field": one.field, "name": one.name, "type": one.type, "kind": one.kind, "note": one.note}
        for one in rows.columns
    ]
    return json_answer(
        {"columns": columns, "rows": page.rows, "first": first, "matching": page.matching, "total": rows.total}
    )


def _whole(name: str, default: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    raise UsageError(f"{name} is '{text[:40]}', not a whole number from 0.")


def _parquet(rows: Rows, view: View) -> Iterator[bytes]:
    """A Parquet file is complete only at its end, so it is written first and sent then."""
    # Not a with block: the file lives until the last byte is sent.
    file = tempfile.TemporaryFile(prefix="tft-dash-")  # noqa: SIM115
    try:
        rows.export_parquet(view, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(_CHUNK):
                yield chunk

    return chunks()


def _attached(content: Iterator[bytes], mimetype: str, filename: str) -> Response:
    """Never shown in the browser, whatever it holds."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename)}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, mimetype=mimetype, headers=headers)
