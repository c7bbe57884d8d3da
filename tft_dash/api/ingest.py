"""Where samples are pushed: ``POST /api/v1/ingest/<source>``."""

from __future__ import annotations

from typing import cast

from flask import Flask, Response, request

from tft_dash.api.answers import json_answer, make_blueprint
from tft_dash.live.feeds.push.bodies import PACKED, Stream
from tft_dash.live.feeds.push.desk import Sent
from tft_dash.services import Services


def register_ingest(server: Flask, services: Services) -> None:
    """Add ``/api/v1/ingest/<source>`` under the base path."""
    blueprint = make_blueprint("api-ingest")

    @blueprint.post("/api/v1/ingest/<source>")
    def ingest(source: str) -> Response:
        sent = Sent(
            cast(Stream, request.stream),
            request.content_length,
            request.mimetype,
            request.headers.get("Content-Encoding", ""),
            request.headers.get("Authorization", ""),
        )
        outcome = services.pushes.take(source, sent)
        return json_answer(outcome.as_dict(), outcome.status, {"Accept-Encoding": PACKED[0]})

    base = services.settings.base_path.rstrip("/")
    server.register_blueprint(blueprint, url_prefix=base or None)
