"""Runs over HTTP: how far a recording is, stopping it, and keeping one that somebody watches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, Response

from tft_dash.api.answers import json_answer, make_blueprint
from tft_dash.runs.queue import Run
from tft_dash.scenarios.format.fields import format_instant
from tft_dash.served import RUN
from tft_dash.services import Services


def register_runs(server: Flask, services: Services) -> None:
    """Add ``/api/v1/runs…`` and ``/api/v1/sources/<name>/watching`` under the base path."""
    blueprint = make_blueprint("runs")
    base = services.settings.base_path.rstrip("/")

    @blueprint.get("/api/v1/runs")
    def listed() -> Response:
        return json_answer([run_payload(run, base) for run in services.runs.recent()])

    @blueprint.get("/api/v1/runs/<run_id>")
    def one(run_id: str) -> Response:
        return json_answer(run_payload(services.runs.get(run_id), base))

    @blueprint.delete("/api/v1/runs/<run_id>")
    def cancel(run_id: str) -> Response:
        return json_answer(run_payload(services.runs.cancel(run_id), base))

    @blueprint.post("/api/v1/sources/<path:name>/watching")
    def watching(name: str) -> Response:
        if services.origin(name) == RUN:
            services.recordings.watch(name)
        return Response(status=204)

    server.register_blueprint(blueprint, url_prefix=base or None)


def run_payload(run: Run, base: str) -> dict[str, Any]:
    """A run; ``url`` is the live monitor on its recording, null while there is none."""
    return {
        "id": run.id,
        "title": run.title,
        "scenario": run.scenario,
        "source": run.source,
        "state": run.state,
        "progress": run.progress,
        "position": run.position,
        "message": run.message,
        "rows": run.rows,
        "author": run.author,
        "created": _said(run.created),
        "started": _said(run.started),
        "finished": _said(run.finished),
        "url": f"{base}/?source={run.source}" if run.there else None,
    }


def begun_answer(run: Run, base: str) -> Response:
    """A run that was asked for: 202 while it is to be made, 200 where its recording is there already."""
    headers = {"Location": f"{base}/api/v1/runs/{run.id}"}
    return json_answer(run_payload(run, base), 200 if run.state == "done" else 202, headers)


def _said(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
