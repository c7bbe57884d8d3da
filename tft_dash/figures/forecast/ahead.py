"""Past and future of one server on one axis around "now": chance, each forecast metric, and attention to the past.

Rows: the chance of turning critical, one row for each metric with a forecast, and the attention. Every row has a fixed
number of traces, so that a tick changes data alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from dash import Patch

from tft_dash.figures.ago import AgoAxis
from tft_dash.figures.forecast.timing import about
from tft_dash.figures.lines import RISK, Row, in_words, scale, share_of, titles
from tft_dash.figures.plot import Figure, Numbers, base_layout, chance, numbers, small
from tft_dash.frame import Frame, ServerForecast, ServerTrace
from tft_dash.schema import METRIC, METRICS, THRESHOLDS, FloatArray
from tft_dash.theme import BODY, Theme

HOURS: Final = 8
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
"""The quantiles drawn: the band's edges, and the line in it."""

_PAST, _LOW, _HIGH, _MEDIAN, _MARK, _WARNING, _CRITICAL = range(7)
_PER_METRIC: Final = 7
_CHANCE, _HORIZONS, _FIRST_METRIC = range(3)
_TICKS: Final = 120
_LEFT: Final = 48
_RIGHT: Final = 16


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is drawn: the metrics with a forecast that the source has, and the axis of their past."""

    frame: Frame
    trace: ServerTrace
    forecast: ServerForecast

    @property
    def metrics(self) -> list[str]:
        return [one.name for one in METRICS if one.name in self.forecast.quantiles and one.name in self.trace.metrics]

    @property
    def past(self) -> AgoAxis:
        step = self.frame.source.step_seconds
        return AgoAxis(min(_TICKS, int(HOURS * 3600 / step) + 1), step)

    @property
    def hours(self) -> list[float]:
        """Of the forecast's nodes, from now."""
        found: list[float] = (self.forecast.minutes.astype(np.float64) / 60).round(4).tolist()
        return found

    def quantile(self, metric: str, level: float) -> FloatArray:
        place = int(np.argmin(np.abs(np.array(self.forecast.levels) - level)))
        return self.forecast.quantiles[metric][:, place]


def figure(frame: Frame, trace: ServerTrace, forecast: ServerForecast, theme: Theme) -> Figure:
    """The whole figure."""
    scene = _Scene(frame, trace, forecast)
    traces = _chance_row(scene, theme)
    for place, metric in enumerate(scene.metrics, 1):
        traces += _metric_row(scene, metric, f"y{place + 1}", theme)
    traces.append(_attention_row(scene, f"y{len(scene.metrics) + 2}", theme))
    for place, parts in _dynamic(scene).items():
        for name, value in parts.items():
            _assign(traces[place], name, value)
    return {"data": traces, "layout": _layout(scene, theme)}


def patch(frame: Frame, trace: ServerTrace, forecast: ServerForecast) -> Patch:
    """The data of a later tick, for the same server, source and model."""
    change = Patch()
    for place, parts in _dynamic(_Scene(frame, trace, forecast)).items():
        for name, value in parts.items():
            _assign(change["data"][place], name, value)
    return change


def _assign(trace: Any, name: str, value: Any) -> None:  # noqa: ANN401 - a trace or a patch of one
    *path, last = name.split(".")
    for part in path:
        trace = trace[part]
    trace[last] = value


def _dynamic(scene: _Scene) -> dict[int, dict[str, Any]]:
    """Trace → what of it changes from tick to tick; a dot in a name leads into a part of the trace."""
    forecast = scene.forecast
    soon, late = forecast.prob_30m, forecast.prob_8h
    change: dict[int, dict[str, Any]] = {
        _CHANCE: {"y": numbers(forecast.chance, 4)},
        _HORIZONS: {"y": numbers(np.array([soon, late]), 4), "text": [f" {chance(soon)}", f"{chance(late)} "]},
    }
    for row, metric in enumerate(scene.metrics):
        first = _FIRST_METRIC + _PER_METRIC * row
        change.update({first + place: parts for place, parts in _metric_values(scene, metric).items()})
    weights = forecast.attention / max(float(np.nanmax(forecast.attention, initial=0.0)), 1e-9)
    change[_FIRST_METRIC + _PER_METRIC * len(scene.metrics)] = {"y": numbers(weights, 3)}
    return change


def _metric_values(scene: _Scene, metric: str) -> dict[int, dict[str, Any]]:
    decimals = METRIC[metric].decimals
    low, middle, high = (numbers(scene.quantile(metric, level), decimals) for level in (LOW, MIDDLE, HIGH))
    return {
        _PAST: {"y": scene.past.values(scene.trace.metrics[metric], decimals)},
        _LOW: {"y": low},
        _HIGH: {"y": high},
        _MEDIAN: {"y": middle, "text": _hovers(metric, low, high)},
        _MARK: _mark(scene.forecast, metric),
    }


def _hovers(metric: str, low: Numbers, high: Numbers) -> list[str]:
    return [
        "" if one is None or two is None else f"8 in 10: {in_words(metric, one)} to {in_words(metric, two)}"
        for one, two in zip(low, high, strict=True)
    ]


def _mark(forecast: ServerForecast, metric: str) -> dict[str, Any]:
    """Where the median is first over the critical line; else where the band's upper edge is, drawn open."""
    crossing = forecast.crossings.get(metric)
    at = None if crossing is None else crossing.possible if crossing.likely is None else crossing.likely
    if crossing is None or at is None:
        return {"x": [], "y": [], "text": [], "textposition": "bottom right", "marker.symbol": "diamond"}
    likely = crossing.likely is not None
    symbol = "diamond" if likely else "diamond-open"
    text = f"{'likely' if likely else 'possibly'} in {about(at)}"
    place = "bottom right" if at < HOURS * 30 else "bottom left"
    return {
        "x": [round(at / 60, 4)],
        "y": [THRESHOLDS[metric].critical],
        "text": [text],
        "textposition": place,
        "marker.symbol": symbol,
    }


def _chance_row(scene: _Scene, theme: Theme) -> list[dict[str, Any]]:
    line: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": "chance by then",
        "x": scene.hours,
        "hovertemplate": "%{y:.0%} by then",
    }
    mark = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [0.5, HOURS],
        "marker": {"size": 8, "color": [theme.prob_30m, theme.prob_8h]},
        "textposition": ["bottom right", "top left"],
        "textfont": {"size": BODY, "color": [theme.prob_30m, theme.prob_8h], "weight": 600},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    return [{**line, "line": {"color": theme.series, "width": 2}}, mark]


def _metric_row(scene: _Scene, metric: str, axis: str, theme: Theme) -> list[dict[str, Any]]:
    base: dict[str, Any] = {"type": "scatter", "mode": "lines", "yaxis": axis, "hoverinfo": "skip"}
    ahead = scene.hours
    shares = metric == "error_rate"
    value = f"%{{y:{'.1%' if shares else ',.4~g'}}} {'' if shares else METRIC[metric].unit}".strip()
    past = scene.past
    start = {"x0": round(-past.span_seconds / 3600, 6), "dx": round(past.step_seconds / 3600, 8)}
    told = {**base, "hoverinfo": "all", "name": METRIC[metric].label}
    limits = THRESHOLDS[metric]
    return [
        {**told, **start, "line": {"color": theme.series, "width": 2}, "hovertemplate": value},
        {**base, "x": ahead, "line": {"width": 0}},
        {**base, "x": ahead, "line": {"width": 0}, "fill": "tonexty", "fillcolor": _faint(theme.series)},
        {**told, "x": ahead, "line": {"color": theme.series, "width": 2, "dash": "6px,3px"},
         "hovertemplate": f"median {value} (%{{text}})"},
        {**base, "mode": "markers+text", "cliponaxis": False,
         "marker": {"size": 9, "color": theme.critical_line, "line": {"color": theme.critical_line, "width": 2}},
         "textfont": {"size": BODY, "color": theme.critical_line, "weight": 600}},
        {**base, **_level(limits.warning), "line": {"color": theme.warning_line, "width": 1, "dash": "2px,3px"}},
        {**base, **_level(limits.critical), "line": {"color": theme.critical_line, "width": 1, "dash": "7px,3px"}},
    ]  # fmt: skip


def _level(height: float) -> dict[str, Any]:
    return {"x": [-HOURS, HOURS], "y": [height, height]}


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"


def _attention_row(scene: _Scene, axis: str, theme: Theme) -> dict[str, Any]:
    step = scene.forecast.step_minutes / 60
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "attention",
        "yaxis": axis,
        "x0": round(-(len(scene.forecast.attention) - 1) * step, 6),
        "dx": round(step, 8),
        "line": {"color": theme.control, "width": 1, "shape": "hvh"},
        "fill": "tozeroy",
        "fillcolor": _faint(theme.series),
        "hovertemplate": "%{y:.0%} of the most",
    }


def _layout(scene: _Scene, theme: Theme) -> dict[str, Any]:
    metrics: Mapping[str, str] = {name: METRIC[name].label for name in scene.metrics}
    there = np.zeros(1, np.float32)
    rows = [Row(RISK, "Chance by then", there)]
    rows += [Row(name, title, there) for name, title in metrics.items()]
    layout = base_layout(
        theme, margin={"l": _LEFT, "r": _RIGHT, "t": 18, "b": 24}, dragmode=False, hovermode="x unified"
    )
    slots = len(rows) + 1
    words = []
    for place, row in enumerate(rows):
        layout[f"yaxis{place + 1 if place else ''}"] = {**scale(row, theme), "domain": share_of(place, slots)}
        words += titles(row, share_of(place, slots), theme, right=_RIGHT)
    last = share_of(slots - 1, slots)
    hidden = {"domain": last, "range": [0, 1.05], "fixedrange": True, "showticklabels": False, "showgrid": False}
    layout[f"yaxis{slots}"] = {**hidden, "zeroline": False}
    words += titles(Row(RISK, "Where it looked in the past: attention, not cause", there), last, theme)
    stroke = {"color": theme.control, "width": 1}
    now = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": stroke}
    return {**layout, "annotations": words, "shapes": [now], "xaxis": _hours(theme, slots)}


def _hours(theme: Theme, slots: int) -> dict[str, Any]:
    places = list(range(-HOURS, HOURS + 1, 2))
    names = [f"−{-place} h" if place < 0 else f"+{place} h" if place else "now" for place in places]
    return {
        "range": [-HOURS, HOURS * 1.01],
        "fixedrange": True,
        "anchor": f"y{slots}",
        "tickvals": places,
        "ticktext": names,
        "tickfont": small(theme),
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
        "unifiedhovertitle": {"text": "%{x:+.2~f} h"},
    }
