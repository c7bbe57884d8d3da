"""``/metrics``: what Prometheus scrapes. Every value comes from the cache that all workers share, so that it does not
depend on which of them answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flask import Blueprint, Flask, Response

from tft_dash import __version__
from tft_dash.api.answers import make_blueprint
from tft_dash.services import Services
from tft_dash.watching.watch import Drift

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
STATES: Final = ("fine", "drifting", "unknown")

Sample = tuple[Mapping[str, str], float]

FAMILIES: Final[Mapping[str, str]] = {
    "tft_dash_build_info": "The version that answers.",
    "tft_dash_forecast_watch_ready": "Whether the forecasts for a source have been held against what happened.",
    "tft_dash_forecast_judged": "Forecasts whose bands were judged in the last window.",
    "tft_dash_forecast_drift_state": "1 for the state of the forecasts for a source: fine, drifting, unknown.",
    "tft_dash_forecast_band_coverage": "Share of the values within the 80 % band in the last window.",
    "tft_dash_forecast_band_values": "Values that the bands were held against.",
    "tft_dash_forecast_calibration_rows": "Probabilities that were judged in the last window.",
    "tft_dash_forecast_calibration_said": "What they said on average.",
    "tft_dash_forecast_calibration_happened": "How often it happened.",
    "tft_dash_forecast_calibration_error": "Expected calibration error over twenty bins.",
    "tft_dash_forecast_calibration_brier": "Brier score.",
    "tft_dash_forecast_calibration_brier_skill": "Against always saying how often it happened in the window.",
    "tft_dash_forecast_incidents_announced": "Incidents that the probabilities add up to.",
    "tft_dash_forecast_incidents": "Incidents that there were.",
}
"""Every family of samples, with what it means; all are gauges."""
_CHANCE_FIELDS: Final = {
    "rows": "tft_dash_forecast_calibration_rows",
    "said": "tft_dash_forecast_calibration_said",
    "happened": "tft_dash_forecast_calibration_happened",
    "calibration_error": "tft_dash_forecast_calibration_error",
    "brier": "tft_dash_forecast_calibration_brier",
    "brier_skill": "tft_dash_forecast_calibration_brier_skill",
    "announced": "tft_dash_forecast_incidents_announced",
    "incidents": "tft_dash_forecast_incidents",
}


def register_metrics(server: Flask, services: Services) -> None:
    """Add ``/metrics`` under the base path."""
    blueprint: Blueprint = make_blueprint("metrics")

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(
            exposition(services.watched()), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"}
        )

    server.register_blueprint(blueprint, url_prefix=services.settings.base_path.rstrip("/") or None)


def exposition(watched: Sequence[tuple[str, Drift | None]]) -> str:
    """The text for these sources, each with its watch; None = it is not made yet."""
    found: dict[str, list[Sample]] = {name: [] for name in FAMILIES}
    found["tft_dash_build_info"].append(({"version": __version__}, 1.0))
    for source, drift in watched:
        found["tft_dash_forecast_watch_ready"].append(({"source": source}, float(drift is not None)))
        for family, labels, value in _samples(drift) if drift is not None else ():
            found[family].append(({"source": source, **labels}, value))
    lines = []
    for family, words in FAMILIES.items():
        if found[family]:
            lines += [f"# HELP {family} {words}", f"# TYPE {family} gauge"]
            lines += [f"{family}{{{_labels(labels)}}} {_number(value)}" for labels, value in found[family]]
    return "\n".join(lines) + "\n"


def _samples(drift: Drift) -> Iterator[tuple[str, Mapping[str, str], float]]:
    whose = {"model": drift.model, "version": drift.version}
    if not drift.points:
        yield from (
            ("tft_dash_forecast_drift_state", {**whose, "state": state}, float(state == "unknown")) for state in STATES
        )
        return
    last = drift.points[-1]
    for state in STATES:
        yield "tft_dash_forecast_drift_state", {**whose, "state": state}, float(last.state == state)
    yield "tft_dash_forecast_judged", whose, float(last.forecasts)
    for metric, (share, count) in last.coverage.items():
        if share is not None:  # missing is no sample, never zero
            yield "tft_dash_forecast_band_coverage", {**whose, "metric": metric}, share
            yield "tft_dash_forecast_band_values", {**whose, "metric": metric}, float(count)
    for horizon, chance in last.chances.items():
        for field, family in _CHANCE_FIELDS.items():
            value = getattr(chance, field)
            if value is not None:
                yield family, {**whose, "horizon": horizon}, float(value)


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(round(value, 9)) if not value.is_integer() else str(int(value))
