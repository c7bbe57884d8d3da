"""The KPI header: six tiles of plain HTML, so that their text is real text.

A missing value is a dash and words, never zero.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from dash import html

from tft_dash import components, ids
from tft_dash.figures.plot import chance
from tft_dash.frame import Frame
from tft_dash.schema import HEALTH_BANDS, UNKNOWN_BAND, FloatArray

NAME: Final = "kpi"

CHANGE_TICKS: Final = 12
"""How many ticks back a probability's change is measured."""

Target = tuple[str, str]
"""A component's id and one of its properties."""

TARGETS: Final[tuple[Target, ...]] = (
    (ids.KPI_HEALTH, "className"),
    (ids.KPI_HEALTH_WORD, "children"),
    (ids.KPI_HEALTH_NOTE, "children"),
    (ids.KPI_PHASE, "children"),
    (ids.KPI_PHASE_NOTE, "children"),
    (ids.KPI_PROB_30M, "children"),
    (ids.KPI_PROB_30M_NOTE, "children"),
    (ids.KPI_PROB_8H, "children"),
    (ids.KPI_PROB_8H_NOTE, "children"),
    (ids.KPI_SERVERS, "children"),
    (ids.KPI_SERVERS_NOTE, "children"),
    (ids.KPI_PROGRESS, "children"),
    (ids.KPI_PROGRESS_NOTE, "children"),
    (ids.KPI_PROGRESS_BAR, "style"),
)
"""Everything that :func:`texts` gives, in its order."""

_OF_THE_FLEET: Final = (
    "That at least one server of the fleet has an incident, so the more servers, the likelier. How often it came true, "
    "where that was measured, is told on the trend below."
)

_HEALTH_NOTES: Final = {
    "green": "no incident in sight",
    "yellow": "watch closely",
    "red": "act now",
    UNKNOWN_BAND.name: "no answer yet",
}


def layout() -> html.Section:
    """The six tiles, empty."""
    health = html.Div(
        [
            html.Div("Environment health", className="tile-label"),
            html.Div(
                [
                    *(components.icon(f"health-{band.name}") for band in (*HEALTH_BANDS, UNKNOWN_BAND)),
                    html.Span("—", id=ids.KPI_HEALTH_WORD),
                ],
                className="tile-value tile-health",
            ),
            html.Div("", id=ids.KPI_HEALTH_NOTE, className="tile-note"),
        ],
        id=ids.KPI_HEALTH,
        className=_health_class(UNKNOWN_BAND.name),
    )
    bar = html.Div(html.Div(id=ids.KPI_PROGRESS_BAR, className="progress-done"), className="progress-track")
    return html.Section(
        [
            health,
            components.tile("Phase", ids.KPI_PHASE, ids.KPI_PHASE_NOTE),
            components.tile(
                "Incident within 30 min", ids.KPI_PROB_30M, ids.KPI_PROB_30M_NOTE, key="prob-30m", hint=_OF_THE_FLEET
            ),
            components.tile(
                "Incident within 8 h", ids.KPI_PROB_8H, ids.KPI_PROB_8H_NOTE, key="prob-8h", hint=_OF_THE_FLEET
            ),
            components.tile("Active servers", ids.KPI_SERVERS, ids.KPI_SERVERS_NOTE),
            components.tile("Progress", ids.KPI_PROGRESS, ids.KPI_PROGRESS_NOTE, below=bar),
        ],
        id=ids.MONITOR_KPI,
        className="tiles",
        **{"aria-label": "Key figures"},
    )


def texts(frame: Frame) -> dict[Target, Any]:
    """What the tiles say: ``(component id, property)`` → value, for exactly :data:`TARGETS`."""
    share = frame.progress
    return {
        (ids.KPI_HEALTH, "className"): _health_class(frame.health.name),
        (ids.KPI_HEALTH_WORD, "children"): frame.health.word,
        (ids.KPI_HEALTH_NOTE, "children"): _HEALTH_NOTES[frame.health.name],
        (ids.KPI_PHASE, "children"): frame.phase or "—",
        (ids.KPI_PHASE_NOTE, "children"): _phase_note(frame),
        (ids.KPI_PROB_30M, "children"): chance(frame.prob_30m),
        (ids.KPI_PROB_30M_NOTE, "children"): _change(frame, frame.history.prob_30m),
        (ids.KPI_PROB_8H, "children"): chance(frame.prob_8h),
        (ids.KPI_PROB_8H_NOTE, "children"): _change(frame, frame.history.prob_8h),
        (ids.KPI_SERVERS, "children"): f"{frame.active:,} / {len(frame.source.servers):,}",
        (ids.KPI_SERVERS_NOTE, "children"): _servers_note(frame),
        (ids.KPI_PROGRESS, "children"): "live" if share is None else f"{share:.0%}",
        (ids.KPI_PROGRESS_NOTE, "children"): components.elapsed(frame),
        (ids.KPI_PROGRESS_BAR, "style"): {"transform": f"scaleX({1 if share is None else round(share, 4)})"},
    }


def blank() -> dict[Target, Any]:
    """Tiles without values, for exactly :data:`TARGETS`."""
    values = {target: "" if target[0].endswith("-note") else "—" for target in TARGETS}
    return {
        **values,
        (ids.KPI_HEALTH, "className"): _health_class(UNKNOWN_BAND.name),
        (ids.KPI_PROGRESS_BAR, "style"): {"transform": "scaleX(0)"},
    }


def _health_class(band: str) -> str:
    return f"tile tile-band band-{band}"


def _phase_note(frame: Frame) -> str:
    phases = frame.source.phases
    if not phases:
        return "no script in this data"
    place = next((number for number, phase in enumerate(phases, 1) if phase.first <= frame.tick <= phase.last), None)
    return "between phases" if place is None else f"{place} of {len(phases)}"


def _change(frame: Frame, history: FloatArray) -> str:
    """How a probability moved over the last :data:`CHANGE_TICKS` ticks, in percentage points."""
    back = min(CHANGE_TICKS, len(history) - 1)
    now, then = float(history[-1]), float(history[-1 - back])
    if np.isnan(now):
        return "not enough data"
    if back == 0 or np.isnan(then):
        return "no earlier value"
    points, span = round(100 * now) - round(100 * then), components.span_words(back * frame.source.step_seconds)
    return f"steady over {span}" if points == 0 else f"{'up' if points > 0 else 'down'} {abs(points)} points in {span}"


def _servers_note(frame: Frame) -> str:
    severe = int(np.count_nonzero(frame.risk > HEALTH_BANDS[1].upper))
    absent = len(frame.source.servers) - frame.active
    known = f"{severe:,} at severe risk" if frame.ranking else "no risk known"
    return f"{known}, {absent:,} not reporting" if absent else known
