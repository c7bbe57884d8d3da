"""One server's metrics over the whole recording, below each other on one time axis.

A long recording is drawn in spans of time: the mean as a line in a band from the smallest to the largest value, so
that a spike of one tick stays visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.figures.plot import Figure, base_layout, numbers, small
from tft_dash.schema import METRIC, FloatArray
from tft_dash.theme import BODY, Theme

BUCKETS: Final = 600
ROW_PX: Final = 96
_TITLE_PX: Final = 26
_BOTTOM_PX: Final = 32


@dataclass(frozen=True, slots=True)
class Course:
    """One server's recording.

    :param server: its name.
    :param start: time of tick 0, UTC.
    :param metrics: metric name → (ticks,), NaN = missing.
    """

    server: str
    start: np.datetime64
    step_seconds: float
    metrics: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Spans:
    """Values in spans of time; (spans,) each, NaN where a span holds none."""

    low: NDArray[np.float64]
    mean: NDArray[np.float64]
    high: NDArray[np.float64]


def spans_of(values: FloatArray, length: int) -> Spans:
    """Smallest, mean and largest value of every ``length`` ticks."""
    count = -(-len(values) // length)
    filled = np.full(count * length, np.nan)
    filled[: len(values)] = values
    parts = filled.reshape(count, length)
    known = np.sum(~np.isnan(parts), axis=1)
    mean = np.full(count, np.nan)
    np.divide(np.nansum(parts, axis=1), known, out=mean, where=known > 0)
    # fmin and fmax pass over missing values, and give NaN without a word where there is nothing else.
    return Spans(np.fmin.reduce(parts, axis=1), mean, np.fmax.reduce(parts, axis=1))


def length_of(ticks: int) -> int:
    """Ticks in a span: 1 for a recording that can be drawn as it is."""
    return max(1, -(-ticks // BUCKETS))


def height(metrics: int) -> int:
    """The figure's height in px."""
    return _BOTTOM_PX + max(metrics, 1) * (ROW_PX + _TITLE_PX)


def words(course: Course, tick: int | None) -> str:
    """What is drawn, and which instant is picked."""
    ticks = max((len(values) for values in course.metrics.values()), default=0)
    length = length_of(ticks)
    drawn = "every tick" if length == 1 else f"mean, smallest and largest of every {length:,} ticks"
    if tick is None:
        return f"{course.server}: {drawn}. A click on a line picks a time."
    time = _time(course, tick).replace("T", " ").removesuffix(".000")
    return f"{course.server} at {time} UTC: {drawn}."


def figure(course: Course, theme: Theme, *, tick: int | None = None) -> Figure:
    """The whole figure; ``customdata`` of a point is the tick with which its span begins.

    :param tick: an instant to mark, where the reader came from.
    """
    names = list(course.metrics)
    ticks = max((len(values) for values in course.metrics.values()), default=0)
    length = length_of(ticks)
    first_ticks = list(range(0, ticks, length))
    times = [_time(course, first) for first in first_ticks]
    traces: list[dict[str, Any]] = []
    total = height(len(names)) - _BOTTOM_PX
    layout = base_layout(
        theme,
        margin={"l": 52, "r": 12, "t": 0, "b": _BOTTOM_PX},
        height=height(len(names)),
        dragmode="zoom",
        hovermode="x unified",
        hoversubplots="axis",
    )
    words = []
    for place, name in enumerate(names):
        number = str(place + 1) if place else ""
        top = 1 - (place * (ROW_PX + _TITLE_PX) + _TITLE_PX) / total
        domain = [round(max(top - ROW_PX / total, 0), 5), round(top, 5)]
        layout[f"yaxis{number}"] = {**_scale(domain, theme), "tickformat": _ticks(name, course.metrics[name])}
        traces += _row(name, spans_of(course.metrics[name], length), f"y{number}", theme, banded=length > 1)
        words.append(_title(name, domain[1], theme))
    for trace in traces:
        trace.update(x=times, customdata=first_ticks)
    anchor = f"y{len(names)}" if len(names) > 1 else "y"
    layout["xaxis"] = {"type": "date", "anchor": anchor, "gridcolor": theme.grid, "tickfont": small(theme)}
    shapes = [] if tick is None else [_mark(_time(course, tick), theme)]
    return {"data": traces, "layout": {**layout, "annotations": words, "shapes": shapes}}


def _time(course: Course, tick: int) -> str:
    return str((course.start + np.timedelta64(round(tick * course.step_seconds * 1000), "ms")).astype("datetime64[ms]"))


def _row(name: str, spans: Spans, axis: str, theme: Theme, *, banded: bool) -> list[dict[str, Any]]:
    decimals = METRIC[name].decimals if name in METRIC else 4
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "mean" if banded else _label(name),
        "yaxis": axis,
        "y": numbers(spans.mean, decimals),
        "line": {"color": theme.series, "width": 1.6},
        "hovertemplate": "%{y:,.4~g}" + _unit(name),
        "connectgaps": False,
    }
    if not banded:
        return [line]
    edge = {
        "type": "scatter",
        "mode": "lines",
        "yaxis": axis,
        "line": {"width": 0, "color": theme.series},
        "hovertemplate": "%{y:,.4~g}" + _unit(name),
    }
    low = {**edge, "name": "smallest", "y": numbers(spans.low, decimals)}
    fill = {"fill": "tonexty", "fillcolor": f"{theme.series}38"}
    return [low, {**edge, **fill, "name": "largest", "y": numbers(spans.high, decimals)}, line]


def _label(name: str) -> str:
    return METRIC[name].label if name in METRIC else name


def _unit(name: str) -> str:
    unit = METRIC[name].unit if name in METRIC else ""
    return f" {unit}".rstrip()


def _title(name: str, top: float, theme: Theme) -> dict[str, Any]:
    unit = METRIC[name].unit if name in METRIC else ""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "text": f"{_label(name)} ({unit})" if unit else _label(name),
        "font": {"size": BODY, "color": theme.text, "weight": 600},
    }


def _scale(domain: list[float], theme: Theme) -> dict[str, Any]:
    return {
        "domain": domain,
        "fixedrange": True,
        "nticks": 4,
        "tickfont": small(theme),
        "gridcolor": theme.grid,
        "ticklabelstandoff": 4,
        "zeroline": False,
    }


def _ticks(name: str, values: FloatArray) -> str:
    """How an axis writes its numbers: shares in percent, thousands short, all else as it is."""
    if name == "error_rate":
        return "~%"
    highest = float(np.fmax.reduce(values, initial=np.nan)) if len(values) else np.nan
    return "~s" if highest >= 1000 else "~f"


def _mark(time: str, theme: Theme) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": time,
        "x1": time,
        "y0": 0,
        "y1": 1,
        "line": {"color": theme.accent, "width": 1.5, "dash": "4px,3px"},
    }
