"""The layout of the forecast: what goes in, what comes out, and in which order. Time steps are five minutes.

Changing anything here makes another model: artefacts carry their layout and are refused where it differs.
"""

from __future__ import annotations

from typing import Final

from tft_dash.schema import METRIC_NAMES

STEP_SECONDS: Final = 300.0
CONTEXT: Final = 96
"""Steps that the model looks back: 8 hours, "now" included."""
NODES: Final = (*range(1, 13), *range(15, 97, 3))
"""Horizon nodes in steps from now: every 5 minutes to 1 hour, then every 15 minutes to 8 hours."""
SOON: Final = NODES.index(6)
"""The node of 30 minutes."""
LATE: Final = NODES.index(96)
"""The node of 8 hours."""
QUANTILES: Final = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
INPUTS: Final = METRIC_NAMES
"""The metrics read, in the order of the input's last axis."""
TARGETS: Final = ("cpu_pct", "mem_pct", "latency_ms", "error_rate")
"""The metrics forecast: those with a line to cross."""
PROFILES: Final = ("unknown", "web", "api", "database", "cache", "generic")
"""A profile's code is its place; any other profile is ``unknown``."""
QUIET_STEPS: Final = 6
"""An incident has begun where a server turns critical that was not for so many steps (30 minutes)."""
WEEK_MINUTES: Final = 7 * 24 * 60
