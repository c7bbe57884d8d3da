"""How well forecasts held over time: coverage of the bands by metric, and what was said beside what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tft_dash.figures.plot import Figure, base_layout, small
from tft_dash.schema import METRIC
from tft_dash.theme import BODY, Theme

if TYPE_CHECKING:
    from tft_dash.watching.watch import Drift

RIGHT: Final = 0.8
"""An honest 80 % band holds so much."""
DASHES: Final = ("solid", "7px,3px", "2px,3px", "9px,3px,2px,3px")
"""One for each metric, so that no line is told by its colour alone."""
_MARGIN: Final = {"l": 48, "r": 12, "t": 30, "b": 30}


def coverage(drift: Drift, limits: tuple[float, float], theme: Theme) -> Figure:
    """The share of values within the 80 % band, a line for each metric.

    :param limits: outside of these the bands are called too narrow or too wide.
    """
    names = [name for name in METRIC if any(_share(point.coverage, name) is not None for point in drift.points)]
    lines = [
        _line(drift, [_share(point.coverage, name) for point in drift.points], METRIC[name].label, theme.series, dash)
        for name, dash in zip(names, DASHES, strict=False)
    ]
    allowed = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": limits[0], "y1": limits[1], "layer": "below"}
    shapes = [
        {**allowed, "line": {"width": 0}, "fillcolor": theme.band_tint["green"]},
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": RIGHT, "y1": RIGHT, "layer": "below",
         "line": {"color": theme.control, "width": 1}},
    ]  # fmt: skip
    layout = _layout(drift, bool(lines), theme, shapes=shapes, showlegend=True)
    layout["yaxis"] |= {"range": [0, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"}
    return {"data": lines, "layout": layout}


def chances(drift: Drift, horizon: str, colour: str, theme: Theme) -> Figure:
    """What was said on average, and how often it happened.

    :param horizon: ``30m`` or ``8h``.
    :param colour: of what was said, as the horizon has it elsewhere.
    """
    told = [{str(name): one for name, one in point.chances.items()}.get(horizon) for point in drift.points]
    said = [None if one is None else one.said for one in told]
    happened = [None if one is None else one.happened for one in told]
    lines = [
        _line(drift, said, "said", colour, "solid"),
        _line(drift, happened, "happened", theme.text, "2px,3px"),
    ]
    there = any(value is not None for value in said)
    layout = _layout(drift, there, theme, showlegend=True)
    top = max([value for value in (*said, *happened) if value is not None], default=0.0)
    layout["yaxis"] |= {"range": [0, max(1.15 * top, 0.01)], "nticks": 5, "tickformat": ".1~%"}
    return {"data": lines if there else [], "layout": layout}


def _share(found: Mapping[str, tuple[float | None, int]], name: str) -> float | None:
    share = found.get(name, (None, 0))[0]
    return None if share is None else round(share, 4)


def _line(drift: Drift, values: Sequence[float | None], name: str, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if len(drift.points) > 2 else "lines+markers",
        "name": name,
        "x": times(drift),
        "y": [None if value is None else round(value, 5) for value in values],
        "connectgaps": False,
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"size": 4},
        "hovertemplate": f"{name} %{{y:.1%}}<br>%{{x|%-d %b %Y %H:%M}} UTC<extra></extra>",
    }


def times(drift: Drift) -> list[str]:
    """When each window ended."""
    start = np.datetime64(drift.start, "s")
    return [str(start + np.timedelta64(round(point.tick * drift.step_seconds), "s")) for point in drift.points]


def _layout(drift: Drift, there: bool, theme: Theme, **parts: Any) -> dict[str, Any]:  # noqa: ANN401
    note = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False, "font": {"size": BODY}}
    began = [
        {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
         "line": {"color": theme.critical_line, "width": 1.5, "dash": "7px,3px"}}
        for x in _begins(drift)
    ]  # fmt: skip
    axis = {"fixedrange": True, "tickfont": small(theme), "ticklabelstandoff": 4, "zeroline": False}
    return base_layout(
        theme,
        **{**parts, "shapes": [*parts.get("shapes", ()), *began]},
        margin=_MARGIN,
        dragmode=False,
        hovermode="closest",
        annotations=[] if there else [{**note, "text": "nothing was judged yet"}],
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": small(theme), "itemclick": False,
                "itemdoubleclick": False},
        xaxis={**axis, "type": "date", "showgrid": False, "nticks": 6},
        yaxis={**axis, "gridcolor": theme.grid},
    )  # fmt: skip


def _begins(drift: Drift) -> list[str]:
    """When drift began, each time."""
    found, was = [], ""
    for time, point in zip(times(drift), drift.points, strict=True):
        if point.state == "drifting" and was != "drifting":
            found.append(time)
        was = point.state
    return found
