"""What is usual for a kind of server: its metrics' values and how they move when nothing is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tft_dash.scenarios.format.parts import Effect, Profile
from tft_dash.schema import GENERIC_PROFILE, METRIC_NAMES

USUAL: Final[Mapping[str, tuple[float, ...]]] = {
    "web": (35.0, 55.0, 80.0, 0.0030, 8.0, 25.0, 60.0, 12.0),
    "api": (40.0, 58.0, 45.0, 0.0020, 5.0, 30.0, 35.0, 18.0),
    "database": (44.0, 66.0, 12.0, 0.0012, 80.0, 20.0, 40.0, 4.0),
    "cache": (26.0, 62.0, 4.0, 0.0010, 3.0, 45.0, 90.0, 3.0),
    GENERIC_PROFILE: (30.0, 50.0, 60.0, 0.0020, 10.0, 10.0, 10.0, 8.0),
}
"""Profile → usual value per metric, in the order of :data:`tft_dash.schema.METRICS` and in their units."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one metric moves around its usual value; all of it as a share of that value.

    :param spread: standard deviation between servers of one profile.
    :param load: how far it follows the server's load, which all its metrics share.
    :param noise: standard deviation of its own restlessness.
    """

    spread: float
    load: float
    noise: float


BEHAVIOUR: Final[Mapping[str, Behaviour]] = {
    "cpu_pct": Behaviour(spread=0.025, load=1.0, noise=0.04),
    "mem_pct": Behaviour(spread=0.015, load=0.15, noise=0.008),
    "latency_ms": Behaviour(spread=0.04, load=0.5, noise=0.06),
    "error_rate": Behaviour(spread=0.05, load=0.4, noise=0.16),
    "disk_io_mb_s": Behaviour(spread=0.06, load=0.8, noise=0.12),
    "net_in_mb_s": Behaviour(spread=0.05, load=1.0, noise=0.07),
    "net_out_mb_s": Behaviour(spread=0.05, load=1.0, noise=0.07),
    "gc_pause_ms": Behaviour(spread=0.05, load=0.5, noise=0.15),
}
LOAD_DEVIATION: Final = 0.05
LOAD_MEMORY_SECONDS: Final = 900.0
NOISE_MEMORY_SECONDS: Final = 40.0

USUAL_EFFECTS: Final[Mapping[str, Mapping[str, Effect]]] = {
    "cpu": {"cpu_pct": Effect(to=98.0), "latency_ms": Effect(times=3.0)},
    "memory-leak": {"mem_pct": Effect(to=96.0), "gc_pause_ms": Effect(times=8.0)},
    "latency": {"latency_ms": Effect(times=10.0)},
    "errors": {"error_rate": Effect(to=0.42)},
    "disk": {"disk_io_mb_s": Effect(times=5.0), "latency_ms": Effect(times=4.0)},
    "network": {
        "net_in_mb_s": Effect(times=0.15),
        "net_out_mb_s": Effect(times=0.15),
        "latency_ms": Effect(times=3.0),
        "error_rate": Effect(to=0.12),
    },
    "gc": {"gc_pause_ms": Effect(times=25.0), "cpu_pct": Effect(add=15.0), "latency_ms": Effect(times=3.0)},
    "crash": {},
    "gaps": {},
}
"""What a fault does at full intensity when its document gives no strength; a crash and gaps take all metrics away."""


def usual_values(profile: Profile) -> tuple[float, ...]:
    """The usual value per metric of a profile's servers, in the order of :data:`tft_dash.schema.METRICS`."""
    shipped = dict(zip(METRIC_NAMES, USUAL.get(profile.name, USUAL[GENERIC_PROFILE]), strict=True))
    return tuple(profile.baselines.get(name, shipped[name]) for name in METRIC_NAMES)  # type: ignore[call-overload]
