"""The axis that a preview's figures share: time since the start of the drill, with the phases' borders."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from tft_dash.components import duration
from tft_dash.figures.plot import Numbers, label, numbers, small
from tft_dash.previews import Preview
from tft_dash.schema import FloatArray
from tft_dash.theme import Theme

POINTS: Final = 360
MARGIN: Final = {"l": 44, "r": 12, "t": 16, "b": 24}
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MARKS: Final = 6
_NARROWEST_NAMED: Final = 0.09


def whole(preview: Preview) -> float:
    """Seconds from the first tick to the end of the last."""
    return float(len(preview.seconds) * preview.tick_seconds) or 1.0


def time_axis(preview: Preview, theme: Theme) -> dict[str, Any]:
    """The axis, with round times in words."""
    length = whole(preview)
    step = next((step for step in _STEPS if length / step <= _MARKS), math.ceil(length / _MARKS / 86400) * 86400)
    marks = [place * step for place in range(int(length / step) + 1)]
    return {
        "range": [0, length],
        "fixedrange": True,
        "tickvals": marks,
        "ticktext": [duration(mark, length) for mark in marks],
        "tickfont": small(theme),
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
    }


def share_axis(theme: Theme) -> dict[str, Any]:
    """A vertical axis of 0–100 %."""
    return {
        "range": [0, 1.04],
        "fixedrange": True,
        "tickvals": [0, 0.5, 1],
        "tickformat": ".0%",
        "tickfont": small(theme),
        "ticklabelstandoff": 4,
        "gridcolor": theme.grid,
        "zeroline": False,
    }


def every(preview: Preview) -> int:
    """So many ticks make one point."""
    return max(1, math.ceil(len(preview.seconds) / POINTS))


def times(preview: Preview) -> dict[str, float]:
    """Where a line's points lie."""
    return {"x0": 0, "dx": round(preview.tick_seconds * every(preview), 6)}


def points(preview: Preview, values: FloatArray, decimals: int) -> Numbers:
    """(ticks,) values as a line's points, each the highest of its ticks, so that no peak is lost."""
    step = every(preview)
    if step > 1:
        values = np.fmax.reduceat(values, np.arange(0, len(values), step))
    return numbers(values, decimals)


def borders(preview: Preview, theme: Theme) -> list[dict[str, Any]]:
    """A line wherever a phase begins."""
    line = {"color": theme.control, "width": 1, "dash": "2px,3px"}
    starts = [phase.first * preview.tick_seconds for phase in preview.phases if phase.first > 0]
    return [
        {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line}
        for at in starts
    ]


def phase_names(preview: Preview, theme: Theme) -> list[dict[str, Any]]:
    """The names of the phases that are wide enough, above the plot."""
    ticks = max(len(preview.seconds), 1)
    note = {"xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "font": small(theme)}
    return [
        {**note, "x": phase.first * preview.tick_seconds, "text": label(phase.name, 14)}
        for phase in preview.phases
        if (phase.last + 1 - phase.first) / ticks >= _NARROWEST_NAMED
    ]
