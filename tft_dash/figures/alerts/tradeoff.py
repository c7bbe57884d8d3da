"""What each threshold would have done: pages per week, missed incidents and median lead below each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tft_dash.alerts.tuning.tune import Tuning
from tft_dash.figures.plot import Figure, base_layout, small
from tft_dash.theme import Theme

_ROWS: Final = (
    ("Pages per week", "%{y:.2f}", (0.70, 0.94)),
    ("Missed incidents", "%{y:d}", (0.37, 0.61)),
    ("Median lead, minutes", "%{y:.1f}", (0.04, 0.28)),
)


def figure(bars: Sequence[float], found: Sequence[Tuning], chosen: float, theme: Theme) -> Figure:
    """The whole figure.

    :param bars: thresholds, rising; ``found`` is of each.
    :param chosen: the one that is marked.
    """
    values: tuple[list[Any], ...] = (
        [one.pages_per_week for one in found],
        [one.missed for one in found],
        [one.median_lead_minutes for one in found],
    )
    traces, notes, axes = [], [], {}
    for place, ((title, hover, domain), numbers) in enumerate(zip(_ROWS, values, strict=True)):
        number = str(place + 1) if place else ""
        traces.append(
            {"type": "scatter", "mode": "lines", "x": list(bars), "y": list(numbers), "name": title, "xaxis": "x",
             "yaxis": f"y{number}", "connectgaps": False, "hovertemplate": hover,
             "line": {"color": theme.series, "width": 2}}
        )  # fmt: skip
        axes[f"yaxis{number}"] = {"domain": domain, "rangemode": "tozero", "fixedrange": True, "nticks": 4,
                                  "tickfont": small(theme), "gridcolor": theme.grid, "zeroline": False}  # fmt: skip
        notes.append({"xref": "paper", "x": 0, "yref": "paper", "y": domain[1], "yanchor": "bottom", "xanchor": "left",
                      "showarrow": False, "text": title, "font": small(theme, color=theme.text)})  # fmt: skip
    return {"data": traces, "layout": _layout(axes, notes, chosen, theme)}


def _layout(axes: dict[str, Any], notes: list[dict[str, Any]], chosen: float, theme: Theme) -> dict[str, Any]:
    return base_layout(
        theme,
        margin={"l": 48, "r": 12, "t": 10, "b": 34},
        dragmode=False,
        hovermode="x unified",
        hoversubplots="axis",
        annotations=notes,
        shapes=[mark(chosen, theme)],
        xaxis={"anchor": "y3", "fixedrange": True, "tickfont": small(theme), "showgrid": False, "zeroline": False,
               "title": {"text": "threshold", "font": small(theme), "standoff": 2}},
        **axes,
    )  # fmt: skip


def mark(chosen: float, theme: Theme) -> dict[str, Any]:
    """Where the chosen threshold is."""
    line = {"color": theme.accent, "width": 1.5, "dash": "7px,3px"}
    return {"type": "line", "x0": chosen, "x1": chosen, "yref": "paper", "y0": 0, "y1": 1, "line": line}
