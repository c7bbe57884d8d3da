"""How the forecasts for recordings have held, as samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tft_dash.api.metrics.exposition import Family, Sample
from tft_dash.watching.watch import Drift

STATES: Final = ("fine", "drifting", "unknown")

FAMILIES: Final[Mapping[str, Family]] = {
    "tft_dash_forecast_watch_ready": Family("Whether the forecasts for a source have been held against what happened."),
    "tft_dash_forecast_judged": Family("Forecasts whose bands were judged in the last window."),
    "tft_dash_forecast_drift_state": Family("1 for the state of the forecasts for a source: fine, drifting, unknown."),
    "tft_dash_forecast_band_coverage": Family("Share of the values within the 80 % band in the last window."),
    "tft_dash_forecast_band_values": Family("Values that the bands were held against."),
    "tft_dash_forecast_calibration_rows": Family("Probabilities that were judged in the last window."),
    "tft_dash_forecast_calibration_said": Family("What they said on average."),
    "tft_dash_forecast_calibration_happened": Family("How often it happened."),
    "tft_dash_forecast_calibration_error": Family("Expected calibration error over twenty bins."),
    "tft_dash_forecast_calibration_brier": Family("Brier score."),
    "tft_dash_forecast_calibration_brier_skill": Family("Against always saying how often it happened in the window."),
    "tft_dash_forecast_incidents_announced": Family("Incidents that the probabilities add up to."),
    "tft_dash_forecast_incidents": Family("Incidents that there were."),
}
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


def forecast_samples(watched: Sequence[tuple[str, Drift | None]]) -> Iterator[Sample]:
    """The samples of these sources, each with its watch; None = it is not made yet."""
    for source, drift in watched:
        yield Sample("tft_dash_forecast_watch_ready", {"source": source}, float(drift is not None))
        if drift is not None:
            yield from _of_watch(source, drift)


def _of_watch(source: str, drift: Drift) -> Iterator[Sample]:
    whose = {"source": source, "model": drift.model, "version": drift.version}
    last = drift.points[-1] if drift.points else None
    now = "unknown" if last is None else last.state
    for state in STATES:
        yield Sample("tft_dash_forecast_drift_state", {**whose, "state": state}, float(state == now))
    if last is None:
        return
    yield Sample("tft_dash_forecast_judged", whose, float(last.forecasts))
    for metric, (share, count) in last.coverage.items():
        if share is not None:
            yield Sample("tft_dash_forecast_band_coverage", {**whose, "metric": metric}, share)
            yield Sample("tft_dash_forecast_band_values", {**whose, "metric": metric}, float(count))
    for horizon, chance in last.chances.items():
        for field, family in _CHANCE_FIELDS.items():
            value = getattr(chance, field)
            if value is not None:
                yield Sample(family, {**whose, "horizon": horizon}, float(value))
