"""What an alarm costs and brings: recall and precision over false alarms per server and week, for every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tft_dash.figures.models.values import known
from tft_dash.figures.plot import Figure, base_layout, percent, small
from tft_dash.theme import BODY, Theme

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import AlarmPoint, Alarms

ALLOWED: Final = 1.0
"""False alarms per server and week that the chosen threshold keeps to."""

_WIDEST: Final = 5.0
_MARGIN: Final = {"l": 48, "r": 76, "t": 26, "b": 40}


def figure(own: Alarms | None, other: Alarms | None, theme: Theme) -> Figure:
    """The whole figure.

    :param own: the model's alarms; None or without a curve = nothing was measured.
    :param other: the reference's, of which only the recall is drawn.
    """
    curve = _ordered(own.curve if own is not None else ())
    beside = _ordered(other.curve if other is not None else ())
    data = [
        _line(curve, "recall", "recall", {"color": theme.series, "width": 2.5}),
        _line(curve, "precision", "precision", {"color": theme.prob_8h, "width": 2, "dash": "6px,3px"}),
        _line(beside, "recall", "recall of gradient boosting", _dotted(theme)),
        _chosen(own, theme),
    ]
    return {"data": [*data, _names(curve, beside, theme)], "layout": _layout(curve, theme)}


def _dotted(theme: Theme) -> dict[str, Any]:
    return {"color": theme.control, "width": 1.5, "dash": "2px,3px"}


def _ordered(curve: Sequence[AlarmPoint]) -> list[AlarmPoint]:
    """From the highest threshold to the lowest, within what is drawn."""
    points = sorted(curve, key=lambda point: -point.threshold)
    told = [one for one in points if known(one.recall) is not None and known(one.precision) is not None]
    return [point for point in told if point.false_per_server_week <= _WIDEST]


def _line(curve: Sequence[AlarmPoint], field: str, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [round(point.false_per_server_week, 4) for point in curve],
        "y": [round(getattr(point, field), 4) for point in curve],
        "line": line,
        "text": [f"alarm from {percent(point.threshold)} on" for point in curve],
        "hovertemplate": f"{name} %{{y:.0%}} at %{{x:.2f}} false alarms<br>%{{text}}<extra></extra>",
    }


def _chosen(own: Alarms | None, theme: Theme) -> dict[str, Any]:
    point = own.chosen if own is not None else None
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "chosen",
        "x": [known(point.false_per_server_week)] * 2 if point else [],
        "y": [known(point.recall), known(point.precision)] if point else [],
        "marker": {"size": 10, "symbol": "diamond", "color": theme.text},
        "hovertemplate": "the chosen threshold<br>%{y:.0%} at %{x:.2f} false alarms<extra></extra>",
    }


def _names(curve: Sequence[AlarmPoint], beside: Sequence[AlarmPoint], theme: Theme) -> dict[str, Any]:
    """The lines' names at their ends, kept apart."""
    ends = [(one.recall, "recall", theme.text) for one in curve[-1:]]
    ends += [(one.precision, "precision", theme.prob_8h) for one in curve[-1:]]
    ends += [(one.recall, "recall (GB)", theme.muted) for one in beside[-1:]]
    ends.sort(reverse=True)
    heights: list[float] = []
    for height, _, _ in ends:
        heights.append(min(height, heights[-1] - 0.085 if heights else 1.0))
    right = max((point.false_per_server_week for point in (*curve[-1:], *beside[-1:])), default=0.0)
    return {
        "type": "scatter",
        "mode": "text",
        "x": [right] * len(ends),
        "y": heights,
        "text": [f" {name}" for _, name, _ in ends],
        "textposition": "middle right",
        "textfont": {"size": BODY, "color": [colour for _, _, colour in ends], "weight": 600},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _layout(curve: Sequence[AlarmPoint], theme: Theme) -> dict[str, Any]:
    note = {"yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "font": {"size": BODY}}
    notes = [{**note, "x": ALLOWED, "text": "allowed", "font": small(theme)}]
    if not curve:
        notes = [{**note, "xref": "paper", "x": 0.5, "y": 0.5, "text": "no alarm was measured"}]
    stroke = {"color": theme.control, "width": 1, "dash": "7px,3px"}
    axis = {"fixedrange": True, "tickfont": small(theme), "ticklabelstandoff": 4, "zeroline": False}
    title = {"font": small(theme), "standoff": 2}
    widest = max([2 * ALLOWED, *(point.false_per_server_week for point in curve)])
    return base_layout(
        theme,
        margin=_MARGIN,
        dragmode=False,
        hovermode="closest",
        shapes=[{"type": "line", "x0": ALLOWED, "x1": ALLOWED, "yref": "paper", "y0": 0, "y1": 1, "line": stroke}],
        annotations=notes,
        xaxis={
            **axis,
            "range": [0, widest],
            "showgrid": False,
            "nticks": 6,
            "title": {**title, "text": "false alarms per server and week"},
        },
        yaxis={**axis, "range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%", "gridcolor": theme.grid},
    )
