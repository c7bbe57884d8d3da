"""Said against happened: a point on the diagonal kept its word. Below it, how many cases each point stands on.

The counts have a scale of powers of ten: most cases of most models lie in the lowest bin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tft_dash.figures.models.values import between, cases, known
from tft_dash.figures.plot import Figure, base_layout, small
from tft_dash.theme import BODY, Theme

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import ReliabilityBin

FEW: Final = 30
"""A point of fewer cases is drawn open: its share may be chance."""

RANGES_NAMED: Final = 10
"""So many ranges have their name below their bar; of more, every second one or fewer."""

_DIAGRAM: Final = [0.42, 1.0]
_COUNTS: Final = [0.0, 0.18]
_NOTE: Final = {"xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
_MARGIN: Final = {"l": 48, "r": 12, "t": 8, "b": 24}


def figure(bins: Sequence[ReliabilityBin], colour: str, theme: Theme) -> Figure:
    """The whole figure; without a single case it says so.

    :param colour: of the points, as the horizon has it elsewhere.
    """
    told = [one for one in bins if one.count > 0 and known(one.happened[0]) is not None and known(one.said) is not None]
    layout = _layout(told, theme)
    if not told:
        layout["annotations"] = [
            {**_NOTE, "x": 0.5, "y": 0.67, "font": {"size": BODY}, "text": "no forecast was measured"}
        ]
    return {"data": [_diagonal(theme), _band(told, colour), _points(told, colour, theme), _counts(told, theme)],
            "layout": layout}  # fmt: skip


def _diagonal(theme: Theme) -> dict[str, Any]:
    line = {"color": theme.control, "width": 1, "dash": "2px,3px"}
    return {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "line": line, "hoverinfo": "skip"}


def _band(bins: Sequence[ReliabilityBin], colour: str) -> dict[str, Any]:
    """Between the interval's bounds, where both are known."""
    told = [one for one in bins if known(one.happened[1]) is not None and known(one.happened[2]) is not None]
    across = [round(one.said, 4) for one in told]
    low, high = ([one.happened[place] for one in told] for place in (1, 2))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*across, *reversed(across)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": _faint(colour),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


def _points(bins: Sequence[ReliabilityBin], colour: str, theme: Theme) -> dict[str, Any]:
    fills = [colour if one.count >= FEW else theme.surface for one in bins]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [round(one.said, 4) for one in bins],
        "y": [one.happened[0] for one in bins],
        "line": {"color": colour, "width": 2},
        "marker": {"size": 8, "color": fills, "line": {"color": colour, "width": 2}},
        "text": [_hover(one) for one in bins],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hover(one: ReliabilityBin) -> str:
    happened, low, high = (known(value) for value in one.happened)
    words = f"said {one.low:.0%} to {one.high:.0%}, {one.said:.1%} on average<br>happened in {happened or 0:.1%}"
    if low is not None and high is not None:
        words += f" ({low:.1%} to {high:.1%})"
    return f"{words} of {cases(one.count)}" + (", too few to tell" if one.count < FEW else "")


def _counts(bins: Sequence[ReliabilityBin], theme: Theme) -> dict[str, Any]:
    """One bar for each range, equally wide: the lowest ranges are narrow and hold the most."""
    return {
        "type": "bar",
        "xaxis": "x2",
        "yaxis": "y2",
        "x": list(range(len(bins))),
        "width": 0.8,
        "y": [one.count for one in bins],
        "marker": {"color": theme.series},
        "text": [_short(one.count) for one in bins],
        "textposition": "outside",
        "textangle": 0,
        "textfont": small(theme),
        "cliponaxis": False,
        "hovertext": [f"said {between(one.low, one.high)}: {cases(one.count)}" for one in bins],
        "hoverinfo": "text",
    }


def _short(count: int) -> str:
    """A count in at most four letters."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            shown = count / size
            return f"{shown:.1f}{letter}" if shown < 9.95 else f"{shown:.0f}{letter}"
    return str(count)


def _layout(bins: Sequence[ReliabilityBin], theme: Theme) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "fixedrange": True,
        "tickfont": small(theme),
        "ticklabelstandoff": 4,
        "gridcolor": theme.grid,
        "zeroline": False,
    }
    share = {**axis, "range": [-0.02, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"}
    title = {"font": small(theme), "standoff": 2}
    names = [f"{100 * one.low:.3g}+" if one.high == 1 else between(one.low, one.high)[:-1] for one in bins]
    every = max(1, math.ceil(len(bins) / RANGES_NAMED))
    top = math.log10(max((one.count for one in bins), default=1))
    words = {**_NOTE, "x": 0, "xanchor": "left", "y": _COUNTS[1], "yshift": 17, "font": small(theme)}
    return base_layout(
        theme,
        margin=_MARGIN,
        dragmode=False,
        hovermode="closest",
        annotations=[{**words, "text": "cases in each range of what was said, in percent"}],
        xaxis={**share, "anchor": "y", "title": {**title, "text": "said"}},
        yaxis={**share, "domain": _DIAGRAM, "title": {**title, "text": "happened"}},
        xaxis2={
            **axis,
            "anchor": "y2",
            "range": [-0.6, len(bins) - 0.4],
            "tickvals": list(range(0, len(bins), every)),
            "ticktext": names[::every],
            "tickangle": 0,
            "showgrid": False,
        },
        yaxis2={**axis, "type": "log", "domain": _COUNTS, "range": [-0.3, top + 0.2], "visible": False},
    )
