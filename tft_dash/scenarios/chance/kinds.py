"""The kinds of incident that chance draws from: what announces each, and what it does when it is there.

An announcing metric grows while the incident builds up; it sets no state by itself. A striking metric crosses its
critical line when the incident is there: for ``leak`` and ``overload`` it is the announcing metric itself that arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tft_dash.scenarios.format.parts import Effect


@dataclass(frozen=True, slots=True)
class IncidentKind:
    """One way in which a server fails.

    :param name: as evaluations call it.
    :param announces: what the metrics do at the end of a build-up.
    :param strikes: what they do on top, once it is there.
    :param weight: how often, beside the other kinds.
    """

    name: str
    announces: Mapping[str, Effect]
    strikes: Mapping[str, Effect]
    weight: float


_BUILDING_UP: Final = (
    IncidentKind(
        "leak",
        {"mem_pct": Effect(to=89.0), "gc_pause_ms": Effect(times=4.0)},
        {"mem_pct": Effect(to=97.0), "latency_ms": Effect(times=3.0)},
        1.0,
    ),
    IncidentKind(
        "overload",
        {"cpu_pct": Effect(to=87.0), "latency_ms": Effect(times=2.5)},
        {"cpu_pct": Effect(to=98.0), "error_rate": Effect(to=0.2)},
        1.0,
    ),
    IncidentKind(
        "collections",
        {"gc_pause_ms": Effect(times=12.0), "latency_ms": Effect(times=4.0)},
        {"cpu_pct": Effect(to=97.0), "error_rate": Effect(to=0.35)},
        1.0,
    ),
    IncidentKind(
        "saturation",
        {"latency_ms": Effect(times=8.0), "error_rate": Effect(to=0.07)},
        {"error_rate": Effect(to=0.42)},
        1.0,
    ),
    IncidentKind(
        "disk",
        {"disk_io_mb_s": Effect(times=6.0), "latency_ms": Effect(times=4.0)},
        {"error_rate": Effect(to=0.38), "cpu_pct": Effect(add=12.0)},
        0.8,
    ),
    IncidentKind(
        "network",
        {"net_in_mb_s": Effect(times=0.35), "net_out_mb_s": Effect(times=0.35), "error_rate": Effect(to=0.05)},
        {"error_rate": Effect(to=0.4), "latency_ms": Effect(times=3.0)},
        0.5,
    ),
)
KINDS: Final[Mapping[str, IncidentKind]] = {kind.name: kind for kind in _BUILDING_UP}
SUDDEN: Final = IncidentKind("sudden", {}, {"error_rate": Effect(to=0.45), "latency_ms": Effect(times=4.0)}, 1.0)
"""What strikes without a build-up."""
BURST: Final[Mapping[str, Effect]] = {
    "cpu_pct": Effect(times=1.5),
    "latency_ms": Effect(times=1.6),
    "net_in_mb_s": Effect(times=1.6),
    "net_out_mb_s": Effect(times=1.6),
}
DRAINED: Final[Mapping[str, Effect]] = {
    "cpu_pct": Effect(times=0.4),
    "net_in_mb_s": Effect(times=0.1),
    "net_out_mb_s": Effect(times=0.1),
    "disk_io_mb_s": Effect(times=0.4),
}
"""Maintenance: the load is elsewhere."""
SHIFTED: Final = ("cpu_pct", "mem_pct", "latency_ms", "gc_pause_ms", "disk_io_mb_s")
"""What a deploy may move, and by at most :data:`SHIFT` of its usual value."""
SHIFT: Final = 0.18
