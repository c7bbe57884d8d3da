"""The affected servers' metrics over the others' median; the metrics that the faults touch come first."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tft_dash.figures.plot import Figure, base_layout, label, small
from tft_dash.figures.preview.span import MARGIN, borders, points, time_axis, times
from tft_dash.previews import Preview
from tft_dash.scenarios.profiles import USUAL_EFFECTS
from tft_dash.schema import METRIC, THRESHOLDS, FloatArray
from tft_dash.theme import BODY, Theme

ROWS: Final = 4
LINES: Final = 12
"""So many affected servers are drawn; of more, those of the greatest risk."""

_USUAL: Final = ("cpu_pct", "latency_ms", "error_rate", "mem_pct")
_GAP: Final = 0.09


def figure(preview: Preview, theme: Theme) -> Figure:
    """Four rows of lines on one axis of time."""
    names = shown_metrics(preview)
    servers = shown_servers(preview)
    layout = base_layout(
        theme,
        margin={**MARGIN, "t": 18},
        hovermode="x",
        dragmode=False,
        xaxis={**time_axis(preview, theme), "anchor": f"y{len(names)}" if len(names) > 1 else "y"},
        shapes=borders(preview, theme),
        annotations=[_title(place, name, theme) for place, name in enumerate(names)],
    )
    data: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        axis = "y" if place == 0 else f"y{place + 1}"
        layout[axis.replace("y", "yaxis")] = {**_scale(name, theme), "domain": _domain(place)}
        data += [{**trace, "yaxis": axis, **times(preview)} for trace in _lines(preview, name, servers, theme)]
    return {"data": data, "layout": layout}


def shown_metrics(preview: Preview) -> tuple[str, ...]:
    """The metrics of the rows: what the faults touch, then what is usual, in the contract's order."""
    touched: list[str] = []
    for fault in preview.scenario.spec.faults:
        touched += fault.strength or USUAL_EFFECTS[fault.what]
    wanted = list(dict.fromkeys([*sorted(set(touched), key=lambda name: -touched.count(name)), *_USUAL]))[:ROWS]
    return tuple(name for name in METRIC if name in wanted)


def shown_servers(preview: Preview) -> tuple[int, ...]:
    """The places of the affected servers that are drawn."""
    places = [preview.servers.index(name) for name in preview.affected]
    if len(places) <= LINES:
        return tuple(places)
    worst = np.nan_to_num(preview.risk[:, places], nan=0.0).max(axis=0, initial=0.0)
    return tuple(sorted(places[place] for place in np.argsort(-worst, kind="stable")[:LINES]))


def _lines(preview: Preview, name: str, servers: tuple[int, ...], theme: Theme) -> list[dict[str, Any]]:
    values, metric = preview.metrics[name], METRIC[name]
    shares = metric.unit == ""
    hover = f"%{{y:{'.1%' if shares else ',.4~g'}}} {metric.unit}".strip()
    line = {"type": "scatter", "mode": "lines", "hovertemplate": hover}
    others = [place for place, server in enumerate(preview.servers) if server not in set(preview.affected)]
    traces = []
    if others:
        median = {"color": theme.control, "width": 1.5, "dash": "2px,3px"}
        held = points(preview, _median(values[:, others]), metric.decimals)
        traces.append({**line, "name": "the others' median", "line": median, "y": held})
    for place in servers:
        own = points(preview, values[:, place], metric.decimals)
        style = {"color": theme.series, "width": 1.25}
        traces.append({**line, "name": label(preview.servers[place]), "line": style, "y": own})
    return traces


def _median(values: FloatArray) -> FloatArray:
    """(ticks,) NaN where no server has a value."""
    known = ~np.isnan(values).all(axis=1)
    found = np.full(len(values), np.nan, np.float32)
    found[known] = np.nanmedian(values[known], axis=1)
    return found


def _domain(place: int) -> list[float]:
    height = (1 + _GAP) / ROWS - _GAP
    top = 1 - place * (height + _GAP)
    return [round(max(top - height, 0), 4), round(top, 4)]


def _scale(name: str, theme: Theme) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "fixedrange": True,
        "nticks": 4,
        "tickfont": small(theme),
        "gridcolor": theme.grid,
        "ticklabelstandoff": 4,
        "zeroline": False,
        "rangemode": "tozero",
    }
    if METRIC[name].unit == "%":
        return {**axis, "range": [0, 104], "tickvals": [0, 50, 100]}
    return {**axis, "tickformat": ".2~%" if METRIC[name].unit == "" else "~s"}


def _title(place: int, name: str, theme: Theme) -> dict[str, Any]:
    metric = METRIC[name]
    limit = THRESHOLDS.get(name)
    unit = f", {metric.unit}" if metric.unit else ""
    bound = f", critical above {limit.critical:g}" if limit is not None else ""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "xanchor": "left",
        "y": _domain(place)[1],
        "yanchor": "bottom",
        "showarrow": False,
        "text": f"{metric.label}{unit}{bound}",
        "font": {"size": BODY, "color": theme.text},
    }
