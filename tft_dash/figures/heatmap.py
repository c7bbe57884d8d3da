"""Fleet risk heat map: every server is one cell, in fleet order, row by row, always in the same place.

Two heat-map traces lie on each other: grey cells of all servers below, the risks above, so that a server without a
risk stays visible, can be hovered and clicked. Both carry the server's number as ``customdata`` of the cell.
Colour is not alone: a small fleet has names and values written on, any fleet symbols on yellow and red cells.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from dash import Patch, html
from numpy.typing import NDArray

from tft_dash import components, ids
from tft_dash.figures.plot import Figure, base_layout, graph, hidden_axis, label, labels
from tft_dash.frame import Frame
from tft_dash.schema import HEALTH_BANDS, NO_STATE_WORD, STATES
from tft_dash.theme import BODY, SMALL, Theme

NAME: Final = "heatmap"
WRITTEN_ON: Final = 60
"""Up to so many servers have name and value written on their cells."""
SYMBOLS: Final = 100
"""At most so many symbols are drawn, the highest risks first."""

_YELLOW_ABOVE: Final = round(100 * HEALTH_BANDS[0].upper)
_RED_ABOVE: Final = round(100 * HEALTH_BANDS[1].upper)
_WIDTH_TO_HEIGHT: Final = 3.2
_CHARACTERS_ACROSS: Final = 120
_CHARACTERS_ACROSS_PHONE: Final = 54
_CELLS, _RISKS, _LABELS, _YELLOW, _RED = range(5)
_STATE_WORDS: Final = np.array([*(state.replace("_", " ") for state in STATES), NO_STATE_WORD], object)


def layout() -> html.Section:
    """The card that holds the figure."""
    legend = html.Div(
        [
            html.Span("0–30%", className="key key-green"),
            html.Span([components.icon("triangle"), "30–70%"], className="key key-yellow"),
            html.Span([components.icon("diamond"), "70–100%"], className="key key-red"),
            html.Span("no risk", className="key key-missing"),
        ],
        className="keys",
    )
    return components.card("Fleet risk", legend, graph(ids.MONITOR_HEATMAP, zoom=False), name=NAME)


def figure(frame: Frame, theme: Theme) -> Figure:
    """The whole figure."""
    grid = _Grid(len(frame.source.servers))
    names = [f"<b>{label(name, 60)}</b><br>{label(kind)}" for name, kind in _named(frame)]
    cells = {
        "type": "heatmap",
        "xgap": grid.gap,
        "ygap": grid.gap,
        "customdata": grid.rows_of(list(range(grid.count))),
        "hovertext": grid.rows_of(names),
        "showscale": False,
        "zmin": 0,
        "zmax": 100,
    }
    hover = "%{hovertext} · %{text}<br>"
    mark = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    text = {"type": "scatter", "mode": "text", "hoverinfo": "skip", "textposition": "middle center"}
    traces: list[dict[str, Any]] = [{} for _ in range(5)]
    traces[_CELLS] = {**cells, "z": grid.rows_of([0] * grid.count), "colorscale": _flat(theme.missing)}
    traces[_RISKS] = {**cells, "hoverongaps": False, "colorscale": _steps(theme)}
    traces[_CELLS]["hovertemplate"] = hover + "no risk<extra></extra>"
    traces[_RISKS]["hovertemplate"] = hover + "risk %{z}%<extra></extra>"
    traces[_LABELS] = {**text, **grid.places(), "textfont": {"size": SMALL, "color": theme.heat_text}}
    traces[_LABELS]["uid"] = "labels-fit" if _fits_phone(frame, grid) else "labels-wide"
    traces[_YELLOW] = {**mark, "marker": {"symbol": "triangle-up", "size": grid.symbol, "color": theme.heat_text}}
    traces[_RED] = {**mark, "marker": {"symbol": "diamond", "size": grid.symbol, "color": theme.heat_text}}
    for place, parts in _dynamic(frame, grid).items():
        traces[place].update(parts)
    return {"data": traces, "layout": _layout(grid, theme)}


def patch(frame: Frame, since: int) -> Patch | None:  # noqa: ARG001 - every cell is replaced, whatever was drawn
    """The risks, states and symbols of all cells."""
    change = Patch()
    for place, parts in _dynamic(frame, _Grid(len(frame.source.servers))).items():
        for name, value in parts.items():
            change["data"][place][name] = value
    return change


class _Grid:
    """Where the cells of ``count`` servers lie: row-major, in as few columns as read well."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.written_on = count <= WRITTEN_ON
        cell = 2.2 if self.written_on else 1.3
        about = math.ceil(math.sqrt(max(count, 1) * _WIDTH_TO_HEIGHT / cell))
        near = range(max(1, about - 1), about + 2)
        self.columns = min(near, key=lambda columns: (-count % columns, abs(columns - about)))
        self.rows = max(1, math.ceil(count / self.columns))
        self.gap = 4 if self.written_on else 2 if count <= 400 else 1
        self.value_size = 16 if count <= 24 else BODY
        self.symbol = 8 if self.written_on else 7 if count <= 400 else 5

    def rows_of(self, values: list[Any]) -> list[list[Any]]:
        """One value per server as rows of the grid; None where no server is."""
        filled = values + [None] * (self.rows * self.columns - self.count)
        return [filled[at : at + self.columns] for at in range(0, len(filled), self.columns)]

    def places(self) -> dict[str, list[float]]:
        """The centres of all cells."""
        return self.at(np.arange(self.count), 0.0, 0.0)

    def at(self, servers: NDArray[np.intp], across: float, down: float) -> dict[str, list[float]]:
        """The centres of some cells, moved by shares of a cell."""
        x, y = servers % self.columns + across, servers // self.columns + down
        return {"x": np.round(x, 2).tolist(), "y": np.round(y, 2).tolist()}


def _named(frame: Frame) -> zip[tuple[str, str]]:
    return zip(frame.source.servers, frame.source.profiles, strict=True)


def _names(frame: Frame, grid: _Grid) -> list[str]:
    return labels(frame.source.servers, max(4, _CHARACTERS_ACROSS // grid.columns))


def _fits_phone(frame: Frame, grid: _Grid) -> bool:
    """Whether the names fit their cells on a phone as well; the style sheet hides them there if not."""
    return max(map(len, _names(frame, grid)), default=0) * grid.columns <= _CHARACTERS_ACROSS_PHONE


def _labels(frame: Frame, grid: _Grid, risks: list[int | None]) -> list[str]:
    if not grid.written_on:
        return []
    style = f"font-size:{grid.value_size}px"
    shares = (
        _without(frame, place) if risk is None else f'<span style="{style}"><b>{risk}%</b></span>'
        for place, risk in enumerate(risks)
    )  # fmt: skip
    return [f"{share}<br>{name}" for share, name in zip(shares, _names(frame, grid), strict=True)]


def _without(frame: Frame, server: int) -> str:
    """What stands on the cell of a server without a risk."""
    silence = frame.silence_of(server)
    return "no risk" if silence is None else f"silent {components.span_words(silence)}"


def _state(frame: Frame, server: int, state: str) -> str:
    silence = frame.silence_of(server)
    return state if silence is None else f"{state}, last heard of {components.span_words(silence)} before"


def _dynamic(frame: Frame, grid: _Grid) -> dict[int, dict[str, Any]]:
    states = _STATE_WORDS[frame.states].tolist()
    whole = np.round(frame.risk * 100)
    risks = [None if math.isnan(value) else int(value) for value in whole.tolist()]
    change: dict[int, dict[str, Any]] = {
        _CELLS: {
            "text": grid.rows_of(
                [_state(frame, place, state) if risks[place] is None else None for place, state in enumerate(states)]
            )
        },
        _RISKS: {"z": grid.rows_of(risks), "text": grid.rows_of(states)},
        _LABELS: {"text": _labels(frame, grid, risks)},
    }
    shown = _highest(whole, SYMBOLS)
    across, down = (0.42, -0.3) if grid.written_on else (0.0, 0.0)
    change[_YELLOW] = grid.at(shown[whole[shown] <= _RED_ABOVE], across, down)
    change[_RED] = grid.at(shown[whole[shown] > _RED_ABOVE], across, down)
    return change


def _highest(whole: NDArray[Any], limit: int) -> NDArray[np.intp]:
    raised = np.flatnonzero(whole > _YELLOW_ABOVE)
    if len(raised) > limit:
        raised = np.sort(raised[np.argsort(-whole[raised], kind="stable")[:limit]])
    return raised


def _flat(colour: str) -> list[list[Any]]:
    return [[0, colour], [1, colour]]


def _steps(theme: Theme) -> list[list[Any]]:
    """Ten steps of ten percent; a step ends between two whole percents, so that 30 % is green and 31 % yellow."""
    edges = [0.0, *(round(0.1 * step + 0.005, 3) for step in range(1, len(theme.heat))), 1.0]
    return [[edge, colour] for place, colour in enumerate(theme.heat) for edge in edges[place : place + 2]]


def _layout(grid: _Grid, theme: Theme) -> dict[str, Any]:
    return base_layout(
        theme,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        dragmode=False,
        hovermode="closest",
        xaxis=hidden_axis(-0.5, grid.columns - 0.5),
        yaxis=hidden_axis(grid.rows - 0.5, -0.5),
    )
