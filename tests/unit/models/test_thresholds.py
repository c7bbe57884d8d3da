from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.models.windows import changed, fleet, troubled, with_metrics
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.scenarios.generate import Simulation, simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import ASSESSMENT_FIELDS, METRIC_NAMES, METRICS, Assessments, Driver, FloatArray, Window


def assess(window: Window) -> Assessments:
    return ThresholdModel().assess_recording(window)


def driver(window: Window, answer: Assessments, tick: int, server: int, place: int = 0) -> Driver:
    metric = METRICS[answer.driver_metric[tick, server, place]].name
    return Driver(metric, float(window.metrics[metric][tick, server]), float(answer.driver_usual[tick, server, place]))


def test_the_script_of_a_drill_changes_nothing() -> None:
    window = troubled()
    for left, right in ((assess(window), assess(replace(window, phases=None))),):
        for name in ASSESSMENT_FIELDS:
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_the_driver_is_what_went_wrong_beside_what_is_usual() -> None:
    window = changed(fleet(), "error_rate", 0.42)
    answer = assess(window)
    found = driver(window, answer, 39, 0)
    assert (found.metric, found.words) == ("error_rate", "error_rate 0.42, usually 0.003")
    assert (answer.driver_metric[39, 1:] == -1).all()
    assert answer.driver_metric[39, 0, 1] == -1


def test_the_stronger_of_two_reasons_comes_first() -> None:
    window = changed(changed(fleet(), "cpu_pct", 60.0), "error_rate", 0.42)
    answer = assess(window)
    assert [driver(window, answer, 39, 0, place).metric for place in (0, 1)] == ["error_rate", "cpu_pct"]


def test_nothing_is_called_usual_before_anything_was_seen() -> None:
    window = changed(fleet(3), "cpu_pct", 99.0, first=0)
    answer = assess(window)
    assert answer.driver_metric[2, 0, 0] == METRIC_NAMES.index("cpu_pct")
    assert np.isnan(answer.driver_usual[2, 0, 0])


@pytest.mark.parametrize(("metric", "value"), [("cpu_pct", 97.0), ("mem_pct", 95.0), ("latency_ms", 1_500.0)])
def test_one_metric_at_its_critical_line_is_a_severe_risk(metric: str, value: float) -> None:
    answer = assess(changed(fleet(), metric, value))
    assert answer.risk[39, 0] > 0.7
    assert answer.risk[39, 1:].max() < 0.1
    assert answer.prob_30m[39] > 0.4


def test_a_higher_value_is_a_higher_risk() -> None:
    risks = [assess(changed(fleet(), "cpu_pct", value)).risk[39, 0] for value in (35, 45, 55, 65, 75, 85, 95)]
    assert (np.diff(risks) > 0).all()


@pytest.mark.parametrize(("metric", "value"), [("cpu_pct", 1.0), ("net_in_mb_s", 0.0), ("disk_io_mb_s", 200.0)])
def test_drops_and_metrics_without_a_line_are_noticed_but_never_severe(metric: str, value: float) -> None:
    risk = assess(changed(fleet(), metric, value)).risk[:, 0]
    assert 0.2 < risk[33] < 0.4


def test_a_small_step_on_an_idle_server_is_no_incident() -> None:
    window = fleet(1_300, 1, step_seconds=300.0)
    idle = with_metrics(window, {"cpu_pct": np.full((1_300, 1), 0.1, np.float32)})
    assert assess(changed(idle, "cpu_pct", 0.4, first=1_200)).risk.max() < 0.1
    assert assess(changed(idle, "cpu_pct", 6.0, first=1_200)).risk.max() > 0.2


def test_a_single_spike_counts_less_than_two_in_a_row() -> None:
    window = fleet(metrics=("cpu_pct",))
    spike = changed(changed(window, "cpu_pct", 60.0), "cpu_pct", 35.0, first=31)
    lasting = changed(window, "cpu_pct", 60.0)
    assert assess(spike).risk[:, 0].max() < 0.9 * assess(lasting).risk[:, 0].max()


def test_a_server_that_is_always_nearly_full_is_normal_after_a_while() -> None:
    window = fleet(400, metrics=("mem_pct",), noise=0.002)
    full = with_metrics(window, {"mem_pct": window.metrics["mem_pct"] * np.float32(96 / 55)})
    risk = assess(full).risk
    assert risk[5].min() > 0.3
    assert risk[200:].max() < 0.15


def test_an_incident_is_not_learnt_as_normal_while_it_lasts() -> None:
    risk = assess(changed(fleet(240), "cpu_pct", 95.0, first=80)).risk[:, 0]
    assert risk[84:].min() > 0.7


def test_a_level_that_stays_for_a_working_day_becomes_normal() -> None:
    window = changed(fleet(400, step_seconds=600.0), "cpu_pct", 70.0, first=200)
    risk = assess(window).risk[:, 0]
    assert risk[210] > 0.4
    assert risk[200 + 60 :].max() < 0.15


def test_a_return_to_the_former_level_is_no_surprise() -> None:
    window = changed(fleet(400, step_seconds=600.0, metrics=("cpu_pct",)), "cpu_pct", 12.0, first=200)
    returned = window.metrics["cpu_pct"].copy()
    returned[300:] = fleet(400, step_seconds=600.0, metrics=("cpu_pct",)).metrics["cpu_pct"][300:]
    assert assess(with_metrics(window, {"cpu_pct": returned})).risk[300:, 0].max() < 0.15


def test_a_job_that_spikes_every_night_is_normal_from_the_second_night_on() -> None:
    window = fleet(5 * 144, step_seconds=600.0, metrics=("cpu_pct",))
    spiky = window.metrics["cpu_pct"].copy()
    spiky[60::144, 0] = 70.0
    risk = assess(with_metrics(window, {"cpu_pct": spiky})).risk[60::144, 0]
    assert risk[0] > 0.3
    assert risk[1:].max() < 0.2


def test_the_same_incident_again_is_an_incident_again() -> None:
    window = fleet(400, step_seconds=60.0)
    columns: dict[str, FloatArray] = {name: values.copy() for name, values in window.metrics.items()}
    columns["cpu_pct"][200:212, 0] = 97.0
    columns["cpu_pct"][240:252, 0] = 97.0
    risk = assess(with_metrics(window, columns)).risk[:, 0]
    assert risk[210] > 0.9
    assert risk[250] > 0.7
    assert risk[225:238].max() < 0.2


def test_units_do_not_matter_to_flows() -> None:
    window = changed(fleet(metrics=("net_in_mb_s",)), "net_in_mb_s", 80.0)
    larger = with_metrics(window, {"net_in_mb_s": window.metrics["net_in_mb_s"] * np.float32(8)})
    np.testing.assert_allclose(assess(window).risk, assess(larger).risk, atol=0.01)


@pytest.mark.parametrize("servers", [10, 1_000])
def test_a_healthy_fleet_is_at_rest_however_large_it_is(servers: int) -> None:
    answer = assess(fleet(120, servers))
    assert 0.05 <= np.median(answer.prob_30m) <= 0.12
    assert answer.prob_30m.max() < 0.15


def drill(name: str, **size: int) -> tuple[Simulation, Assessments]:
    simulation = simulate(load_scenario(name).with_overrides(**size))
    return simulation, assess(simulation.window)


@pytest.mark.parametrize(
    "size",
    [
        {},
        {"seed": 1},
        {"seed": 77},
        {"fleet_size": 4},
        {"fleet_size": 200},
        {"duration_seconds": 600},
        {"duration_seconds": 1800, "tick_seconds": 60},
        {"tick_seconds": 1},
    ],
    ids=str,
)
def test_the_default_drill_is_told_as_the_script_means_it(size: dict[str, int]) -> None:
    simulation, answer = drill("degrading", **size)
    affected = np.isin(simulation.window.servers, simulation.affected)
    phases = np.array(simulation.phases)
    at = {name: np.flatnonzero(phases == name) for name in ("stable", "escalation", "peak")}
    middle = at["escalation"][len(at["escalation"]) // 2]
    assert 0.05 <= np.median(answer.prob_30m[at["stable"]]) <= 0.15
    assert 0.3 <= answer.prob_30m[middle] <= 0.6
    assert 0.7 <= answer.prob_30m[at["peak"]].min() <= answer.prob_30m[at["peak"]].max() <= 0.9
    assert answer.prob_30m[-1] < 0.2
    if not affected.all():
        assert answer.risk[:, ~affected].max() <= 0.2
    for tick in range(middle, at["peak"][-1] + 1):
        assert set(np.argsort(-answer.risk[tick])[: affected.sum()]) == set(np.flatnonzero(affected))


def test_early_warning_rises_before_the_first_critical_state_after_a_quiet_day() -> None:
    simulation, answer = drill("early-warning")
    first_critical = int(np.flatnonzero((simulation.states == 2).any(axis=1))[0])
    assert answer.prob_30m[:288].max() < 0.15
    assert answer.prob_30m[first_critical - 6 : first_critical].max() > 0.2
