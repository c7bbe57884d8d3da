"""What a drill says about itself beside its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from tft_dash.scenarios.document import Scenario, document_digest
from tft_dash.scenarios.format.fields import format_instant
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.generate import GENERATOR_VERSION, affected_servers, phase_places
from tft_dash.schema import COLUMNS, INCIDENT_PHASE, METRIC, PROBLEM_CHILD, PROFILE, SERVER_NAME, STATE, TIMESTAMP

_MEANING: Final[Mapping[str, str]] = {
    TIMESTAMP: "time of the tick, ISO 8601, UTC",
    SERVER_NAME: "the server",
    PROFILE: "what kind of server it is",
    STATE: "online, warning, critical_issue or offline; by the metrics",
    INCIDENT_PHASE: "the script's phase",
    PROBLEM_CHILD: "whether a fault of the script strikes this server",
}


def brief(scenario: Scenario) -> dict[str, Any]:
    """What a drill's Parquet file says about itself, so that it is known after being renamed."""
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "simulated": True,
        "generator_version": GENERATOR_VERSION,
        "document_sha256": document_digest(scenario),
        "tick_seconds": scenario.spec.clock.tick,
        "playback_speed": scenario.spec.clock.playback_speed,
    }


def describe(scenario: Scenario) -> dict[str, Any]:
    """What ``<name>_metadata.json`` says, save what is only known when the CSV is made; the same on any day."""
    spec = scenario.spec
    counts = np.bincount(phase_places(spec), minlength=len(spec.story)) * spec.fleet.size
    return {
        **brief(scenario),
        "description": scenario.metadata.description,
        "seed": spec.seed,
        "start": format_instant(spec.clock.start),
        "duration_seconds": spec.clock.duration,
        "fleet_size": spec.fleet.size,
        "profiles": {profile.name: profile.count for profile in spec.fleet.profiles},
        "ticks": spec.clock.ticks,
        "records": spec.clock.ticks * spec.fleet.size,
        "phases": _phases(spec),
        "rows_per_phase": {phase.name: int(count) for phase, count in zip(spec.story, counts, strict=True)},
        "affected_servers": list(affected_servers(spec)),
        "columns": [_column(name) for name in COLUMNS],
    }


def _phases(spec: Spec) -> list[dict[str, Any]]:
    return [{"name": phase.name, "from_seconds": phase.begin, "to_seconds": phase.end} for phase in spec.story]


def _column(name: str) -> dict[str, Any]:
    if name not in METRIC:
        return {"name": name, "meaning": _MEANING[name]}
    metric = METRIC[name]
    high = metric.high if np.isfinite(metric.high) else None
    return {
        "name": name,
        "meaning": metric.label,
        "unit": metric.unit,
        "low": metric.low,
        "high": high,
        "decimals": metric.decimals,
    }
