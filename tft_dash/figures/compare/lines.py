"""Both sides' incident probability on one clock: A solid, B dashed, named at their ends, and nothing of the future.

The browser has the whole lines and draws them up to the cursor; :func:`marks` says how far, and what stands there.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tft_dash.comparing import Comparison
from tft_dash.figures.compare.elapsed import HORIZONS, axis_of, highest, pair_of
from tft_dash.figures.plot import Figure, Numbers, base_layout, chance, numbers, small
from tft_dash.schema import HEALTH_BANDS, FloatArray
from tft_dash.theme import BODY, Theme

NAME: Final = "lines"

_DECIMALS: Final = 4
_RIGHT: Final = 64
_LABEL_GAP: Final = 0.1
_A, _B, _CURSOR, _ENDS, _LABELS = range(5)
_NAMES: Final = ("A", "B")


def figure(comparison: Comparison, horizon: str, theme: Theme) -> Figure:
    """The figure with both lines whole, and nothing at the cursor."""
    axis = axis_of(comparison)
    colours = [theme.accent, theme.warning_line]
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "connectgaps": False, **axis.trace}
    lines = [
        {**line, "y": _points(values, axis.bucket), "name": name, "hovertemplate": "%{y:.1%}"}
        for name, values in zip(_NAMES, pair_of(comparison, horizon), strict=True)
    ]
    lines[_A]["line"] = {"color": colours[_A], "width": 3}
    lines[_B]["line"] = {"color": colours[_B], "width": 2.25, "dash": "6px,4px"}
    rule = {"color": theme.control, "width": 1}
    loose: dict[str, Any] = {"type": "scatter", "hoverinfo": "skip", "cliponaxis": False}
    fonts = {"color": colours, "size": BODY, "weight": 600}
    cursor = {**loose, "mode": "lines", "x": [], "y": [], "line": rule}
    ends = {**loose, "mode": "markers", "x": [], "y": [], "marker": {"color": colours, "size": 7}}
    labels = {**loose, "mode": "text", "x": [], "y": [], "textposition": "middle right", "textfont": fonts}
    return {"data": [*lines, cursor, ends, labels], "layout": _layout(comparison, horizon, theme)}


def marks(comparison: Comparison, horizon: str, instant: int) -> dict[str, Any]:
    """What is to be seen at an instant.

    :returns: ``opened``, how many points of each line are complete; ``open``, trace → the point after them; ``parts``,
        trace → what of it stands at the cursor; ``axis``, what changes of the vertical axis.
    """
    axis = axis_of(comparison)
    opened = instant // axis.bucket
    seen = slice(opened * axis.bucket, instant + 1)
    pair = pair_of(comparison, horizon)
    points = [_points(values[seen], axis.bucket)[0] for values in pair]
    now = [float(values[instant]) for values in pair]
    at, both = [axis.place(instant)] * 2, numbers(np.array(now), _DECIMALS)
    texts = ["" if np.isnan(value) else f"  {name} {chance(value)}" for name, value in zip(_NAMES, now, strict=True)]
    parts = {
        _CURSOR: {"x": at, "y": [0, 1]},
        _ENDS: {"x": at, "y": both},
        _LABELS: {"x": at, "y": _apart(both), "text": texts},
    }
    return {"opened": opened, "open": dict(enumerate(points)), "parts": parts, "axis": {}}


def _points(values: FloatArray, bucket: int) -> Numbers:
    return numbers(highest(values, bucket), _DECIMALS)


def _apart(values: Numbers) -> Numbers:
    """Where the two names stand, so that they never cover each other; equal lines have A's above."""
    first, second = values
    if first is None or second is None or abs(first - second) >= _LABEL_GAP:
        return values
    half = _LABEL_GAP / 2
    middle = min(max((first + second) / 2, half), 1 - half)
    up, down = round(middle + half, _DECIMALS), round(middle - half, _DECIMALS)
    return [up, down] if first >= second else [down, up]


def _layout(comparison: Comparison, horizon: str, theme: Theme) -> dict[str, Any]:
    bounds = [band.upper for band in HEALTH_BANDS]
    return base_layout(
        theme,
        uirevision=f"lines {horizon}",
        margin={"l": 44, "r": _RIGHT, "t": 6, "b": 28},
        dragmode=False,
        hovermode="x unified",
        xaxis=axis_of(comparison).axis(theme),
        yaxis={
            "range": [0, 1.04],
            "fixedrange": True,
            "tickvals": [0, *bounds],
            "tickformat": ".0%",
            "tickfont": small(theme),
            "ticklabelstandoff": 4,
            "gridcolor": theme.grid,
            "zeroline": False,
            "title": {"text": f"within {HORIZONS[horizon]}", "font": small(theme), "standoff": 0},
        },
    )
