"""Recorded history as a rule sees it, and the incidents in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.alerts.judgement.conditions import WHOLE_FLEET, Bars, fitting, labels_key
from tft_dash.alerts.problem import Problem, Remarks
from tft_dash.alerts.rules import FLEET_CHECKS, SERVER_CHECKS, Rule
from tft_dash.errors import UsageError
from tft_dash.schema import CRITICAL_ISSUE, FloatArray, derive_states

QUIET_MS: Final = 1_800_000
"""An incident begins where something turns critical that was not for longer than this."""
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class History:
    """What was recorded of a source, tick by tick. NaN = nothing was said.

    :param times: (ticks,) milliseconds since 1970, rising.
    :param steps: (ticks,) milliseconds that each tick stands for.
    :param fleet: ``prob_30m``, ``prob_8h`` → (ticks,).
    :param per_server: ``risk``, ``server_prob_30m``, ``server_prob_8h`` → (ticks, servers).
    :param metrics: metric name → (ticks, servers).
    """

    source: str
    times: Times
    steps: Times
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    fleet: Mapping[str, FloatArray] = field(default_factory=dict)
    per_server: Mapping[str, FloatArray] = field(default_factory=dict)
    metrics: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """What a rule reads of a history, for one metric or for what it looks at besides.

    :param values: (ticks, servers) float32.
    :param places: of the servers that the rule is meant for.
    """

    metric: str
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    values: FloatArray
    places: tuple[int, ...]
    bars: Bars


def series_of(rule: Rule, history: History) -> tuple[Series, ...]:
    """What ``rule`` reads of ``history``, one for each of its metrics.

    :raises UsageError: the rule has no bar that could be moved, or the history does not have what it looks at.
    """
    check = rule.when.check
    found = []
    for metric in rule.when.metrics:
        fleet = check in FLEET_CHECKS
        values = _values(check, metric, history)
        servers, profiles = (WHOLE_FLEET, WHOLE_FLEET) if fleet else (history.servers, history.profiles)
        fits = fitting(tuple(rule.where), labels_key(history.source, metric), servers, profiles)
        places = tuple(np.flatnonzero(fits).tolist())
        found.append(Series(metric, servers, profiles, values, places, Bars(*rule.when.bars(metric))))
    return tuple(found)


def _values(check: str, metric: str, history: History) -> FloatArray:
    if check in FLEET_CHECKS:
        return np.asarray(_found(history.fleet, check, history), np.float32)[:, None]
    if check in SERVER_CHECKS:
        return _found(history.per_server, check, history)
    if check == "metric":
        return _found(history.metrics, metric, history)
    raise UsageError(
        f"A rule on {check} cannot be tuned: it has no bar. Take one on a probability, a risk or a metric."
    )


def _found(arrays: Mapping[str, FloatArray], name: str, history: History) -> FloatArray:
    values = arrays.get(name)
    if values is None:
        known = ", ".join([*history.fleet, *history.per_server, *history.metrics]) or "nothing"
        raise UsageError(f"The history of '{history.source}' has no {name}; it has {known}.")
    return values


@dataclass(frozen=True, slots=True, order=True)
class Incident:
    """Something turned critical.

    :param server: "" = in the fleet.
    """

    onset_ms: int
    server: str = ""


def incidents_of(history: History, *, fleet: bool) -> tuple[Incident, ...]:
    """The incidents in a history by the contract's thresholds, in order of time, none derived from a label.

    What is critical at the first tick began before it and is none.

    :param fleet: whether those of the fleet as a whole: one in which no server was critical turns critical.
    """
    if not history.metrics or not len(history.times):
        return ()
    critical = derive_states(history.metrics) == CRITICAL_ISSUE
    if fleet:
        critical = critical.any(axis=1, keepdims=True)
    servers = WHOLE_FLEET if fleet else history.servers
    found = [
        Incident(int(history.times[tick]), server)
        for place, server in enumerate(servers)
        for tick in _onsets(critical[:, place], history.times)
    ]
    return tuple(sorted(found))


def _onsets(critical: NDArray[np.bool_], times: Times) -> list[int]:
    ticks = np.flatnonzero(critical)
    if not len(ticks):
        return []
    pauses = np.diff(times[ticks], prepend=np.iinfo(np.int64).min // 2)
    return [tick for tick in ticks[pauses > QUIET_MS].tolist() if tick > 0]


def incidents_by_people(problems: Iterable[tuple[Problem, Remarks]], *, fleet: bool) -> tuple[Incident, ...]:
    """The problems that people have called true: each an incident of the fleet, or of its likely origin."""
    true = [problem for problem, remarks in problems if remarks.outcome == "true"]
    if fleet:
        return tuple(sorted(Incident(problem.opened_ms) for problem in true))
    return tuple(sorted(Incident(problem.opened_ms, problem.origin) for problem in true if problem.origin))
