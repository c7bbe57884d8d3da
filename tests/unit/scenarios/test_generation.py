from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from tft_dash.scenarios.document import parse_document
from tft_dash.scenarios.effects import Course, response
from tft_dash.scenarios.generate import Simulation, drill_blocks, simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.scenarios.profiles import USUAL_EFFECTS
from tft_dash.scenarios.signals import normals, stream, uniforms
from tft_dash.schema import METRIC_NAMES, METRICS, NO_STATE, OFFLINE, ONLINE

Document = dict[str, Any]


def simulated(document: Document) -> Simulation:
    return simulate(parse_document(document, "test"))


def with_fault(document: Document, **fault: Any) -> Document:
    changed = copy.deepcopy(document)
    changed["spec"]["faults"] = [{"id": "it", "whom": {"profile": "web", "first": 1}, **fault}]
    return changed


def without_faults(document: Document) -> Document:
    changed = copy.deepcopy(document)
    changed["spec"]["faults"] = []
    return changed


def differing(left: Simulation, right: Simulation) -> set[tuple[str, str]]:
    """Metric and server of every series that is not the same to the bit."""
    return {
        (name, server)
        for name in METRIC_NAMES
        for place, server in enumerate(left.window.servers)
        if not np.array_equal(left.window.metrics[name][:, place], right.window.metrics[name][:, place], equal_nan=True)
    }


def test_the_same_document_makes_the_same_values_to_the_bit(document: Document) -> None:
    assert not differing(simulated(document), simulated(copy.deepcopy(document)))


def test_another_seed_changes_every_series(document: Document) -> None:
    other = copy.deepcopy(document)
    other["spec"]["seed"] = 8
    assert len(differing(simulated(document), simulated(other))) == len(METRIC_NAMES) * 3


def test_neither_other_generators_nor_numpys_global_state_matter(document: Document) -> None:
    before = simulated(document)
    np.random.seed(1)  # noqa: NPY002
    blocks = drill_blocks(load_scenario("degrading").spec, rows=20)
    next(blocks)
    after = simulated(document)
    next(blocks)
    assert not differing(before, after)


def test_the_values_do_not_depend_on_how_the_drill_is_cut_into_blocks() -> None:
    spec = load_scenario("critical").spec
    whole = next(drill_blocks(spec))
    for rows in (1, 70, 450):
        parts = list(drill_blocks(spec, rows=rows))
        assert len(parts) > 1
        assert np.array_equal(np.concatenate([part.scaled for part in parts], axis=1), whole.scaled)
        assert np.array_equal(np.concatenate([part.silent for part in parts]), whole.silent)
        assert np.array_equal(np.concatenate([part.states for part in parts]), whole.states)


def test_adding_servers_changes_no_other_server(document: Document) -> None:
    larger = copy.deepcopy(document)
    larger["spec"]["fleet"]["profiles"][0]["count"] = 5
    larger["spec"]["fleet"]["profiles"].insert(0, {"name": "cache", "count": 2})
    small, large = simulated(document), simulated(larger)
    for place, server in enumerate(small.window.servers):
        there = large.window.servers.index(server)
        for name in METRIC_NAMES:
            assert np.array_equal(small.window.metrics[name][:, place], large.window.metrics[name][:, there])


@pytest.mark.parametrize("what", sorted(set(USUAL_EFFECTS) - {"crash", "gaps"}))
def test_a_fault_shows_in_the_metrics_it_touches_and_nowhere_else(document: Document, what: str) -> None:
    calm, struck = simulated(without_faults(document)), simulated(with_fault(document, what=what))
    assert differing(calm, struck) == {(metric, "web-001") for metric in USUAL_EFFECTS[what]}
    for metric in USUAL_EFFECTS[what]:
        before, during = calm.window.metrics[metric][8:16, 0], struck.window.metrics[metric][8:16, 0]
        assert np.all(np.abs(during - before) > 3 * np.std(before)), metric
        assert np.array_equal(calm.window.metrics[metric][:8, 0], struck.window.metrics[metric][:8, 0])


def test_a_strength_decides_which_metrics_show_a_fault_and_how_much(document: Document) -> None:
    strength = {"mem_pct": 10, "disk_io_mb_s": {"times": 3}, "latency_ms": {"to": 400}}
    calm = simulated(without_faults(document))
    struck = simulated(with_fault(document, what="cpu", strength=strength, jitter=0))
    assert differing(calm, struck) == {(metric, "web-001") for metric in strength}
    peak = {metric: struck.window.metrics[metric][8:16, 0].mean() for metric in strength}
    usual = {metric: calm.window.metrics[metric][8:16, 0].mean() for metric in strength}
    assert peak["mem_pct"] == pytest.approx(usual["mem_pct"] + 10, abs=0.01)
    assert peak["disk_io_mb_s"] == pytest.approx(usual["disk_io_mb_s"] * 3, rel=0.15)
    assert peak["latency_ms"] == pytest.approx(400, rel=0.1)


def test_a_lag_moves_a_faults_onset_and_end(document: Document) -> None:
    calm = simulated(without_faults(document)).window.metrics["cpu_pct"][:, 0]
    late = simulated(with_fault(document, what="cpu", lag="10s")).window.metrics["cpu_pct"][:, 0]
    assert np.flatnonzero(late != calm).tolist() == list(range(10, 18))


def test_a_fault_with_its_own_span_does_not_follow_the_phases(document: Document) -> None:
    calm = simulated(without_faults(document)).window.metrics["cpu_pct"][:, 0]
    own = simulated(with_fault(document, what="cpu", **{"from": "5s", "to": "20s"})).window.metrics["cpu_pct"][:, 0]
    assert np.flatnonzero(own != calm).tolist() == [1, 2, 3]


def test_at_a_twentieth_of_its_intensity_a_fault_is_hardly_visible(document: Document) -> None:
    document["spec"]["phases"][1]["intensity"] = 0.05
    calm, struck = simulated(without_faults(document)), simulated(with_fault(document, what="cpu"))
    change = struck.window.metrics["cpu_pct"][:, 0] - calm.window.metrics["cpu_pct"][:, 0]
    assert 0 < np.max(np.abs(change)) < 1.0


def test_faults_on_one_metric_add_up_in_any_order(document: Document) -> None:
    both = [
        {"id": "a", "what": "cpu", "whom": {"names": ["web-001"]}, "strength": {"cpu_pct": 10}},
        {"id": "b", "what": "cpu", "whom": {"names": ["web-001"]}, "strength": {"cpu_pct": 5}},
    ]
    document["spec"]["faults"] = both
    one = simulated(document)
    document["spec"]["faults"] = both[::-1]
    assert not differing(one, simulated(document))
    calm = simulated(without_faults(document))
    rise = one.window.metrics["cpu_pct"][8:16, 0] - calm.window.metrics["cpu_pct"][8:16, 0]
    assert rise.mean() == pytest.approx(15, rel=0.1)


def test_a_crash_takes_a_server_offline_with_no_metrics_and_back(document: Document) -> None:
    crashed = simulated(with_fault(document, what="crash", **{"from": "20s", "to": "40s"}))
    assert np.flatnonzero(crashed.states[:, 0] == OFFLINE).tolist() == [4, 5, 6, 7]
    for values in crashed.window.metrics.values():
        assert np.flatnonzero(np.isnan(values[:, 0])).tolist() == [4, 5, 6, 7]
        assert not np.isnan(values[:, 1:]).any()
    calm = simulated(without_faults(document))
    up = crashed.states[:, 0] != OFFLINE
    assert np.array_equal(crashed.window.metrics["cpu_pct"][up, 0], calm.window.metrics["cpu_pct"][up, 0])


def test_gaps_lose_about_as_many_samples_as_their_intensity_says(document: Document) -> None:
    document["spec"] |= {"clock": {"duration": "1000s", "tick": "1s"}, "phases": None}
    lost = simulated(with_fault(document, what="gaps", intensity=0.3))
    share = np.mean(lost.states[:, 0] == NO_STATE)
    assert share == pytest.approx(0.3, abs=0.05)
    assert np.array_equal(np.isnan(lost.window.metrics["mem_pct"][:, 0]), lost.states[:, 0] == NO_STATE)
    assert (lost.states[:, 1:] == ONLINE).all()


def test_a_healthy_fleet_crosses_no_threshold_in_a_day_of_any_seed() -> None:
    for seed in (1, 2, 3):
        drill = simulate(
            load_scenario("healthy").with_overrides(seed=seed, fleet_size=60, duration_seconds=86_400, tick_seconds=60)
        )
        assert (drill.states == ONLINE).all()
        assert drill.window.metrics["latency_ms"].max() < 300
        for metric in METRICS:
            values = drill.window.metrics[metric.name]
            assert values.min() > metric.low
            assert values.max() < metric.high


def test_metrics_are_autocorrelated_and_share_their_servers_load() -> None:
    drill = simulate(load_scenario("healthy").with_overrides(fleet_size=8, duration_seconds=6 * 3600, tick_seconds=5))
    cpu, net = drill.window.metrics["cpu_pct"], drill.window.metrics["net_in_mb_s"]
    for place in range(8):
        assert np.corrcoef(cpu[1:, place], cpu[:-1, place])[0, 1] > 0.7
        assert np.corrcoef(cpu[:, place], net[:, place])[0, 1] > 0.3
    assert abs(np.corrcoef(cpu[:, 0], cpu[:, 1])[0, 1]) < 0.95


def test_load_follows_the_hours_of_the_day() -> None:
    drill = simulate(load_scenario("healthy").with_overrides(fleet_size=20, duration_seconds=86_400, tick_seconds=300))
    cpu = drill.window.metrics["cpu_pct"].mean(axis=1)
    hours = (9 + np.arange(len(cpu)) / 12) % 24
    assert cpu[np.abs(hours - 14) < 1].mean() > 1.2 * cpu[np.abs(hours - 2) < 1].mean()


def test_servers_of_one_profile_are_alike_but_not_equal() -> None:
    drill = simulate(load_scenario("healthy").with_overrides(fleet_size=40))
    web = [place for place, profile in enumerate(drill.window.profiles) if profile == "web"]
    usual = drill.window.metrics["mem_pct"][:, web].mean(axis=0)
    assert len(np.unique(usual)) == len(web)
    assert np.ptp(usual) < 12


def test_phases_are_named_tick_by_tick(document: Document) -> None:
    assert simulated(document).phases == ("calm",) * 8 + ("storm",) * 8 + ("after",) * 4


def test_only_whole_ticks_are_made(document: Document) -> None:
    document["spec"] |= {"clock": {"duration": "23s", "tick": "5s"}, "phases": None}
    drill = simulated(document)
    assert (drill.ticks, drill.window.step_seconds) == (4, 5.0)
    assert drill.phases == ("stable", "stable", "escalation", "peak")


def test_one_tick_of_one_server_is_a_drill() -> None:
    drill = simulate(load_scenario("degrading").with_overrides(fleet_size=1, duration_seconds=5))
    assert (drill.window.servers, drill.window.ticks, drill.affected) == (("web-001",), 1, ("web-001",))


@pytest.mark.parametrize(
    ("whom", "names"),
    [
        ({"first_of_each": True}, ["web-001", "db-001"]),
        ({"names": ["db-001", "web-002"]}, ["web-002", "db-001"]),
        ({"profile": "web"}, ["web-001", "web-002"]),
        ({"profile": "web", "first": 1}, ["web-001"]),
        ({"profile": "web", "first": 9}, ["web-001", "web-002"]),
        ({"share": 1}, ["web-001", "web-002", "db-001"]),
    ],
)
def test_a_selector_finds_its_servers(document: Document, whom: Document, names: list[str]) -> None:
    assert list(simulated(with_fault(document, what="cpu", whom=whom)).affected) == names


def test_a_share_of_a_fleet_is_picked_by_the_seed_and_never_empty() -> None:
    picked = set()
    for seed in range(12):
        mapping = {"id": "some", "what": "cpu", "whom": {"profile": "web", "share": 0.2}}
        scenario = load_scenario("degrading").with_overrides(fleet_size=20, seed=seed)
        faulty = scenario.model_dump(by_alias=True, mode="json", exclude_none=True)
        faulty["spec"] |= {"faults": [mapping], "expect": []}
        affected = simulated(faulty).affected
        assert len(affected) == 2
        picked.update(affected)
    assert len(picked) > 4


def test_even_the_smallest_share_of_a_fleet_is_one_server(document: Document) -> None:
    assert len(simulated(with_fault(document, what="cpu", whom={"share": 0.001})).affected) == 1


def test_a_fault_beyond_a_metrics_bound_bends_towards_it_and_does_not_lie_flat(document: Document) -> None:
    strength = {"cpu_pct": 90, "error_rate": 2, "net_in_mb_s": -40}
    drill = simulated(with_fault(document, what="cpu", strength=strength))
    cpu, errors, net = (drill.window.metrics[metric][8:16, 0] for metric in strength)
    assert 92 < cpu.min() < cpu.max() < 100
    assert 0.92 < errors.min() < errors.max() < 1
    assert 0 < net.min() < net.max() < 10
    for values in (cpu, errors, net):
        assert len(np.unique(values)) > 3


def test_intensity_runs_straight_between_points_and_is_nothing_outside() -> None:
    spans = [(0, 1000, ((0.0, 0.0), (0.5, 1.0), (0.5, 0.2), (1.0, 0.4))), (2000, 3000, ((0.0, 0.7),))]
    times = np.array([-1, 0, 250, 499, 500, 750, 999, 1000, 1999, 2000, 2999, 3000])
    found = Course(spans).at(times)
    assert found == pytest.approx([0, 0, 0.5, 0.998, 0.2, 0.3, 0.3996, 0, 0, 0.7, 0.7, 0])


def test_the_response_to_intensity_is_flat_at_both_ends() -> None:
    assert response(np.array([0.0, 0.05, 0.5, 0.95, 1.0])) == pytest.approx([0, 0.00725, 0.5, 0.99275, 1.0])


def test_streams_have_the_moments_they_promise_and_are_apart() -> None:
    first, second = (normals(stream(1, name, "cpu_pct"), 100_000) for name in ("web-001", "web-002"))
    assert abs(first.mean()) < 0.01
    assert first.std() == pytest.approx(1.0, abs=0.01)
    assert np.abs(first).max() < 3.47
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01
    even = uniforms(stream(1, "web-001", "gaps/x"), 100_000)
    assert even.min() >= 0
    assert even.max() < 1
    assert even.mean() == pytest.approx(0.5, abs=0.005)


def test_the_first_draws_of_a_stream_are_these_for_ever() -> None:
    drawn = normals(stream(42, "web-001", "cpu_pct"), 3).tolist()
    assert drawn == [1.482138203426673, -0.16179832527421706, -0.06329745002152072]
