"""Marks of alerts on a line over time: where they fired, how urgent they were, and where they were over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tft_dash.alerts.alert import Transition
from tft_dash.figures.plot import label
from tft_dash.theme import Theme

SYMBOLS: Final = {"critical": "triangle-down", "warning": "diamond", "info": "circle", "over": "circle-open"}
"""How a mark looks: its shape says what its colour says."""
_BANDS: Final = {"critical": "red", "warning": "orange", "info": "unknown", "over": "green"}
_NAMES_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """What is marked at one tick: all that fired, or all that was over.

    :param kind: the severity of the most urgent that fired, or ``over``.
    :param words: what happened, for the reader who points at it.
    :param problem: the problem of the first of them.
    """

    time_ms: int
    tick: int
    kind: str
    words: str
    problem: str


def marks_of(changes: Iterable[Transition]) -> tuple[Mark, ...]:
    """One mark for each tick at which alerts fired, and one for each at which some were over, in order."""
    found: dict[tuple[int, str], list[Transition]] = {}
    for change in changes:
        if change.telling:
            found.setdefault((change.time_ms, change.change), []).append(change)
    return tuple(_mark(many, fired=what == "firing") for (_, what), many in sorted(found.items()))


def _mark(many: Sequence[Transition], *, fired: bool) -> Mark:
    first = max(many, key=lambda one: list(SYMBOLS).index(one.severity) * -1) if fired else many[0]
    about = [f"{one.key.rule} {one.key.server}".strip() for one in many[:_NAMES_SHOWN]]
    more = f" and {len(many) - len(about)} more" if len(many) > len(about) else ""
    words = f"{'firing' if fired else 'over'}: {', '.join(about)}{more}"
    return Mark(many[0].time_ms, many[0].tick, first.severity if fired else "over", words, first.problem)


def trace(marks: Sequence[Mark], theme: Theme, *, height: float = 1.0) -> dict[str, Any]:
    """The marks as one trace in a row at ``height``; :func:`points` are its data."""
    return {
        "type": "scatter",
        "mode": "markers",
        "uid": "alert-marks",
        "name": "alerts",
        "cliponaxis": False,
        "hovertemplate": "%{text}<extra></extra>",
        **points(marks, theme, height=height),
    }


def points(marks: Sequence[Mark], theme: Theme, *, height: float = 1.0) -> dict[str, Any]:
    """What changes about the trace when there are other marks."""
    return {
        "x": [one.time_ms for one in marks],
        "y": [height] * len(marks),
        "text": [label(one.words, 120) for one in marks],
        "customdata": [one.problem for one in marks],
        "marker": {
            "size": 10,
            "symbol": [SYMBOLS[one.kind] for one in marks],
            "color": [theme.band_fill[_BANDS[one.kind]] for one in marks],
            "line": {"width": 1.5, "color": theme.surface if not marks else [_edge(one, theme) for one in marks]},
        },
    }


def _edge(mark: Mark, theme: Theme) -> str:
    """An open symbol is drawn by its edge alone."""
    return theme.band_fill[_BANDS[mark.kind]] if mark.kind == "over" else theme.surface
