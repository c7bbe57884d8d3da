"""How long before an incident its alarm came: caught incidents by their lead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from tft_dash.figures.plot import Figure, base_layout, small
from tft_dash.theme import BODY, Theme

STEP: Final = 10
"""Minutes that a bar stands for."""
LAST: Final = 120
"""Leads from so many minutes on share the last bar."""

_MARGIN: Final = {"l": 48, "r": 12, "t": 26, "b": 40}


def figure(leads: Sequence[float], theme: Theme) -> Figure:
    """The whole figure.

    :param leads: minutes, one for each caught incident.
    """
    known = [lead for lead in leads if math.isfinite(lead)]
    bars = counts(known)
    places = [STEP * (place + 0.5) for place in range(len(bars))]
    words = [f"{_span(place)} before: {count:,} of {len(known):,}" for place, count in enumerate(bars)]
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": places,
            "y": bars,
            "width": STEP * 0.92,
            "marker": {"color": theme.series},
            "text": words,
            "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]
    return {"data": data, "layout": _layout(known, theme)}


def counts(leads: Sequence[float]) -> list[int]:
    """How many leads fall on each bar; those beyond :data:`LAST` on the last one."""
    bars = [0] * (LAST // STEP + 1)
    for lead in leads:
        bars[min(max(int(lead // STEP), 0), len(bars) - 1)] += 1
    return bars


def _span(place: int) -> str:
    return f"{STEP * place} min or more" if STEP * place >= LAST else f"{STEP * place} to {STEP * (place + 1)} min"


def _layout(leads: Sequence[float], theme: Theme) -> dict[str, Any]:
    note = {"yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "font": {"size": BODY}}
    notes = [{**note, "xref": "paper", "x": 0.5, "y": 0.5, "text": "no incident was caught"}]
    lines = []
    if leads:
        middle = min(float(median(leads)), LAST + STEP)
        anchor = "left" if middle < LAST / 2 else "right"
        font = {"size": BODY, "color": theme.text, "weight": 600}
        notes = [{**note, "x": middle, "xanchor": anchor, "font": font, "text": f"median {median(leads):.0f} min"}]
        stroke = {"color": theme.text, "width": 1.5, "dash": "7px,3px"}
        lines = [{"type": "line", "x0": middle, "x1": middle, "yref": "paper", "y0": 0, "y1": 1, "line": stroke}]
    axis = {"fixedrange": True, "tickfont": small(theme), "ticklabelstandoff": 4, "zeroline": False}
    title = {"font": small(theme), "standoff": 2}
    marks = list(range(0, LAST + 1, 30))
    return base_layout(
        theme,
        margin=_MARGIN,
        dragmode=False,
        hovermode="closest",
        shapes=lines,
        annotations=notes,
        xaxis={
            **axis,
            "range": [0, LAST + STEP],
            "showgrid": False,
            "tickvals": marks,
            "ticktext": [f"{mark}+" if mark == LAST else str(mark) for mark in marks],
            "title": {**title, "text": "minutes from the alarm to the incident"},
        },
        yaxis={
            **axis,
            "rangemode": "tozero",
            "nticks": 5,
            "tickformat": ",d",
            "gridcolor": theme.grid,
            "title": {**title, "text": "incidents"},
        },
    )
