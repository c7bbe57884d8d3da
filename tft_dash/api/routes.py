"""Probes and version 1 of the JSON interface, as real Flask routes (Dash answers any other path with its page)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Flask, Response, request

from tft_dash.api.alerts import add_alerts
from tft_dash.api.answers import json_answer, make_blueprint
from tft_dash.api.payloads import frame_payload, source_payload
from tft_dash.errors import NotThereError, SourceUnreachableError, TftDashError
from tft_dash.services import Services

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""An address or method that is not there is told in JSON, too."""


def register_api(server: Flask, services: Services) -> None:
    """Add the probes and ``/api/v1/…`` under the base path."""
    blueprint = make_blueprint("api")
    _add_probes(blueprint, services)
    add_alerts(blueprint, services)
    _add_version_1(blueprint, services)
    base = services.settings.base_path.rstrip("/")
    server.register_blueprint(blueprint, url_prefix=base or None)


def _add_probes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.get("/healthz")
    def healthz() -> Response:
        return Response("ok", mimetype="text/plain")

    @blueprint.get("/readyz")
    def readyz() -> Response:
        entries = services.entries()
        problems = {entry.name: entry.problem for entry in entries if entry.problem is not None}
        ready = len(problems) < len(entries) or any(_can_be_told(services, name) for name in services.live_names())
        return json_answer({"ready": ready, "problems": problems}, 200 if ready else 503)


def _can_be_told(services: Services, live: str) -> bool:
    """Whether a page can say how a live source is, be it that it has no tick yet; not while the store is away."""
    try:
        services.live_state(live)
    except SourceUnreachableError:
        return True
    except TftDashError:
        return False
    return True


def _add_version_1(blueprint: Blueprint, services: Services) -> None:
    @blueprint.get("/api/v1/sources")
    def sources() -> Response:
        entries = services.entries()
        live = {one.name for one in entries if one.description is not None and one.description.live}
        return json_answer(
            [source_payload(one, services.live_state(one.name) if one.name in live else None) for one in entries]
        )

    @blueprint.get("/api/v1/models")
    def models() -> Response:
        return json_answer([card.as_dict() for card in services.cards()])

    @blueprint.get("/api/v1/sources/<path:name>/ticks/<tick>")
    def tick(name: str, tick: str) -> Response:
        model = request.args.get("model") or services.first_choice()
        return json_answer(frame_payload(services.frame(name, model, _tick_of(services, name, tick))))

    @blueprint.route("/api/", defaults={"path": ""}, methods=METHODS)
    @blueprint.route("/api/<path:path>", methods=METHODS)
    def unknown(path: str) -> Response:
        raise NotThereError(
            f"There is no address /api/{path}, or it does not take {request.method}. "
            "/api/v1/openapi.json describes those that there are."
        )


def _tick_of(services: Services, name: str, text: str) -> int:
    """The tick that an address names: by its number, as ``latest``, or by an instant: the last one not after it."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    if text == "latest":
        return (services.describe(name).ticks or 1) - 1
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise NotThereError(
            f"'{text[:40]}' is not a tick; ticks are whole numbers from 0, 'latest', or a time such as "
            "2026-11-27T03:10:00Z."
        ) from None
    about = services.describe(name)
    start = about.start.astype("datetime64[ms]").astype(int)
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    tick = math.floor((round(aware.timestamp() * 1000) - start) / (about.step_seconds * 1000))
    if tick < 0:
        raise NotThereError(f"'{name}' begins at {about.start} UTC; {text[:40]} lies before that.")
    return tick
