"""What a rule reads from an observation: one value for each thing that it can alert about, and the bars for them.

Values are compared as the contract compares them, in single precision: a metric is over its critical line here where it
is over it in a server's state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.alerts.observing import Observation
from tft_dash.alerts.rules import FLEET_CHECKS, SERVER_CHECKS, Rule
from tft_dash.alerts.silences import Matcher
from tft_dash.schema import FloatArray

WHOLE_FLEET: Final = ("",)
_ROSTERS_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Bars:
    """Where an alert begins and where it ends.

    :param sign: 1 = high values are bad, −1 = low ones.
    """

    fire: float
    clear: float
    sign: int

    def hot(self, values: FloatArray) -> NDArray[np.bool_]:
        """Whether they are beyond the bar; missing ones are not."""
        found: NDArray[np.bool_] = self.sign * values > np.float32(self.sign * self.fire)
        return found

    def clears(self, values: FloatArray) -> NDArray[np.bool_]:
        """Whether they let a firing alert go; missing ones do not."""
        found: NDArray[np.bool_] = self.sign * values <= np.float32(self.sign * self.clear)
        return found

    def worse(self, value: float, than: float) -> float:
        """The worse of two values."""
        return max(value, than) if self.sign > 0 else min(value, than)


@dataclass(frozen=True, slots=True)
class Readings:
    """What a rule reads of one metric, or of what it looks at besides.

    :param metric: "" where the rule is not about metrics.
    :param servers: what the values are about; ``("",)`` = the whole fleet.
    :param values: (servers,) float32, NaN = nothing was said.
    :param fits: (servers,) whether the rule is meant for them.
    """

    metric: str
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    values: FloatArray
    fits: NDArray[np.bool_]
    bars: Bars


def readings_of(rule: Rule, seen: Observation) -> tuple[Readings, ...]:
    """What ``rule`` reads, one for each of its metrics; nothing where it is not judged on such an observation."""
    check = rule.when.check
    if not seen.answered and check != "source_silent":
        return ()
    fleet = check in FLEET_CHECKS or check == "source_silent"
    servers, profiles = (WHOLE_FLEET, WHOLE_FLEET) if fleet else (seen.servers, seen.profiles)
    found = []
    for metric in rule.when.metrics:
        fits = fitting(tuple(rule.where), labels_key(seen.source, metric), servers, profiles)
        bars = Bars(*rule.when.bars(metric))
        found.append(Readings(metric, servers, profiles, _values(check, metric, seen), fits, bars))
    return tuple(found)


def _values(check: str, metric: str, seen: Observation) -> FloatArray:
    if check in FLEET_CHECKS:
        return np.array([seen.fleet.get(check, np.nan)], np.float32)
    if check in SERVER_CHECKS:
        values: FloatArray = getattr(seen, check)
        return values
    if check == "metric":
        return seen.metrics.get(metric, np.full(len(seen.servers), np.nan, np.float32))
    heard = seen.answered and seen.heard
    if check == "source_silent":
        # What was silent in the past says nothing of now; that it is told at all says that the source answers.
        return np.array([0.0 if heard or (seen.answered and seen.past) else 1.0], np.float32)
    # While nothing comes at all, nothing is known of single servers.
    return np.where(heard, ~seen.reports, np.nan).astype(np.float32)


def labels_key(source: str, metric: str) -> tuple[tuple[str, str], ...]:
    """The labels that all alerts of one source and metric share, for :func:`fitting`."""
    return (("source", source), *((("metric", metric),) if metric else ()))


@lru_cache(maxsize=_ROSTERS_KEPT * 8)
def fitting(
    where: tuple[Matcher, ...],
    shared: tuple[tuple[str, str], ...],
    servers: tuple[str, ...],
    profiles: tuple[str, ...],
) -> NDArray[np.bool_]:
    """(servers,) whether all matchers hold."""
    if not where:
        return np.ones(len(servers), bool)
    return np.array([_fits(where, dict(shared), *one) for one in zip(servers, profiles, strict=True)], bool)


def _fits(where: Sequence[Matcher], shared: Mapping[str, str], server: str, profile: str) -> bool:
    labels = {**shared, "server_name": server, "profile": profile}
    return all(one.matches(labels) for one in where)


@lru_cache(maxsize=_ROSTERS_KEPT)
def places(servers: tuple[str, ...]) -> Mapping[str, int]:
    """Server → its place in the arrays."""
    return {server: place for place, server in enumerate(servers)}
