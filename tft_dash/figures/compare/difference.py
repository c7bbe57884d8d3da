"""B minus A in percentage points around a zero line, up to the cursor."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tft_dash.comparing import Comparison, greatest
from tft_dash.figures.compare.elapsed import axis_of, difference_of, furthest
from tft_dash.figures.compare.words import signed
from tft_dash.figures.plot import Figure, Numbers, base_layout, numbers, small
from tft_dash.schema import FloatArray
from tft_dash.theme import BODY, Theme

NAME: Final = "difference"

_DECIMALS: Final = 2
_RIGHT: Final = 64
_LIMITS: Final = (2, 4, 10, 20, 40, 60, 100)
_TRACE, _CURSOR, _ENDS, _LABELS = range(4)


def figure(comparison: Comparison, horizon: str, theme: Theme) -> Figure:
    """The figure with the whole trace, and nothing at the cursor."""
    axis = axis_of(comparison)
    loose: dict[str, Any] = {"type": "scatter", "hoverinfo": "skip", "cliponaxis": False, "x": [], "y": []}
    trace = {
        "type": "scatter",
        "mode": "lines",
        "connectgaps": False,
        **axis.trace,
        "y": _points(difference_of(comparison, horizon), axis.bucket),
        "name": "B − A",
        "hovertemplate": "%{y:+.1f} points",
        "line": {"color": theme.series, "width": 2},
    }
    font = {"color": theme.text, "size": BODY, "weight": 600}
    cursor = {**loose, "mode": "lines", "line": {"color": theme.control, "width": 1}}
    ends = {**loose, "mode": "markers", "marker": {"color": theme.series, "size": 7}}
    labels = {**loose, "mode": "text", "textposition": "middle right", "textfont": font}
    return {"data": [trace, cursor, ends, labels], "layout": _layout(comparison, horizon, theme)}


def marks(comparison: Comparison, horizon: str, instant: int) -> dict[str, Any]:
    """What is to be seen at an instant, as :func:`tft_dash.figures.compare.lines.marks` has it.

    The axis grows in steps with the greatest difference so far.
    """
    axis = axis_of(comparison)
    opened = instant // axis.bucket
    difference = difference_of(comparison, horizon)
    now = float(difference[instant])
    peak = greatest(difference[: instant + 1])
    limit = _limit(0.0 if peak is None else abs(peak.difference))
    at = axis.place(instant)
    parts = {
        _CURSOR: {"x": [at, at], "y": [-limit, limit]},
        _ENDS: {"x": [at], "y": numbers(np.array([100 * now]), _DECIMALS)},
        _LABELS: {"x": [at], "y": numbers(np.array([100 * now]), _DECIMALS), "text": [_label(now)]},
    }
    points = _points(difference[opened * axis.bucket : instant + 1], axis.bucket)
    return {"opened": opened, "open": {_TRACE: points[0]}, "parts": parts, "axis": _scale(limit)}


def _points(values: FloatArray, bucket: int) -> Numbers:
    return numbers(100 * furthest(values, bucket).astype(np.float64), _DECIMALS)


def _limit(size: float) -> float:
    return next((limit for limit in _LIMITS if 100 * size <= 0.9 * limit), 110)


def _scale(limit: float) -> dict[str, Any]:
    places = [-limit, -limit / 2, 0, limit / 2, limit]
    return {"range": [-limit, limit], "tickvals": places, "ticktext": [_points_word(place) for place in places]}


def _points_word(place: float) -> str:
    return f"{'+' if place > 0 else '−'}{abs(place):g}" if place else "0"


def _label(value: float) -> str:
    return "" if np.isnan(value) else f"  {signed(value)}"


def _layout(comparison: Comparison, horizon: str, theme: Theme) -> dict[str, Any]:
    return base_layout(
        theme,
        uirevision=f"difference {horizon}",
        margin={"l": 44, "r": _RIGHT, "t": 6, "b": 28},
        dragmode=False,
        hovermode="x unified",
        xaxis=axis_of(comparison).axis(theme),
        yaxis={
            **_scale(_LIMITS[0]),
            "fixedrange": True,
            "tickfont": small(theme),
            "ticklabelstandoff": 4,
            "gridcolor": theme.grid,
            "zeroline": True,
            "zerolinecolor": theme.control,
            "zerolinewidth": 1.5,
        },
    )
