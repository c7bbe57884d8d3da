"""Incident probability over the whole recording: two lines, the phases, and nothing of the future.

The time axis is fixed, so a tick only appends. A recording of more than :data:`POINTS` ticks is drawn in buckets of
equally many ticks, each at the highest value in it, so that no peak is lost. Of a live source the last ticks are drawn,
at most so many as its history has: a window that moves, whose axis follows the values until the reader zooms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from dash import Patch, html

from tft_dash import components, ids
from tft_dash.figures.alerts import marks
from tft_dash.figures.plot import Figure, Numbers, base_layout, chance, graph, label, numbers, small
from tft_dash.frame import Frame
from tft_dash.schema import HEALTH_BANDS, FloatArray
from tft_dash.theme import BODY, Theme

NAME: Final = "trend"
POINTS: Final = 2000
GONE_AT_MOST: Final = 50
"""A page that lacks more ticks of a moving window gets the whole lines."""

_DECIMALS: Final = 4
_RIGHT: Final = 84
_LABEL_GAP: Final = 0.1
_NARROWEST_NAMED: Final = 0.05
_NAMES_AT: Final = 1.085
_LETTER_PX: Final = 6
_PHONE_PLOT_PX: Final = 230
_PROB_8H, _PROB_30M, _MARKS, _LABELS = range(4)
_ALERTS: Final = 6
"""Behind the names of the phases; a live source alone has them."""
_ALERTS_AT: Final = 1.02
_HORIZONS: Final = {_PROB_8H: "8h", _PROB_30M: "30m"}

Parts = Callable[[Numbers], dict[str, list[Any]]]


def layout() -> html.Section:
    """The card that holds the figure."""
    legend = html.Div([_key("30 min", "prob-30m"), _key("8 h", "prob-8h")], className="keys")
    return components.card("Incident probability", legend, graph(ids.MONITOR_TREND, zoom=True), name=NAME)


def figure(frame: Frame, theme: Theme) -> Figure:
    """The whole figure, drawn up to the frame's tick."""
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "connectgaps": False, **_time(frame)}
    hover = "%{y:.1%}" if frame.record is None else "%{y:.1%}%{text}"
    colours = [theme.prob_8h, theme.prob_30m]
    traces: list[dict[str, Any]] = [
        {**line, "name": "within 8 h", "hovertemplate": hover},
        {**line, "name": "within 30 min", "hovertemplate": hover},
        {"type": "scatter", "mode": "markers", "marker": {"color": colours, "size": 7}},
        {"type": "scatter", "mode": "text", "textposition": "middle right"},
    ]
    traces[_PROB_8H]["line"] = {"color": theme.prob_8h, "width": 1.75, "dash": "6px,3px"}
    traces[_PROB_30M]["line"] = {"color": theme.prob_30m, "width": 2.5}
    traces[_LABELS]["textfont"] = {"color": colours, "size": BODY, "weight": 600}
    for place in (_MARKS, _LABELS):
        traces[place].update(hoverinfo="skip", cliponaxis=False)
    for place, values in _lines(frame).items():
        traces[place].update(_values(frame, place, _points(values, 0, _bucket(frame))))
    for place, parts in _ends(frame).items():
        traces[place].update(parts)
    alerts = [marks.trace(frame.marks, theme, height=_ALERTS_AT)] if frame.source.live else []
    return {"data": [*traces, *_phase_names(frame, theme), *alerts], "layout": _layout(frame, theme)}


def patch(frame: Frame, since: int) -> Patch | None:
    """The points after tick ``since``; the whole lines where the page is ahead of the frame, or far behind."""
    change = Patch()
    for place, values in _lines(frame).items():
        line, points_of = change["data"][place], partial(_values, frame, place)
        if frame.source.live:
            _move_on(line, frame, values, since, points_of)
        else:
            _continue(line, values, since, _bucket(frame), points_of)
    for place, parts in _ends(frame).items():
        for name, value in parts.items():
            change["data"][place][name] = value
    if frame.source.live:
        for name, told in marks.points(frame.marks, height=_ALERTS_AT).items():
            change["data"][_ALERTS][name] = told
        for name, look in marks.looks(frame.marks).items():
            change["data"][_ALERTS]["marker"][name] = look
    return change


def _move_on(trace: Patch, frame: Frame, values: FloatArray, since: int, parts: Parts) -> None:
    """The line of a live source: what has left the window at its old end is taken away, what is new is added."""
    first = frame.history.first
    window = len(values) if first else since + 1
    gone = first - max(0, since + 1 - window)
    if since > frame.tick or since < first or gone > GONE_AT_MOST:
        for name, whole in parts(_points(values, 0, 1)).items():
            trace[name] = whole
    else:
        for name, fresh in parts(_points(values, since + 1 - first, 1)).items():
            for _ in range(gone):
                del trace[name][0]
            if fresh:
                trace[name].extend(fresh)
    trace["x0"] = _time(frame)["x0"]


def _continue(trace: Patch, values: FloatArray, since: int, bucket: int, parts: Parts) -> None:
    if since >= len(values):
        for name, whole in parts(_points(values, 0, bucket)).items():
            trace[name] = whole
        return
    opened = (since + 1) // bucket
    for name, fresh in parts(_points(values, opened, bucket)).items():
        rest = fresh
        if (since + 1) % bucket and fresh:
            trace[name][opened] = fresh[0]
            rest = fresh[1:]
        if rest:
            trace[name].extend(rest)


def _values(frame: Frame, place: int, points: Numbers) -> dict[str, list[Any]]:
    """A line's points, and the record of each where there is one."""
    if frame.record is None:
        return {"y": points}
    said = np.array([math.nan if point is None else point for point in points], np.float64)
    return {"y": points, "text": frame.record.told(_HORIZONS[place], said)}


def _lines(frame: Frame) -> dict[int, FloatArray]:
    return {_PROB_8H: frame.history.prob_8h, _PROB_30M: frame.history.prob_30m}


def _bucket(frame: Frame) -> int:
    return 1 if frame.source.live else _bucket_of(frame.source.ticks or frame.tick + 1)


def _bucket_of(ticks: int) -> int:
    return max(1, math.ceil(ticks / POINTS))


def _points(values: FloatArray, first: int, bucket: int) -> Numbers:
    rest = values[first * bucket :]
    if bucket > 1 and len(rest):
        rest = np.fmax.reduceat(rest, np.arange(0, len(rest), bucket))
    return numbers(rest, _DECIMALS)


def _time(frame: Frame) -> dict[str, float]:
    step = frame.source.step_seconds * 1000
    return {"x0": _milliseconds(frame.source.time_of(frame.history.first)), "dx": step * _bucket(frame)}


def _milliseconds(time: np.datetime64) -> int:
    return int(time.astype("datetime64[ms]").astype(np.int64))


def _ends(frame: Frame) -> dict[int, dict[str, Any]]:
    """Both values now, marked and labelled at the lines' ends; the labels never cover each other."""
    time = _time(frame)
    at = [time["x0"] + time["dx"] * ((frame.tick - frame.history.first) // _bucket(frame))] * 2
    both = numbers(np.array([frame.prob_8h, frame.prob_30m]), _DECIMALS)
    texts = [f"  {name} {chance(value)}" for name, value in (("8 h", frame.prob_8h), ("30 min", frame.prob_30m))]
    return {_MARKS: {"x": at, "y": both}, _LABELS: {"x": at, "y": _apart(both), "text": texts}}


def _apart(values: Numbers) -> Numbers:
    upper, lower = values
    if upper is None or lower is None or upper - lower >= _LABEL_GAP:
        return values
    middle = min(max((upper + lower) / 2, _LABEL_GAP / 2), 1 - _LABEL_GAP / 2)
    return [round(middle + _LABEL_GAP / 2, _DECIMALS), round(middle - _LABEL_GAP / 2, _DECIMALS)]


def _layout(frame: Frame, theme: Theme) -> dict[str, Any]:
    source = frame.source
    time: dict[str, Any] = {
        "type": "date",
        "ticklabelstandoff": 6,
        "tickfont": small(theme),
        "showgrid": False,
        "zeroline": False,
        "nticks": 6,
        "tickangle": 0,
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "solid",
        "spikecolor": theme.control,
    }
    if source.live:
        time["autorange"] = True
    elif source.ticks is not None:
        half = source.step_seconds * 500 if source.ticks == 1 else 0
        first, last = _milliseconds(source.start), _milliseconds(source.time_of(source.ticks - 1))
        time["range"] = [first - half, last + half]
    bounds = [band.upper for band in HEALTH_BANDS]
    return base_layout(
        theme,
        margin={"l": 44, "r": _RIGHT, "t": 4, "b": 42},
        dragmode="zoom",
        hovermode="x unified",
        xaxis=time,
        yaxis={
            "range": [0, _NAMES_AT + 0.055 if source.phases else 1.04],
            "fixedrange": True,
            "tickvals": [0, *bounds],
            "tickformat": ".0%",
            "tickfont": small(theme),
            "ticklabelstandoff": 4,
            "gridcolor": theme.grid,
            "zeroline": False,
        },
        shapes=[_boundary(frame, phase.first, theme) for phase in source.phases if phase.first > 0],
        annotations=[_note(frame, theme)],
    )


def _boundary(frame: Frame, tick: int, theme: Theme) -> dict[str, Any]:
    at = _milliseconds(frame.source.time_of(tick))
    line = {"color": theme.control, "width": 1, "dash": "2px,3px"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line}


def _phase_names(frame: Frame, theme: Theme) -> list[dict[str, Any]]:
    """The names above the plot, in two traces: those that fit on a phone, and those that its style sheet hides."""
    source = frame.source
    ticks = source.ticks or frame.tick + 1
    text = {"type": "scatter", "mode": "text", "hoverinfo": "skip", "textposition": "middle right", "cliponaxis": False}
    named = [(phase, label(phase.name, 16), (phase.last + 1 - phase.first) / ticks) for phase in source.phases]
    traces = []
    for uid, fits in (("phases-fit", True), ("phases-wide", False)):
        shown = [
            (phase, name)
            for phase, name, share in named
            if share >= _NARROWEST_NAMED and (len(name) * _LETTER_PX <= share * _PHONE_PLOT_PX) == fits
        ]
        places = {
            "x": [_milliseconds(source.time_of(phase.first)) for phase, _ in shown],
            "y": [_NAMES_AT] * len(shown),
        }
        traces.append(
            {**text, **places, "uid": uid, "text": [f" {name}" for _, name in shown], "textfont": small(theme)}
        )
    return traces


def _note(frame: Frame, theme: Theme) -> dict[str, Any]:
    bucket = _bucket(frame)
    text = "UTC" if bucket == 1 else f"each point is the highest of {bucket} ticks · UTC"
    if frame.history.thinned_before > frame.history.first:
        until = str(frame.source.time_of(frame.history.thinned_before).astype("datetime64[m]")).replace("T", " ")
        text = f"before {until} each step is the highest of the ticks that were thinned out · UTC"
    corner = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "xshift": _RIGHT - 16,
        "yref": "paper",
        "y": 0,
        "yshift": -40,
    }
    return {**corner, "yanchor": "bottom", "showarrow": False, "font": small(theme), "text": text}


def _key(horizon: str, name: str) -> html.Span:
    return html.Span(html.Span([html.Span("within ", className="desk-only"), horizon]), className=f"key key-{name}")
