"""Whether a drill does what its document expects of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import ExpectationError
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.fleet import Places, Roster
from tft_dash.scenarios.format.expect import (
    Expectation,
    HealthCheck,
    ProbabilityCheck,
    RiskCheck,
    StateCheck,
    TopCheck,
)
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.generate import Simulation
from tft_dash.schema import HEALTH_BANDS, STATES, Assessments, FloatArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one expectation.

    :param words: the expectation as a sentence.
    :param measured: the value found; None when there was nothing to measure.
    :param ok: whether it holds. None when it was not judged: no such tick or server, too small a fleet, or no
        assessment given.
    """

    words: str
    measured: float | None
    ok: bool | None


@dataclass(frozen=True, slots=True)
class _Evidence:
    spec: Spec
    roster: Roster
    drill: Simulation
    places: Places
    affected: Flags
    assessments: Assessments | None

    def whom(self, word: str) -> Flags:
        return {"affected": self.affected, "unaffected": ~self.affected, "all": np.ones_like(self.affected)}[word]

    def wanted(self, check: TopCheck) -> Flags:
        """The servers that should be on top."""
        if check.servers is not None:
            return np.isin(self.drill.window.servers, check.servers)
        if check.fault is None:
            return self.affected
        fault = next(fault for fault in self.spec.faults if fault.id == check.fault)
        return np.isin(self.places, self.roster.struck(fault, self.spec.seed))

    def covers(self, check: Expectation) -> bool:
        """Whether all that the expectation names is there; a part of a fleet may lack some servers."""
        named = check.servers if isinstance(check, TopCheck) else None
        return self.spec.fleet.size >= check.fleet_of_at_least and set(named or ()) <= set(self.drill.window.servers)


def evaluate(scenario: Scenario, drill: Simulation, assessments: Assessments | None = None) -> tuple[Outcome, ...]:
    """An outcome for every entry of the document's ``expect``, in order.

    :param drill: what the document makes; of some of its servers, it is judged by those.
    :param assessments: what a model says of it, tick for tick; without it only states are judged.
    """
    roster, servers = Roster(scenario.spec.fleet), drill.window.servers
    places = np.array([roster.place[name] for name in servers], np.intp)
    evidence = _Evidence(scenario.spec, roster, drill, places, np.isin(servers, drill.affected), assessments)
    return tuple(_outcome(check, evidence) for check in scenario.spec.expect)


def require(scenario: Scenario, outcomes: tuple[Outcome, ...]) -> None:
    """Nothing when every expectation that could be judged holds.

    :raises ExpectationError: names each one that does not, with what was found.
    """
    broken = [f"  {outcome.words}: found {_number(outcome.measured)}" for outcome in outcomes if outcome.ok is False]
    if broken:
        count = f"{len(broken)} of {len(outcomes)} expectations"
        raise ExpectationError("\n".join([f"The drill '{scenario.name}' breaks {count} of its document:", *broken]))


def _outcome(check: Expectation, evidence: _Evidence) -> Outcome:
    ticks = np.array([check.phase in (None, phase) for phase in evidence.drill.phases], bool)
    where = f" during {check.phase}" if check.phase else ""
    words, test = _sentence(check)
    is_judged = ticks.any() and evidence.covers(check)
    found = _measure(check, evidence, ticks) if is_judged else None
    if found is None or np.isnan(found):
        return Outcome(words + where, None, None)
    return Outcome(words + where, round(found, 6), test(found))


def _sentence(check: Expectation) -> tuple[str, Callable[[float], bool]]:
    """The expectation in words, and what its measured value must pass."""
    if isinstance(check, TopCheck):
        struck = f"the servers with the fault {check.fault}" if check.fault else "the affected servers"
        who = ", ".join(check.servers) if check.servers else struck
        return f"{who} among the top {check.count} in {check.ticks:.0%} of ticks", lambda share: share >= check.ticks
    if isinstance(check, HealthCheck):
        worst = next(band.upper for band in HEALTH_BANDS if band.name.upper() == check.never_worse_than)
        return f"health never worse than {check.never_worse_than}", lambda value: value <= worst
    if isinstance(check, StateCheck):
        low, high = check.at_least or 0.0, 1.0 if check.at_most is None else check.at_most
        return (
            f"{check.whom} servers {check.state} in {low:.0%} to {high:.0%} of samples",
            lambda share: low <= share <= high,
        )
    low = -1.0 if check.above is None else check.above
    high = 2.0 if check.below is None else check.below
    bounds = [f"above {check.above:g}"] if check.above is not None else []
    bounds += [f"below {check.below:g}"] if check.below is not None else []
    subject = f"risk of {check.whom} servers" if isinstance(check, RiskCheck) else check.check
    return f"{check.statistic} {subject} {' and '.join(bounds)}", lambda value: low < value < high


def _measure(check: Expectation, evidence: _Evidence, ticks: Flags) -> float | None:
    said = evidence.assessments
    if isinstance(check, StateCheck):
        chosen = evidence.drill.states[ticks][:, evidence.whom(check.whom)]
        return float(np.mean(chosen == STATES.index(check.state))) if chosen.size else None
    if said is None:
        return None
    if isinstance(check, TopCheck):
        return _share_on_top(evidence.wanted(check), said.risk[ticks], check.count)
    if isinstance(check, RiskCheck):
        return _statistic(check.statistic, said.risk[ticks][:, evidence.whom(check.whom)])
    if isinstance(check, ProbabilityCheck):
        return _statistic(check.statistic, getattr(said, check.check)[ticks])
    return _statistic("max", said.prob_30m[ticks])


def _share_on_top(wanted: Flags, risk: FloatArray, count: int) -> float | None:
    """The share of ticks in which all ``wanted`` servers, or as many as there is room for, are the riskiest."""
    if not wanted.any():
        return None
    order = np.argsort(-np.nan_to_num(risk, nan=-1.0), axis=1, kind="stable")[:, :count]
    return float(np.mean(wanted[order].sum(axis=1) >= min(count, wanted.sum())))


_STATISTICS: Final[Mapping[str, Callable[[Any], Any]]] = {"median": np.median, "min": np.min, "max": np.max}


def _statistic(name: str, values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(_STATISTICS[name](known)) if known.size else None


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.3g}"
