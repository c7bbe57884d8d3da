"""Top 5 problem servers: five rows of fixed height, ranked by risk, each a name, a bar on 0–1 and its reasons."""

from __future__ import annotations

from typing import Any, Final

from dash import Patch, html

from tft_dash import components, ids
from tft_dash.figures.plot import Figure, base_layout, graph, hidden_axis, label, percent, small, state_of
from tft_dash.frame import Frame
from tft_dash.schema import RISK_BANDS, Band, band_of
from tft_dash.theme import BODY, Theme

NAME: Final = "top"
ROWS: Final = 5

_BAR: Final = 0.14
_GAP: Final = 0.05
_TRACK, _NAMES, _VALUES, _NOTES, _ROWS, _FIRST_BAND = range(6)
"""Traces; from ``_FIRST_BAND`` on follow the bars, one for each of ``RISK_BANDS``, so that a tick sends no colours."""
_NOBODY: Final = "No server has a risk at this tick."


def layout() -> html.Section:
    """The card that holds the figure."""
    return components.card(
        "Top 5 problem servers", "Select one for details", graph(ids.MONITOR_TOP, zoom=False), name=NAME
    )


def figure(frame: Frame, theme: Theme) -> Figure:
    """The whole figure. Unseen rows, which catch the pointer, carry the server's number as ``customdata``."""
    rows = list(range(ROWS))
    bar = {"type": "bar", "orientation": "h", "y": rows, "width": _BAR, "hoverinfo": "skip"}
    text = {"type": "scatter", "mode": "text", "hoverinfo": "skip", "cliponaxis": False}
    above, below = [row - _BAR / 2 - _GAP for row in rows], [row + _BAR / 2 + _GAP for row in rows]
    strong = {"size": BODY + 1, "color": theme.text}
    traces: list[dict[str, Any]] = [{} for _ in range(_FIRST_BAND + len(RISK_BANDS))]
    traces[_TRACK] = {**bar, "x": [1] * ROWS, "marker": {"color": theme.sunken}}
    for place, band in enumerate(RISK_BANDS, _FIRST_BAND):
        traces[place] = {**bar, "name": band.word, "marker": {"color": theme.band_fill[band.name]}}
    traces[_NAMES] = {**text, "x": [0] * ROWS, "y": above, "textposition": "top right", "textfont": strong}
    traces[_VALUES] = {**text, "x": [1] * ROWS, "y": above, "textposition": "top left", "textfont": strong}
    traces[_NOTES] = {**text, "x": [0] * ROWS, "y": below, "textposition": "bottom right", "textfont": small(theme)}
    traces[_ROWS] = {
        **bar,
        "width": 1,
        "opacity": 0,
        "hoverinfo": "text",
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    for place, parts in _dynamic(frame).items():
        traces[place].update(parts)
    return {"data": traces, "layout": _layout(theme)}


def patch(frame: Frame, since: int) -> Patch | None:  # noqa: ARG001 - every row is replaced, whatever was drawn
    """The data of all five rows."""
    change = Patch()
    for place, parts in _dynamic(frame).items():
        for name, value in parts.items():
            change["data"][place][name] = value
    return change


def _dynamic(frame: Frame) -> dict[int, dict[str, Any]]:
    top = frame.ranking[:ROWS]
    names = [f"<b>{label(frame.source.servers[server], 30)}</b>" for server in top]
    risks = [float(frame.risk[server]) for server in top]
    return {
        _NAMES: {"text": _padded(names or [_NOBODY], "")},
        _VALUES: {"text": _padded([_value(frame, server) for server in top], "")},
        _NOTES: {"text": _padded([_note(frame, server) for server in top], "")},
        _ROWS: {
            "x": _padded([1] * len(top), None),
            "customdata": _padded(list(top), None),
            "hovertext": _padded([_hover(frame, server) for server in top], ""),
        },
        **{place: {"x": _padded(_within(risks, band), None)} for place, band in enumerate(RISK_BANDS, _FIRST_BAND)},
    }


def _within(risks: list[float], band: Band) -> list[float | None]:
    """The risks of one band, each in its row."""
    return [round(risk, 3) if band_of(risk, RISK_BANDS) is band else None for risk in risks]


def _padded(values: list[Any], filler: object) -> list[Any]:
    return values + [filler] * (ROWS - len(values))


def _value(frame: Frame, server: int) -> str:
    risk = float(frame.risk[server])
    return f"{band_of(risk, RISK_BANDS).word}  <b>{percent(risk)}</b>"


def _about(frame: Frame, server: int) -> str:
    return f"{label(frame.source.profiles[server], 14)} · {state_of(frame, server)}"


def _reasons(frame: Frame, server: int) -> list[str]:
    return [label(driver.words, 80) for driver in frame.drivers(server)] or ["nothing unusual"]


def _note(frame: Frame, server: int) -> str:
    return f"{_about(frame, server)} · {_reasons(frame, server)[0]}"


def _hover(frame: Frame, server: int) -> str:
    name = label(frame.source.servers[server], 60)
    head = f"<b>{name}</b><br>{_about(frame, server)} · risk {percent(float(frame.risk[server]))}"
    return "<br>".join([head, *_reasons(frame, server)])


def _layout(theme: Theme) -> dict[str, Any]:
    bounds = [0.0, *(band.upper for band in RISK_BANDS)]
    return base_layout(
        theme,
        margin={"l": 16, "r": 20, "t": 0, "b": 22},
        barmode="overlay",
        bargap=0,
        dragmode=False,
        hovermode="closest",
        xaxis={
            "range": [0, 1],
            "fixedrange": True,
            "tickvals": bounds,
            "tickformat": ".0%",
            "tickfont": small(theme),
            "ticklabelstandoff": 2,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis=hidden_axis(ROWS - 0.5, -0.5),
    )
