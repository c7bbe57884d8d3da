from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tft_dash.errors import ExpectationError
from tft_dash.scenarios.document import Scenario, parse_document
from tft_dash.scenarios.expectations import Outcome, evaluate, require
from tft_dash.scenarios.generate import Simulation, simulate
from tft_dash.schema import Assessments


def assessments(risk: np.ndarray, prob_30m: np.ndarray) -> Assessments:
    ticks, servers = risk.shape
    return Assessments(
        risk.astype(np.float32),
        np.full((ticks, servers, 2), -1, np.int8),
        np.full((ticks, servers, 2), np.nan, np.float32),
        prob_30m.astype(np.float32),
        np.minimum(prob_30m + 0.1, 1).astype(np.float32),
    )


def made(document: dict[str, Any], *checks: dict[str, Any]) -> tuple[Scenario, Simulation]:
    document["spec"]["expect"] = list(checks)
    scenario = parse_document(document, "test")
    return scenario, simulate(scenario)


def judged(document: dict[str, Any], check: dict[str, Any]) -> Outcome:
    """web-001 is at 0.9 while the storm lasts and at 0.1 otherwise, web-002 always at 0.25, db-001 unknown."""
    scenario, drill = made(document, check)
    storm = np.array([phase == "storm" for phase in drill.phases])
    risk = np.stack([np.where(storm, 0.9, 0.1), np.full(20, 0.25), np.full(20, np.nan)], axis=1)
    return evaluate(scenario, drill, assessments(risk, np.where(storm, 0.8, 0.05)))[0]


@pytest.mark.parametrize(
    ("check", "measured", "ok"),
    [
        ({"check": "top", "phase": "storm", "count": 1}, 1.0, True),
        ({"check": "top", "count": 1}, 0.4, False),
        ({"check": "top", "count": 1, "ticks": 0.4}, 0.4, True),
        ({"check": "top", "count": 2}, 1.0, True),
        ({"check": "top", "phase": "storm", "count": 1, "servers": ["web-002"]}, 0.0, False),
        ({"check": "top", "phase": "storm", "count": 1, "fault": "hot"}, 1.0, True),
        ({"check": "prob_30m", "phase": "storm", "above": 0.7, "below": 0.9}, 0.8, True),
        ({"check": "prob_30m", "phase": "storm", "below": 0.8}, 0.8, False),
        ({"check": "prob_30m", "statistic": "max", "below": 0.5}, 0.8, False),
        ({"check": "prob_30m", "statistic": "min", "below": 0.06}, 0.05, True),
        ({"check": "prob_8h", "phase": "calm", "above": 0.14}, 0.15, True),
        ({"check": "risk", "whom": "unaffected", "statistic": "max", "below": 0.3}, 0.25, True),
        ({"check": "risk", "whom": "unaffected", "statistic": "max", "below": 0.25}, 0.25, False),
        ({"check": "risk", "whom": "unaffected", "statistic": "min", "above": 0.25}, 0.25, False),
        ({"check": "risk", "whom": "affected", "phase": "storm", "above": 0.95}, 0.9, False),
        ({"check": "health", "never_worse_than": "GREEN", "phase": "calm"}, 0.05, True),
        ({"check": "health", "never_worse_than": "YELLOW"}, 0.8, False),
        ({"check": "state", "phase": "storm", "state": "critical_issue", "at_least": 0.9}, 1.0, True),
        ({"check": "state", "state": "critical_issue", "at_most": 0}, 0.4, False),
        ({"check": "state", "whom": "unaffected", "state": "online", "at_least": 1}, 1.0, True),
    ],
)
def test_an_expectation_is_measured_and_judged(
    document: dict[str, Any], check: dict[str, Any], measured: float, ok: bool
) -> None:
    outcome = judged(document, check)
    assert outcome.measured == pytest.approx(measured, abs=1e-6)
    assert outcome.ok is ok


@pytest.mark.parametrize(
    "check",
    [
        {"check": "prob_30m", "above": 0.5, "fleet_of_at_least": 4},
        {"check": "top", "fault": "cold"},
        {"check": "risk", "whom": "affected", "above": 2e-3, "phase": "after", "fleet_of_at_least": 9},
    ],
)
def test_what_does_not_apply_to_a_fleet_is_left_open(document: dict[str, Any], check: dict[str, Any]) -> None:
    document["spec"]["fleet"]["profiles"].append({"name": "cache", "count": 0})
    document["spec"]["faults"].append({"id": "cold", "what": "cpu", "whom": {"profile": "cache"}})
    outcome = judged(document, check)
    assert (outcome.measured, outcome.ok) == (None, None)


def test_without_an_assessment_only_states_are_judged(document: dict[str, Any]) -> None:
    checks: list[dict[str, Any]] = [
        {"check": "top"},
        {"check": "prob_30m", "above": 0.5},
        {"check": "risk", "above": 0.5},
        {"check": "health", "never_worse_than": "GREEN"},
        {"check": "state", "whom": "all", "state": "offline", "at_most": 0},
    ]
    scenario, drill = made(document, *checks)
    assert [outcome.ok for outcome in evaluate(scenario, drill)] == [None, None, None, None, True]


def test_an_assessment_that_says_nothing_is_left_open(document: dict[str, Any]) -> None:
    scenario, drill = made(document, {"check": "prob_30m", "above": 0.5}, {"check": "risk", "above": 0.5})
    nothing = assessments(np.full((20, 3), np.nan), np.full(20, np.nan))
    assert [outcome.ok for outcome in evaluate(scenario, drill, nothing)] == [None, None]


def test_outcomes_are_sentences(document: dict[str, Any]) -> None:
    outcome = judged(document, {"check": "prob_30m", "phase": "storm", "above": 0.7, "below": 0.9})
    assert outcome.words == "median prob_30m above 0.7 and below 0.9 during storm"


def test_broken_expectations_are_all_named_with_what_was_found(document: dict[str, Any]) -> None:
    checks: list[dict[str, Any]] = [
        {"check": "state", "state": "critical_issue", "at_most": 0},
        {"check": "state", "state": "offline", "at_least": 0.5},
        {"check": "state", "state": "offline", "at_most": 0},
    ]
    scenario, drill = made(document, *checks)
    outcomes = evaluate(scenario, drill)
    with pytest.raises(ExpectationError) as caught:
        require(scenario, outcomes)
    lines = str(caught.value).splitlines()
    assert lines[0] == "The drill 'small' breaks 2 of 3 expectations of its document:"
    assert lines[1].endswith("critical_issue in 0% to 0% of samples: found 0.4")
    require(scenario, outcomes[2:])
