"""A preview is the run's own drill: whole where it is small, honest about what it leaves out where it is large."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from tft_dash.errors import LimitError, UsageError
from tft_dash.models.scripted import ScriptedModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.previews import LOTS, SERVERS, TICKS, Preview, make_preview
from tft_dash.scenarios.document import Scenario, parse_document
from tft_dash.scenarios.expectations import evaluate
from tft_dash.scenarios.generate import Simulation, simulate
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.schema import METRIC_NAMES

Document = dict[str, Any]


def document(**spec: Any) -> Document:
    return {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {"name": "trial"},
        "spec": {
            "clock": {"duration": "2m", "tick": "5s"},
            "fleet": {"profiles": [{"name": "web", "count": 300}, {"name": "database", "count": 40}]},
            **spec,
        },
    }


def previewed(plain: Document) -> Preview:
    return make_preview(parse_document(plain, "test"), ThresholdModel())


def is_small(scenario: Scenario) -> bool:
    """Whether the whole of a drill fits a preview."""
    return scenario.spec.clock.ticks <= TICKS and scenario.spec.fleet.size <= SERVERS


def assert_equal_columns(part: Simulation | Preview, whole: Simulation) -> None:
    """Each server of ``part`` has exactly the values that it has in ``whole``."""
    is_preview = isinstance(part, Preview)
    servers = part.servers if is_preview else part.window.servers
    metrics = part.metrics if is_preview else part.window.metrics
    places = [whole.window.servers.index(name) for name in servers]
    for name in METRIC_NAMES:
        assert np.array_equal(metrics[name], whole.window.metrics[name][:, places], equal_nan=True), name
    assert np.array_equal(part.states, whole.states[:, places])


@pytest.mark.parametrize("name", [name for name in preset_names() if is_small(load_scenario(name))])
def test_a_presets_preview_is_its_drill_and_what_the_model_says_of_it(name: str) -> None:
    scenario, model = load_scenario(name), ThresholdModel()
    preview, drill = make_preview(scenario, model), simulate(scenario)
    said = model.assess_recording(drill.window)
    assert preview.reduced is None
    assert (preview.servers, preview.affected) == (drill.window.servers, drill.affected)
    assert_equal_columns(preview, drill)
    assert np.array_equal(preview.risk, said.risk, equal_nan=True)
    assert np.array_equal(preview.prob_30m, said.prob_30m)
    assert np.array_equal(preview.prob_8h, said.prob_8h)
    assert preview.outcomes == evaluate(scenario, drill, said)
    assert all(outcome.ok for outcome in preview.outcomes)
    assert preview.seconds.tolist() == [tick * scenario.spec.clock.tick for tick in range(drill.ticks)]
    assert [name for phase in preview.phases for name in [phase.name] * (phase.last - phase.first + 1)] == [
        *drill.phases
    ]


def test_chosen_servers_have_the_values_of_the_whole_run_gaps_and_crashes_included() -> None:
    faults = [
        {"id": "loss", "what": "gaps", "whom": {"share": 0.5}},
        {"id": "down", "what": "crash", "whom": {"profile": "web", "first": 3}},
        {"id": "hot", "what": "cpu", "whom": {"share": 0.4}, "lag": "7s"},
    ]
    scenario = parse_document(document(faults=faults), "test")
    whole = simulate(scenario)
    chosen = ["db-002", "web-300", "web-002", *whole.affected[5:25]]
    part = simulate(scenario, servers=chosen)
    assert part.window.servers == tuple(name for name in whole.window.servers if name in chosen)
    assert set(part.affected) == set(chosen) & set(whole.affected)
    assert_equal_columns(part, whole)


def test_a_server_that_is_not_in_the_fleet_is_named() -> None:
    with pytest.raises(UsageError, match="no server 'web-301'"):
        simulate(parse_document(document(), "test"), servers=["web-001", "web-301"])
    with pytest.raises(UsageError, match="one server"):
        simulate(parse_document(document(), "test"), servers=[])


def test_a_large_fleet_is_reduced_to_all_its_affected_servers_and_others_of_each_profile() -> None:
    plain = document(faults=[{"id": "hot", "what": "cpu", "whom": {"names": ["web-291", "web-007", "db-040"]}}])
    preview = previewed(plain)
    assert len(preview.servers) == SERVERS
    assert preview.affected == ("web-007", "web-291", "db-040")
    spared = set(preview.servers) - set(preview.affected)
    assert {name.split("-")[0] for name in spared} == {"web", "db"}
    assert preview.reduced == (
        f"Computed on {SERVERS} of 340 servers, all 3 affected ones among them; "
        "values are the run's own, P30 is of these servers."
    )
    assert_equal_columns(preview, simulate(parse_document(plain, "test")))


def test_where_too_many_are_affected_every_profile_and_every_fault_is_shown_beside_the_unaffected() -> None:
    faults = [
        {"id": "all-web", "what": "cpu", "whom": {"profile": "web", "first": 290}},
        {"id": "one-more", "what": "latency", "whom": {"names": ["web-200"]}},
        {"id": "some-db", "what": "disk", "whom": {"profile": "database", "first": 5}},
    ]
    preview = previewed(document(faults=faults))
    assert f"{len(preview.affected)} of the 295 affected ones" in str(preview.reduced)
    assert len(preview.servers) == SERVERS
    assert len(preview.affected) == SERVERS - 20
    assert {"web-200", "db-001", "db-005"} <= set(preview.affected)
    assert {name.split("-")[0] for name in set(preview.servers) - set(preview.affected)} == {"web", "db"}


def test_a_fleet_of_which_everything_is_affected_leaves_no_room_unused() -> None:
    preview = previewed(document(faults=[{"id": "all", "what": "cpu", "whom": {"share": 1.0}}]))
    assert len(preview.affected) == len(preview.servers) == SERVERS


def test_very_many_ticks_are_sampled_more_coarsely_and_it_says_so() -> None:
    fleet = {"profiles": [{"name": "web", "count": 3}]}
    preview = previewed(document(clock={"duration": "10h", "tick": "5s"}, fleet=fleet))
    assert len(preview.seconds) <= TICKS
    assert preview.tick_seconds == 50.0
    assert "every 50s in place of every 5s" in str(preview.reduced)
    assert "run's own" not in str(preview.reduced)
    assert [(phase.name, phase.first) for phase in preview.phases][:2] == [("stable", 0), ("escalation", 216)]


def test_an_hour_at_the_usual_tick_is_whole() -> None:
    fleet = {"profiles": [{"name": "web", "count": 2}]}
    assert previewed(document(clock={"duration": "1h", "tick": "5s"}, fleet=fleet)).reduced is None


def test_the_largest_documents_are_previewed_within_the_bounds() -> None:
    largest = {"profiles": [{"name": "web", "count": 20_000}]}
    longest = {"profiles": [{"name": "web", "count": 2}]}
    for clock, fleet in (
        ({"duration": "2500m", "tick": "1m"}, largest),
        ({"duration": "3650d", "tick": "1m"}, longest),
    ):
        preview = previewed(document(clock=clock, fleet=fleet))
        assert preview.risk.size <= SERVERS * TICKS


def test_a_faults_intensity_is_its_own_lag_included_and_the_storys_stands_beside_it() -> None:
    faults = [
        {"id": "follows", "what": "cpu", "whom": {"first_of_each": True}, "lag": "10s"},
        {"id": "own", "what": "disk", "whom": {"first_of_each": True}, "from": "30s", "to": "60s", "intensity": 0.5},
        {"id": "nobody", "what": "gc", "whom": {"profile": "cache"}},
    ]
    phases = [
        {"name": "calm", "from": 0, "to": "1m", "intensity": 0},
        {"name": "storm", "from": "1m", "to": "2m", "intensity": {"start": 0.2, "end": 0.8}},
    ]
    fleet = {"profiles": [{"name": "web", "count": 2}, {"name": "cache", "count": 0}]}
    intensity = previewed(document(faults=faults, phases=phases, fleet=fleet)).intensity
    assert list(intensity) == ["", "follows", "own", "nobody"]
    assert intensity[""][:13].tolist() == [0.0] * 12 + [pytest.approx(0.2)]
    assert intensity["follows"][2:].tolist() == intensity[""][:-2].tolist()
    assert intensity["own"].tolist() == [0.0] * 6 + [0.5] * 6 + [0.0] * 12
    assert intensity["nobody"].tolist() == intensity[""].tolist()


def test_an_expectation_of_servers_that_are_not_computed_is_not_judged() -> None:
    whom = {"names": ["web-150"]}
    expect = [
        {"check": "top", "servers": ["web-150"], "count": 1, "ticks": 0.1},
        {"check": "top", "servers": ["web-150", "web-299"], "count": 1, "ticks": 0.1},
        {"check": "top", "fault": "hot", "count": 1, "ticks": 0.1},
        {"check": "state", "state": "online", "whom": "unaffected", "at_least": 1, "fleet_of_at_least": 300},
        {"check": "state", "state": "online", "whom": "unaffected", "at_least": 1, "fleet_of_at_least": 341},
    ]
    preview = previewed(document(faults=[{"id": "hot", "what": "cpu", "whom": whom}], expect=expect))
    assert "web-299" not in preview.servers
    assert [outcome.ok for outcome in preview.outcomes] == [True, None, True, True, None]


def test_an_expectation_that_does_not_hold_shows_what_was_measured() -> None:
    preview = previewed(document(expect=[{"check": "prob_30m", "above": 0.9}]))
    assert preview.outcomes[0].ok is False
    assert preview.outcomes[0].measured == pytest.approx(np.median(preview.prob_30m), abs=1e-6)


def test_the_model_chosen_judges_the_script_only_where_its_card_says_so() -> None:
    scenario = load_scenario("degrading")
    measured, told = make_preview(scenario, ThresholdModel()), make_preview(scenario, ScriptedModel())
    assert (measured.card.name, told.card.name) == ("thresholds", "scripted")
    assert np.array_equal(measured.risk, told.risk, equal_nan=True)
    assert not np.array_equal(measured.prob_30m, told.prob_30m)


def test_the_same_document_gives_the_same_preview_to_the_bit() -> None:
    plain = document(faults=[{"id": "hot", "what": "cpu", "whom": {"share": 0.6}}])
    one, two = previewed(plain), previewed(copy.deepcopy(plain))
    assert one.servers == two.servers
    assert np.array_equal(one.risk, two.risk, equal_nan=True)


def many_lots(count: int) -> Scenario:
    faults = [{"id": f"f{number}", "what": "cpu", "whom": {"share": 0.1}} for number in range(count)]
    fleet = {"profiles": [{"name": "web", "count": 20_000}]}
    return parse_document(document(faults=faults, fleet=fleet), "test")


def test_more_lots_than_can_be_drawn_in_time_are_refused_with_what_to_do() -> None:
    with pytest.raises(LimitError, match=r"220,000 lots.* 200,000\. Name a profile"):
        make_preview(many_lots(LOTS // 20_000 + 1), ThresholdModel())


def test_a_preview_says_who_judges_it_in_whose_place() -> None:
    preview = make_preview(load_scenario("degrading"), ThresholdModel(), instead="'tft' cannot answer.")
    assert preview.instead == "'tft' cannot answer."
    assert make_preview(load_scenario("degrading"), ThresholdModel()).instead is None
