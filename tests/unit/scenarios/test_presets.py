from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tft_dash.models.base import MODELS
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.expectations import evaluate
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.schema import CRITICAL_ISSUE, OFFLINE, ONLINE, WARNING

SIZES: tuple[dict[str, Any], ...] = (
    {},
    {"seed": 1},
    {"seed": 2**63 - 1},
    {"fleet_size": 1},
    {"fleet_size": 4},
    {"fleet_size": 60},
)


def broken(scenario: Scenario) -> list[str]:
    drill = simulate(scenario)
    assessments = MODELS.load("thresholds")().assess_recording(drill.window)
    outcomes = evaluate(scenario, drill, assessments)
    return [f"{outcome.words}: {outcome.measured}" for outcome in outcomes if outcome.ok is False]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", preset_names())
def test_a_preset_does_what_it_says_with_other_seeds_and_fleets(name: str, size: dict[str, Any]) -> None:
    assert broken(load_scenario(name).with_overrides(**size)) == []


@pytest.mark.parametrize("factor", [0.5, 3])
@pytest.mark.parametrize("name", preset_names())
def test_a_preset_does_what_it_says_in_another_duration(name: str, factor: float) -> None:
    scenario = load_scenario(name)
    assert broken(scenario.with_overrides(duration_seconds=scenario.spec.clock.duration * factor)) == []


def test_every_expectation_is_judged_on_the_preset_itself() -> None:
    for name in preset_names():
        scenario = load_scenario(name)
        drill = simulate(scenario)
        outcomes = evaluate(scenario, drill, MODELS.load("thresholds")().assess_recording(drill.window))
        assert all(outcome.ok is not None for outcome in outcomes), name


@pytest.mark.parametrize("seed", [42, 1, 2, 3, 4, 5])
def test_the_default_drill_warns_before_it_is_critical_and_recovers(seed: int) -> None:
    drill = simulate(load_scenario("degrading").with_overrides(seed=seed))
    assert drill.affected == ("web-001", "api-001", "db-001", "cache-001")
    affected = np.isin(drill.window.servers, drill.affected)
    states = drill.states[:, affected]
    assert (drill.states[:, ~affected] == ONLINE).all()
    assert (states[:18] == ONLINE).all()
    assert (states[24] == WARNING).all()
    assert not (states[:26] == CRITICAL_ISSUE).any()
    assert np.mean(states[30:42] == CRITICAL_ISSUE) > 0.9
    assert (states[54:] == ONLINE).all()


def test_the_default_drill_rises_and_falls_back_in_its_metrics() -> None:
    metrics = simulate(load_scenario("degrading")).window.metrics
    for name in ("cpu_pct", "latency_ms", "error_rate"):
        web = metrics[name][:, 0]
        usual, middle, peak, end = web[:18].mean(), web[24], web[36:42].mean(), web[59]
        assert 1.3 * usual < middle < peak, name
        assert end == pytest.approx(usual, rel=1.2 if name == "error_rate" else 0.25), name


def test_in_the_cascade_the_cause_shows_first() -> None:
    drill = simulate(load_scenario("cascade"))
    onset = {
        server: int(np.flatnonzero(drill.states[:, place] != ONLINE)[0])
        for place, server in enumerate(drill.window.servers)
        if (drill.states[:, place] != ONLINE).any()
    }
    assert onset["db-001"] < min(onset[f"api-00{n}"] for n in (1, 2, 3))
    assert max(onset[f"api-00{n}"] for n in (1, 2, 3)) < min(onset[f"web-00{n}"] for n in (1, 2, 3, 4))
    assert "db-002" not in onset


def test_in_the_critical_drill_a_server_goes_down_and_comes_back() -> None:
    drill = simulate(load_scenario("critical"))
    assert (drill.states[:, 0] == OFFLINE).sum() == 5
    assert drill.states[-1, 0] == ONLINE


def test_early_warning_has_a_quiet_day_and_precursors_before_the_first_critical_state() -> None:
    scenario = load_scenario("early-warning")
    drill = simulate(scenario)
    clock = scenario.spec.clock
    assert (clock.tick / clock.playback_speed, clock.ticks) == (5.0, 360)
    assert (drill.states[:288] == ONLINE).all()
    first_critical = np.flatnonzero((drill.states == CRITICAL_ISSUE).any(axis=1))[0]
    latency = drill.window.metrics["latency_ms"]
    for server in drill.affected:
        place = drill.window.servers.index(server)
        raised = np.flatnonzero(latency[:, place] > 1.5 * latency[:288, place].max())[0]
        assert 3 <= first_critical - raised <= 36, server
    assert (drill.states[-3:] != CRITICAL_ISSUE).all()
