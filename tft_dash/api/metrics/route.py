"""The address ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from flask import Blueprint, Flask, Response, request

from tft_dash import __version__
from tft_dash.api.answers import make_blueprint
from tft_dash.api.metrics import forecasts, live, requests
from tft_dash.api.metrics.exposition import CONTENT_TYPE, Family, Sample, exposition
from tft_dash.errors import UsageError, shorten
from tft_dash.services import Services

SERVERS: Final = 200
MOST_SERVERS: Final = 5000
FAMILIES: Final = {
    "tft_dash_build_info": Family("The version that answers."),
    **live.FAMILIES,
    **forecasts.FAMILIES,
    **requests.FAMILIES,
}
"""Every family of samples, with what it means."""


def register_metrics(server: Flask, services: Services) -> None:
    """Add ``/metrics`` under the base path, and count what is asked of the server."""
    blueprint: Blueprint = make_blueprint("metrics")
    counts = requests.RequestCounts(services.settings.cache / "requests")

    @blueprint.get("/metrics")
    def metrics() -> Response:
        servers = _servers()
        samples = chain(
            [Sample("tft_dash_build_info", {"version": __version__}, 1.0)],
            live.live_samples(tuple(_live(services)), servers),
            forecasts.forecast_samples(services.watched()),
            counts.samples(),
        )
        return Response(exposition(FAMILIES, samples), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    requests.count_requests(server, counts, services.settings.base_path)
    server.register_blueprint(blueprint, url_prefix=services.settings.base_path.rstrip("/") or None)


def _live(services: Services) -> Iterator[live.Told]:
    names = services.live_names()
    states = {state.name: state for state in services.live.states()} if names else {}
    for name in names:
        state = states.get(name)
        if state is None:
            yield live.Told(name, None)
            continue
        record = None if state.stale else services.live.tick(name, state.latest)
        yield live.Told(name, state, record, services.alerts.alerts(name), services.alerts.waiting(name))


def _servers() -> int:
    given = request.args.get("servers")
    if given is None:
        return SERVERS
    if given.isascii() and given.isdigit() and len(given) <= len(str(MOST_SERVERS)) and int(given) <= MOST_SERVERS:
        return int(given)
    raise UsageError(f"'servers' must be a whole number from 0 to {MOST_SERVERS:,}, not '{shorten(given)}'.")
