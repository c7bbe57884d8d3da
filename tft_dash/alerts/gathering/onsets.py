"""When each server first showed: kept for all servers in unrest, so that a problem knows where it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from tft_dash.alerts.judgement.conditions import places
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.problem import Reading
from tft_dash.schema import THRESHOLDS

ONSET_RISK: Final = 0.35
"""Beyond what novelty alone can reach."""
CALM_RISK: Final = 0.2
"""A server is in unrest from the one until the other."""


@dataclass(frozen=True, slots=True)
class Onset:
    """A server in unrest.

    :param ms: since when; ``tick`` is the tick of that.
    :param peak_risk: the highest since then; the drivers are of that moment.
    """

    ms: int
    tick: int
    peak_risk: float
    peak_ms: int
    drivers: tuple[Reading, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Onset:
        """The onset that :meth:`as_plain` wrote."""
        return cls(**{**plain, "drivers": tuple(Reading(**one) for one in plain["drivers"])})


def followed(onsets: Mapping[str, Onset], seen: Observation) -> dict[str, Onset]:
    """The servers in unrest after an observation; one of which nothing was said stays as it was."""
    if not seen.answered:
        return dict(onsets)
    place_of = places(seen.servers)
    found: dict[str, Onset] = {}
    unrest = np.flatnonzero(seen.risk > np.float32(ONSET_RISK)).tolist()
    known = [place_of[server] for server in onsets if server in place_of]
    for place in sorted({*unrest, *known}):
        server, risk = seen.servers[place], float(seen.risk[place])
        before = onsets.get(server)
        if before is None:
            found[server] = Onset(seen.time_ms, seen.tick, risk, seen.time_ms, readings_at(seen, place))
        elif risk > before.peak_risk:
            found[server] = replace(
                before, peak_risk=risk, peak_ms=seen.time_ms, drivers=readings_at(seen, place) or before.drivers
            )
        elif not risk <= np.float32(CALM_RISK):
            found[server] = before
    return found


def readings_at(seen: Observation, place: int) -> tuple[Reading, ...]:
    """The drivers of a server's risk, with the contract's lines beside them."""
    found = []
    for driver in seen.drivers(place):
        threshold = THRESHOLDS.get(driver.metric)
        found.append(
            Reading(
                metric=driver.metric,
                value=driver.value,
                usual=None if np.isnan(driver.usual) else driver.usual,
                warning=threshold.warning if threshold else None,
                critical=threshold.critical if threshold else None,
            )
        )
    return tuple(one for one in found if not np.isnan(one.value))
