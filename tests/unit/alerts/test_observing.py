"""A recorded tick as an observation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from support.alerts import NAN, START, observed

from tft_dash.alerts.observing import Observation, milliseconds, observation_of, observations_of, silence_of
from tft_dash.alerts.rulebook import shipped_rules
from tft_dash.alerts.rules import FLEET_CHECKS
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import METRIC_NAMES, NO_STATE, derive_states
from tft_dash.ticks import Roster, TickRecord


def test_a_recorded_tick_is_the_observation_that_a_recording_gives() -> None:
    window = simulate(load_scenario("cascade")).window
    said, states = ThresholdModel().assess_recording(window), derive_states(window.metrics)
    tick = 50
    expected = list(observations_of("fleet", window, states, said))[tick]
    record = TickRecord(
        source="fleet",
        tick=tick,
        time=window.start + np.timedelta64(tick * 5_000, "ms"),
        issued=window.start + np.timedelta64(tick * 5_000, "ms"),
        model="thresholds 1",
        roster=Roster.of(window.servers, window.profiles),
        metrics={name: values[tick] for name, values in window.metrics.items()},
        states=states[tick],
        risk=said.risk[tick],
        driver_metric=said.driver_metric[tick],
        driver_usual=said.driver_usual[tick],
        server_prob_30m=said.server_prob_30m[tick],
        server_prob_8h=said.server_prob_8h[tick],
        prob_30m=float(said.prob_30m[tick]),
        prob_8h=float(said.prob_8h[tick]),
        cpu_median=NAN,
        latency_p95=NAN,
        error_mean=NAN,
        reporting=10,
        silent_ticks=np.zeros(len(window.servers), np.int32),
    )
    found = observation_of(record, window.step_seconds)
    assert found.model == record.model
    for field in fields(Observation):
        if field.name == "model":  # an assessment does not say whose it is
            continue
        np.testing.assert_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)
    assert found.drivers(window.servers.index("db-001"))
    looked_at = [rule.when.check for rule in shipped_rules().rules if rule.when.check in FLEET_CHECKS]
    assert looked_at
    assert all(np.isfinite(found.fleet[check]) for check in looked_at), "a rule that comes with it can fire"


@pytest.mark.parametrize(
    ("step_ms", "late_ms", "past"),
    [(5_000, 15_000, False), (5_000, 60_000, False), (5_000, 60_001, True), (300_000, 1_200_000, False),
     (300_000, 1_200_001, True)],
)  # fmt: skip
def test_a_tick_is_about_the_past_when_it_was_recorded_much_later(step_ms: int, late_ms: int, past: bool) -> None:
    assert Observation("fleet", 0, START, START + late_ms, step_ms).past is past


def test_a_server_reports_where_a_metric_has_a_value_and_is_heard_of_where_it_is_known_to_be_down() -> None:
    silent = observed(0, [NAN, NAN], metrics={"cpu_pct": [NAN, NAN], "mem_pct": [NAN, NAN]})
    assert (silent.reports.tolist(), silent.heard) == ([False, False], False)
    one = observed(0, [NAN, NAN], metrics={"cpu_pct": [NAN, NAN], "mem_pct": [NAN, 5]})
    assert (one.reports.tolist(), one.heard) == ([False, True], True)
    down = observed(0, [NAN, NAN], states=np.array([3, NO_STATE], np.int8))
    assert (down.reports.tolist(), down.heard) == ([False, False], True)


def test_a_driver_that_is_not_measured_any_more_is_left_out() -> None:
    both = np.array([[METRIC_NAMES.index("cpu_pct"), METRIC_NAMES.index("gc_pause_ms")]], np.int8)
    seen = observed(0, [0.9], metrics={"cpu_pct": [95]}, driver_metric=both)
    assert [driver.metric for driver in seen.drivers(0)] == ["cpu_pct"]


def test_a_silence_is_of_the_moment_of_asking() -> None:
    asked = np.datetime64("2026-05-01T00:00:30.500", "ms")
    seen = silence_of("fleet", 7, asked, 5.0)
    assert (seen.tick, seen.time_ms, seen.issued_ms, seen.step_ms) == (
        7,
        milliseconds(asked),
        milliseconds(asked),
        5_000,
    )
    assert not seen.answered
    assert not seen.heard
