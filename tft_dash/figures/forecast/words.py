"""A forecast in words: how likely trouble is, what may be over its line and when, and how far that can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from dash import html

from tft_dash import components
from tft_dash.figures.forecast.timing import about, nearest, when
from tft_dash.figures.lines import in_words
from tft_dash.figures.models.values import record
from tft_dash.figures.plot import chance, percent
from tft_dash.frame import ServerForecast, ServerTrace
from tft_dash.schema import METRIC, METRICS, THRESHOLDS

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence, ReliabilityBin

SURE: Final = 0.95
"""Below so large a share of the values looked at, the forecast is said to be less certain."""
SPIKES: Final = "The chance counts short crossings too, which the bands at single times do not show."
SPIKES_FROM: Final = 0.3
"""From so high a chance on, bands that cross no line would look like a contradiction."""
LOOKED: Final = 5
"""So many of the things that were read are named, those with the largest weights."""

_OTHERS: Final = {"hour": "the hour of the day", "missing": "what is missing"}


def told(forecast: ServerForecast, trace: ServerTrace, evidence: Evidence | None) -> list[Any]:
    """Everything that is said of the forecast above its figure."""
    if math.isnan(forecast.prob_30m) and math.isnan(forecast.prob_8h):
        return [html.P(_nothing(trace), className="forecast-note")]
    listed = crossings(forecast, trace)
    time = when(forecast)
    if time:
        listed.insert(0, html.Li(html.Strong(time)))
    parts = [_chances(forecast, evidence), html.Ul(listed, className="forecast-crossings")]
    return [*parts, *_confidence(forecast)]


def crossings(forecast: ServerForecast, trace: ServerTrace) -> list[html.Li]:
    """One item for each metric that is, or may come, over its critical line; soonest first."""
    found: list[tuple[float, Any]] = []
    for metric in METRICS:
        crossing = forecast.crossings.get(metric.name)
        if crossing is None or metric.name not in trace.metrics:
            continue
        line = in_words(metric.name, THRESHOLDS[metric.name].critical)
        now = trace.metrics[metric.name]
        if len(now) and now[-1] > THRESHOLDS[metric.name].critical:
            found.append((-1.0, [html.Strong(metric.label), f" is over {line} now"]))
        elif crossing.likely is not None:
            words = f" likely over {line} in about {about(crossing.likely)} (median)"
            found.append((crossing.likely, [html.Strong(metric.label), words]))
        elif crossing.possible is not None:
            words = f" possibly over {line} in about {about(crossing.possible)} (a chance of one in ten)"
            found.append((1e4 + crossing.possible, [html.Strong(metric.label), words]))
    if not found:
        parts = [f"No metric's band reaches its critical line within {about(float(forecast.minutes[-1]))}."]
        parts.append(nearest(forecast, [name for name in forecast.quantiles if name in trace.metrics]))
        parts.append(SPIKES if forecast.prob_8h >= SPIKES_FROM else "")
        return [html.Li(" ".join(filter(None, parts)))]
    return [html.Li(words) for _, words in sorted(found, key=lambda one: one[0])]


def looked_at(forecast: ServerForecast) -> list[Any]:
    """What the model read, by its weight, and where in the past; worded as attention."""
    weights = sorted(forecast.selection.items(), key=lambda one: -one[1])
    weights = [(name, weight) for name, weight in weights if math.isfinite(weight)][:LOOKED]
    if not weights:
        return []
    top = weights[0][1] or 1.0
    items = [html.Li([html.Span(_read(name), className="looked-name"), _bar(weight, top)]) for name, weight in weights]
    return [
        html.H3("What it looked at", className="forecast-title"),
        html.Ul(items, className="looked"),
        html.P(f"{_recent(forecast)}Weights of attention within the model; they are no causes.", className="quiet"),
    ]


def _chances(forecast: ServerForecast, evidence: Evidence | None) -> html.Dl:
    rows: list[Any] = []
    for key, name, value in (
        ("30m", "Critical within 30 min", forecast.prob_30m),
        ("8h", "Critical within 8 h", forecast.prob_8h),
    ):
        words = record(_bins(evidence, key), value)
        note = [html.Dd(f"{words[0].upper()}{words[1:]}.", className="forecast-record")] if words else []
        rows.append(html.Div([html.Dt(name), html.Dd(chance(value), className=f"forecast-{key}"), *note]))
    return html.Dl(rows, className="forecast-chances")


def _bins(evidence: Evidence | None, horizon: str) -> Sequence[ReliabilityBin]:
    if evidence is None:
        return ()
    measured = {str(name): one for name, one in evidence.horizons.items()}.get(horizon)
    scores = measured.models.get(evidence.model) if measured is not None else None
    return () if scores is None else scores.reliability


def _confidence(forecast: ServerForecast) -> list[Any]:
    if not forecast.confidence < SURE:
        return []
    whole = about(len(forecast.attention) * forecast.step_minutes)
    words = f"Only {percent(forecast.confidence)} of the values of the last {whole} were there: less certain."
    return [html.P([components.icon("info"), words], className="forecast-note")]


def _nothing(trace: ServerTrace) -> str:
    if all(not len(values) or np.isnan(values[-1]) for values in trace.metrics.values()):
        return "No forecast: this server reports nothing at the moment."
    return "No forecast yet: there is too little history of this server."


def _read(name: str) -> str:
    return METRIC[name].label if name in METRIC else _OTHERS.get(name, name)


def _bar(weight: float, top: float) -> html.Span:
    style = {"width": f"{100 * weight / top:.0f}%"}
    return html.Span(
        [html.Span(className="looked-bar", style=style), html.Span(percent(weight), className="looked-value")],
        className="looked-weight",
    )


def _recent(forecast: ServerForecast) -> str:
    """How much of the attention lay on the last hour."""
    weights = np.nan_to_num(forecast.attention.astype(np.float64))
    whole = float(weights.sum())
    last = round(60 / forecast.step_minutes)
    if not whole > 0 or last >= len(weights):
        return ""
    return f"{percent(float(weights[-last:].sum()) / whole)} of its attention to the past lay on the last hour. "
