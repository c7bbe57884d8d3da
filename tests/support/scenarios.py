"""A document that uses every part of the format, and what is in a component, for tests of the scenarios' pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def everything() -> dict[str, Any]:
    """Every kind of field at least once, none at its usual value."""
    return {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {
            "name": "everything", "title": "Every part", "description": "All of it.", "tags": ["one", "two"],
            "owner": "Ops",
        },
        "spec": {
            "seed": 2**62,
            "clock": {"start": "2026-02-01T00:00:00Z", "duration": "20m", "tick": "10s", "playback_speed": 2},
            "fleet": {"profiles": [
                {"name": "web", "count": 5, "prefix": "front", "noise": 0.5, "baselines": {"cpu_pct": 50},
                 "daily_rhythm": {"amplitude": 0.3, "peak_hour": 9, "weekend": 0.1}},
                {"name": "api", "count": 2},
            ]},
            "phases": [
                {"name": "calm", "from": "0s", "to": "5m", "intensity": 0.1},
                {"name": "storm", "from": "5m", "to": "15m", "intensity": {"start": 0.2, "end": 0.9}},
                {"name": "after", "from": "15m", "to": "20m",
                 "intensity": {"points": [{"at": 0, "value": 0.5}, {"at": 1, "value": 0}]}},
            ],
            "chance": {"incidents": 3.0, "ramp_longest": "2h"},
            "faults": [
                {"id": "first", "what": "cpu", "whom": {"first_of_each": True}, "lag": "30s", "jitter": 0.2},
                {"id": "some", "what": "errors", "whom": {"profile": "web", "first": 2}, "from": "6m", "to": "12m",
                 "intensity": {"start": 0.5, "end": 1},
                 "strength": {"error_rate": {"to": 0.4}, "latency_ms": {"times": 3}, "cpu_pct": 10}},
                {"id": "share", "what": "gaps", "whom": {"profile": "web", "share": 0.5}, "from": "1m",
                 "intensity": {"points": [{"at": 0, "value": 1}]}},
                {"id": "named", "what": "crash", "whom": {"names": ["api-001", "front-001"]}, "to": "3m",
                 "intensity": 0.7},
            ],
            "expect": [
                {"check": "top", "servers": ["front-001"], "count": 3, "ticks": 0.5, "phase": "storm"},
                {"check": "top", "fault": "some", "count": 2},
                {"check": "prob_30m", "statistic": "max", "above": 0.1, "below": 0.9, "fleet_of_at_least": 2},
                {"check": "prob_8h", "above": 0.1},
                {"check": "risk", "whom": "affected", "statistic": "min", "below": 0.9},
                {"check": "health", "never_worse_than": "YELLOW"},
                {"check": "state", "state": "online", "whom": "unaffected", "at_least": 0.2, "at_most": 0.9},
            ],
        },
    }  # fmt: skip


def parts(component: object) -> Iterator[Component]:
    """A component and all in it."""
    if isinstance(component, list | tuple):
        for each in component:
            yield from parts(each)
    if isinstance(component, Component):
        yield component
        yield from parts(getattr(component, "children", None))


def marked(component: object, mark: str) -> dict[str, Component]:
    """The parts with a ``data-…`` attribute, by its value."""
    return {each.to_plotly_json()["props"][mark]: each for each in parts(component)
            if mark in each.to_plotly_json()["props"]}  # fmt: skip
