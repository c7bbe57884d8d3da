"""Rows of lines on one axis "ago": what the rolling metrics and a server's own panel are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from dash import Patch

from tft_dash.figures.ago import AgoAxis
from tft_dash.figures.plot import Figure, base_layout, percent, small
from tft_dash.schema import METRIC, THRESHOLDS, FloatArray, readable
from tft_dash.theme import BODY, Theme

RISK: Final = "risk"

_SHARES: Final = (RISK, "error_rate")
_TITLE_PX: Final = 18
_LEFT: Final = 48
_RIGHT: Final = 78


@dataclass(frozen=True, slots=True)
class Row:
    """One line.

    :param metric: a metric's name, or :data:`RISK`.
    :param values: the history, oldest first, the last one now; None when the source does not have the metric.
    """

    metric: str
    title: str
    values: FloatArray | None


def figure_of(rows: Sequence[Row], ago: AgoAxis, theme: Theme, *, slots: int | None = None) -> Figure:
    """The rows below each other; row ``n`` has its line at ``data[2 n]`` and its value in words at ``data[2 n + 1]``.

    The warning and critical lines follow after all rows.

    :param slots: how many rows the height is divided into, when that is more than there are.
    """
    margin = {"l": _LEFT, "r": _RIGHT, "t": _TITLE_PX, "b": 24}
    layout = base_layout(theme, margin=margin, dragmode="zoom", hovermode="x unified", hoversubplots="axis")
    traces: list[dict[str, Any]] = []
    limits: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        number = str(place + 1) if place else ""
        domain = share_of(place, slots or len(rows))
        layout[f"yaxis{number}"] = {**scale(row, theme), "domain": domain}
        traces += [_line(row, f"y{number}", ago, theme), _value(f"y{number}", theme)]
        limits += _limits(row, f"y{number}", ago, theme)
        words += titles(row, domain, theme)
    for place, parts in _dynamic(rows, ago).items():
        traces[place].update(parts)
    last = str(len(rows)) if len(rows) > 1 else ""
    return {
        "data": [*traces, *limits],
        "layout": {**layout, "annotations": words, "xaxis": {**ago.axis(theme), "anchor": f"y{last}"}},
    }


def patch_of(rows: Sequence[Row], ago: AgoAxis) -> Patch:
    """The data of all rows."""
    change = Patch()
    for place, parts in _dynamic(rows, ago).items():
        for name, value in parts.items():
            change["data"][place][name] = value
    return change


def in_words(metric: str, value: float) -> str:
    """A value with its unit; ``no value`` for a missing one."""
    if np.isnan(value):
        return "no value"
    if metric in _SHARES:
        return percent(value) if value == 0 or value >= 0.1 else f"{100 * value:.1f}%"
    unit = METRIC[metric].unit
    return f"{readable(value)}{'' if unit == '%' else ' '}{unit}"


def _dynamic(rows: Sequence[Row], ago: AgoAxis) -> dict[int, dict[str, Any]]:
    change: dict[int, dict[str, Any]] = {}
    for place, row in enumerate(rows):
        if row.values is None:
            continue
        decimals = 3 if row.metric == RISK else METRIC[row.metric].decimals
        window = ago.values(row.values, decimals)
        height = next((value for value in reversed(window) if value is not None), _middle(row.metric))
        change[2 * place] = {"y": window}
        change[2 * place + 1] = {"y": [height], "text": [f" {in_words(row.metric, float(row.values[-1]))}"]}
    return change


def _middle(metric: str) -> float:
    """A height near the middle of a row without values."""
    return THRESHOLDS[metric].critical / 2 if metric in THRESHOLDS else 0.5


def share_of(place: int, slots: int) -> list[float]:
    """A row's share of the height; what lies between two rows is for the lower one's title."""
    gap = min(0.1, 0.36 / slots)
    height = (1 + gap) / slots - gap
    top = 1 - place * (height + gap)
    return [round(max(top - height, 0), 4), round(top, 4)]


def _line(row: Row, axis: str, ago: AgoAxis, theme: Theme) -> dict[str, Any]:
    shares = row.metric in _SHARES
    unit = "" if shares else METRIC[row.metric].unit
    return {
        "type": "scatter",
        "mode": "lines",
        "name": row.title,
        "yaxis": axis,
        "y": [],
        "line": {"color": theme.prob_30m if row.metric == RISK else theme.series, "width": 2},
        "hovertemplate": f"%{{y:{'.1%' if shares else ',.4~g'}}} {unit}".strip(),
        **ago.trace,
    }


def _value(axis: str, theme: Theme) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "yaxis": axis,
        "x": [0],
        "y": [],
        "text": [],
        "textposition": "middle right",
        "textfont": {"size": BODY, "color": theme.text, "weight": 600},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _limits(row: Row, axis: str, ago: AgoAxis, theme: Theme) -> list[dict[str, Any]]:
    threshold = THRESHOLDS.get(row.metric)
    if threshold is None or row.values is None:
        return []
    kinds = ((threshold.warning, theme.warning_line, "2px,3px"), (threshold.critical, theme.critical_line, "7px,3px"))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "yaxis": axis,
            "x": [ago.trace["x0"], 0],
            "y": [height, height],
            "line": {"color": colour, "width": 1, "dash": dash},
            "hoverinfo": "skip",
        }
        for height, colour, dash in kinds
    ]


def scale(row: Row, theme: Theme) -> dict[str, Any]:
    """A row's vertical axis."""
    axis: dict[str, Any] = {
        "fixedrange": True,
        "nticks": 4,
        "tickfont": small(theme),
        "gridcolor": theme.grid,
        "ticklabelstandoff": 4,
        "zeroline": False,
        "rangemode": "tozero",
    }
    if row.values is None:
        return {**axis, "showticklabels": False, "showgrid": False, "range": [0, 1]}
    if row.metric == RISK:
        return {**axis, "range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
    if METRIC[row.metric].unit == "%":
        return {**axis, "range": [0, 104], "tickvals": [0, 50, 100], "ticktext": ["0%", "50%", "100%"]}
    if row.metric in _SHARES:
        return {**axis, "tickformat": ".0%"}
    return {**axis, "tickformat": "~s"}


def titles(row: Row, domain: list[float], theme: Theme, *, right: int = _RIGHT) -> list[dict[str, Any]]:
    """A row's name, and what its warning and critical lines stand for.

    :param right: px of the figure's margin at that side.
    """
    note = {"xref": "paper", "yref": "paper", "showarrow": False, "y": domain[1], "yanchor": "bottom"}
    left = {**note, "x": 0, "xanchor": "left", "xshift": 0}
    end = {**note, "x": 1, "xanchor": "right", "xshift": right - 8}
    words = [{**left, "text": row.title, "font": {"size": BODY, "color": theme.text, "weight": 600}}]
    threshold = THRESHOLDS.get(row.metric)
    if row.values is None:
        middle = {**note, "x": 0.5, "y": sum(domain) / 2, "yanchor": "middle", "font": {"size": BODY}}
        words.append({**middle, "text": "not recorded by this source"})
    elif threshold is not None:
        warning, critical = (in_words(row.metric, value) for value in (threshold.warning, threshold.critical))
        parts = ((theme.warning_line, "warning", warning), (theme.critical_line, "critical", critical))
        text = "   ".join(f'<span style="color:{colour}">{word} {value}</span>' for colour, word, value in parts)
        words.append({**end, "text": text, "font": small(theme)})
    return words
