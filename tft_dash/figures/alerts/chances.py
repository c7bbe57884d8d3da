"""The fleet's probabilities around one problem, as issued, with marks where its alerts fired and were over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tft_dash.figures.alerts.marks import trace
from tft_dash.figures.plot import Figure, base_layout, noted, numbers, small
from tft_dash.frame import AlertMark
from tft_dash.schema import FloatArray
from tft_dash.theme import Theme

_MARKS_AT = 1.04


def figure(
    times: NDArray[np.int64], prob_30m: FloatArray, prob_8h: FloatArray, marks: Sequence[AlertMark], theme: Theme
) -> Figure:
    """The whole figure; a note in its place where nothing is on record any more.

    :param times: (points,) milliseconds since 1970.
    """
    if not len(times):
        return noted("nothing is kept of that time any more", theme)
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "connectgaps": False, "x": times.tolist()}
    lines = [
        {**line, "name": "within 8 h", "y": numbers(prob_8h, 4), "hovertemplate": "%{y:.1%}",
         "line": {"color": theme.prob_8h, "width": 1.75, "dash": "6px,3px"}},
        {**line, "name": "within 30 min", "y": numbers(prob_30m, 4), "hovertemplate": "%{y:.1%}",
         "line": {"color": theme.prob_30m, "width": 2.5}},
    ]  # fmt: skip
    return {"data": [*lines, trace(marks, theme, height=_MARKS_AT)], "layout": _layout(theme)}


def _layout(theme: Theme) -> dict[str, Any]:
    return base_layout(
        theme,
        margin={"l": 44, "r": 12, "t": 28, "b": 36},
        dragmode="zoom",
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": small(theme)},
        xaxis={"type": "date", "tickfont": small(theme), "showgrid": False, "zeroline": False, "nticks": 6,
               "tickangle": 0, "title": {"text": "UTC", "font": small(theme), "standoff": 2}},
        yaxis={"range": [0, 1.09], "fixedrange": True, "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%",
               "tickfont": small(theme), "gridcolor": theme.grid, "zeroline": False},
    )  # fmt: skip
