"""What every Plotly figure shares: its base layout, its component, and how values become plain JSON."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from dash import dcc
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.frame import Frame
from tft_dash.schema import state_word
from tft_dash.theme import BODY, FONT, SMALL, Theme

Figure = dict[str, Any]
"""A figure as plain values: ``{"data": […], "layout": {…}}``."""

Numbers = list[float | None]

TRANSPARENT: Final = "rgba(0,0,0,0)"
_TIME_UNITS: Final = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0))


def numbers(values: NDArray[Any], decimals: int) -> Numbers:
    """A plain list, rounded; None where the value is missing, which Plotly draws as a gap."""
    rounded = np.round(np.asarray(values, np.float64), decimals).tolist()
    return [None if math.isnan(value) else value for value in rounded]


def label(text: str, limit: int = 28) -> str:
    """A name fit for Plotly's text, which reads a part of HTML: shortened and escaped."""
    return html.escape(shorten(text, limit), quote=False)


def labels(texts: Sequence[str], limit: int) -> list[str]:
    """Names for narrow places, each a :func:`label`: cut at the end if that keeps them apart, else in the middle."""
    heads = [text if len(text) <= limit else f"{text[: limit - 1]}…" for text in texts]
    if len(set(heads)) == len(set(texts)):
        return [label(head, limit) for head in heads]
    return [label(text, limit) for text in texts]


def state_of(frame: Frame, server: int) -> str:
    """A server's state in words."""
    return state_word(int(frame.states[server])).replace("_", " ")


def percent(value: float) -> str:
    """A share in whole percent."""
    return f"{100 * value:.0f}%"


def chance(value: float) -> str:
    """A probability in whole percent that is never called impossible or certain; a dash for a missing one."""
    if np.isnan(value):
        return "—"
    return "<1%" if value < 0.005 else ">99%" if value > 0.995 else percent(value)


def base_layout(theme: Theme, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a Plotly layout
    """A layout without surprises: fixed margins, no legend, and a view that outlives new data."""
    return {
        "uirevision": "keep",
        "autosize": True,
        "showlegend": False,
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
        "font": {"family": FONT, "size": BODY, "color": theme.muted},
        "hoverlabel": {
            "bgcolor": theme.surface,
            "bordercolor": theme.control,
            "font": {"family": FONT, "size": BODY, "color": theme.text},
            "align": "left",
            "namelength": -1,
        },
        "modebar": {"bgcolor": TRANSPARENT, "color": theme.muted, "activecolor": theme.text, "orientation": "h"},
        **parts,
    }


def blank(theme: Theme) -> Figure:
    """A figure that shows nothing."""
    hidden = {"visible": False, "fixedrange": True}
    return {"data": [], "layout": base_layout(theme, xaxis=hidden, yaxis=hidden)}


def noted(text: str, theme: Theme) -> Figure:
    """A figure that shows nothing, with words in its place."""
    empty = blank(theme)
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    empty["layout"]["annotations"] = [{**place, "text": text}]
    return empty


def hidden_axis(low: float, high: float) -> dict[str, Any]:
    """An axis that only places things."""
    return {"range": [low, high], "visible": False, "fixedrange": True}


def small(theme: Theme, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a Plotly font
    """The font of axis labels and notes."""
    return {"family": FONT, "size": SMALL, "color": theme.muted, **parts}


def graph(component_id: str, *, zoom: bool) -> dcc.Graph:
    """The component that draws a figure; it fills its container, whose height is fixed by the style sheet.

    :param zoom: whether the reader may zoom in time; a button resets it.
    """
    config = {
        "displaylogo": False,
        "displayModeBar": "hover" if zoom else False,
        "modeBarButtons": [["resetScale2d"]],
        "doubleClick": "reset",
        "scrollZoom": False,
        "showTips": False,
    }
    empty = {
        "data": [],
        "layout": {
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "xaxis": {"visible": False},
            "yaxis": {"visible": False},
        },
    }
    return dcc.Graph(id=component_id, figure=empty, config=config, responsive=True, className="plot")


def time_unit(span_seconds: float) -> tuple[str, float]:
    """Name and seconds of the unit for an axis of that length: the largest of which it holds at least two."""
    fitting = [unit for unit in _TIME_UNITS if span_seconds >= 2 * unit[1]]
    return fitting[-1] if fitting else _TIME_UNITS[0]
