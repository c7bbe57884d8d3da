"""Marks of alerts on a line over time: where they fired, how urgent they were, and where they were over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tft_dash.alerts.alert import Transition
from tft_dash.figures.plot import label
from tft_dash.frame import AlertMark
from tft_dash.theme import Theme

SYMBOLS: Final = {"critical": "triangle-down", "warning": "diamond", "info": "circle", "over": "circle-open"}
"""How a mark looks: its shape says what its colour says."""
_BANDS: Final = {"critical": "red", "warning": "orange", "info": "unknown", "over": "green"}
_NAMES_SHOWN: Final = 3


def marks_of(changes: Iterable[Transition]) -> tuple[AlertMark, ...]:
    """One mark for each tick at which alerts fired, and one for each at which some were over, in order."""
    found: dict[tuple[int, str], list[Transition]] = {}
    for change in changes:
        if change.telling:
            found.setdefault((change.time_ms, change.change), []).append(change)
    return tuple(_mark(many, fired=what == "firing") for (_, what), many in sorted(found.items()))


def _mark(many: Sequence[Transition], *, fired: bool) -> AlertMark:
    first = max(many, key=lambda one: list(SYMBOLS).index(one.severity) * -1) if fired else many[0]
    about = [f"{one.key.rule} {one.key.server}".strip() for one in many[:_NAMES_SHOWN]]
    more = f" and {len(many) - len(about)} more" if len(many) > len(about) else ""
    words = f"{'firing' if fired else 'over'}: {', '.join(about)}{more}"
    return AlertMark(many[0].time_ms, many[0].tick, first.severity if fired else "over", words, first.problem)


def trace(marks: Sequence[AlertMark], theme: Theme, *, height: float = 1.0) -> dict[str, Any]:
    """The marks as one trace in a row at ``height``; :func:`points` and :func:`looks` are its data."""
    colours = [theme.band_fill[_BANDS[kind]] for kind in SYMBOLS]
    steps = [[share, colour] for place, colour in enumerate(colours) for share in (place / 4, (place + 1) / 4)]
    return {
        "type": "scatter",
        "mode": "markers",
        "uid": "alert-marks",
        "name": "alerts",
        "cliponaxis": False,
        "hovertemplate": "%{text}<extra></extra>",
        **points(marks, height=height),
        "marker": {
            "size": 10,
            "line": {"width": 1, "color": theme.surface},
            "colorscale": steps,
            "cmin": -0.5,
            "cmax": len(SYMBOLS) - 0.5,
            "showscale": False,
            **looks(marks),
        },
    }


def points(marks: Sequence[AlertMark], *, height: float = 1.0) -> dict[str, list[Any]]:
    """Where the marks are and what they say."""
    return {
        "x": [one.time_ms for one in marks],
        "y": [height] * len(marks),
        "text": [label(one.words, 120) for one in marks],
        "customdata": [one.problem for one in marks],
    }


def looks(marks: Sequence[AlertMark]) -> dict[str, list[Any]]:
    """How each mark looks, in any theme: its shape, and the place of its colour."""
    kinds = list(SYMBOLS)
    return {"symbol": [SYMBOLS[one.kind] for one in marks], "color": [kinds.index(one.kind) for one in marks]}
