from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from tft_dash.errors import DocumentError
from tft_dash.scenarios.chance import drawn
from tft_dash.scenarios.chance.kinds import KINDS
from tft_dash.scenarios.document import Scenario, as_mapping, json_schema, parse_document, to_yaml
from tft_dash.scenarios.generate import drill_blocks, simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import CRITICAL_ISSUE, METRIC_NAMES, NO_STATE, OFFLINE, derive_states

DAY = 86_400
NONE = {
    "incidents": 0.0,
    "bursts": 0.0,
    "restarts": 0.0,
    "deploys": 0.0,
    "gaps": 0.0,
    "maintenance": 0.0,
}


def history(days: float = 7, servers: int = 12, seed: int = 3, **chance: Any) -> Scenario:
    """The preset with other rates and shares."""
    scenario = load_scenario("fleet-history").with_overrides(duration_seconds=days * DAY, fleet_size=servers, seed=seed)
    document = as_mapping(scenario)
    document["spec"]["chance"] = chance
    return parse_document(document, "test")


def only(what: str, rate: float = 20.0, **chance: Any) -> Scenario:
    return history(**{**NONE, what: rate}, **chance)


def test_the_same_document_and_seed_make_these_bytes_for_ever() -> None:
    digest = hashlib.sha256()
    for block in drill_blocks(history().spec):
        digest.update(block.scaled.tobytes() + block.silent.tobytes() + block.states.tobytes())
    assert digest.hexdigest() == "af19da1c066a03236cc68cb318736c936dd7acdc424f3ece8cfc43006161b094"


def test_the_values_do_not_depend_on_how_a_history_is_cut_into_blocks() -> None:
    spec = history(days=2).spec
    whole = next(drill_blocks(spec, rows=10**6))
    for rows in (12, 1000):
        parts = list(drill_blocks(spec, rows=rows))
        assert np.array_equal(np.concatenate([part.scaled for part in parts], axis=1), whole.scaled)
        assert np.array_equal(np.concatenate([part.silent for part in parts]), whole.silent)
        assert np.array_equal(np.concatenate([part.states for part in parts]), whole.states)


def test_a_part_of_the_servers_has_the_values_that_it_has_in_the_whole_fleet() -> None:
    scenario = history(cascading=1.0)
    whole = simulate(scenario)
    some = simulate(scenario, servers=["db-001", "web-002", "generic-001"])
    for place, server in enumerate(some.window.servers):
        there = whole.window.servers.index(server)
        for name in METRIC_NAMES:
            left, right = some.window.metrics[name][:, place], whole.window.metrics[name][:, there]
            assert np.array_equal(left, right, equal_nan=True), (server, name)


def test_without_a_chance_section_nothing_happens_by_chance() -> None:
    document = as_mapping(history())
    del document["spec"]["chance"]
    spec = parse_document(document, "test").spec
    assert drawn(spec).happenings == ()
    assert (simulate(parse_document(document, "test")).states != CRITICAL_ISSUE).all()


def test_states_follow_from_the_metrics_alone_and_the_window_carries_no_label() -> None:
    drill = simulate(history())
    reported = drill.states != OFFLINE
    assert np.array_equal(drill.states[reported], derive_states(drill.window.metrics)[reported])
    assert drill.window.phases is None


def test_incidents_come_as_often_as_their_rate_says() -> None:
    scenario = history(days=28, servers=40, recurring=0.0, cascading=0.0, busy_hours=0.0)
    found = drawn(scenario.spec).incidents
    assert len(found) / (4 * 40) == pytest.approx(2.4, rel=0.12)
    assert np.mean([incident.kind == "sudden" for incident in found]) == pytest.approx(0.05, abs=0.025)
    assert {incident.kind for incident in found} == {*KINDS, "sudden"}


def test_build_ups_last_as_long_as_the_document_says() -> None:
    found = drawn(history(days=28, recurring=0.5, cascading=0.5).spec).incidents
    ramps = np.array([incident.struck_ms - incident.begin_ms for incident in found if incident.kind != "sudden"]) / 6e4
    assert ramps.min() >= 30
    assert ramps.max() <= 180
    assert ramps.max() - ramps.min() > 120
    assert {incident.origin for incident in found} == {"chance", "recurrence", "cascade"}


def test_most_incidents_that_are_drawn_cross_a_critical_line_when_they_strike() -> None:
    scenario = history(days=14, servers=24, gaps=0.0, restarts=0.0, cascading=0.0)
    drill, found = simulate(scenario), drawn(scenario.spec).incidents
    critical = drill.states == CRITICAL_ISSUE
    caught = 0
    for incident in found:
        first, last = incident.struck_ms // 300_000, min(incident.end_ms // 300_000 + 1, drill.ticks)
        caught += bool(critical[first:last, incident.server].any())
        early = critical[incident.begin_ms // 300_000 + 1 : max(first - 6, 0), incident.server]
        assert not early.any() or incident.kind in ("leak", "overload")
    assert len(found) > 80
    assert caught / len(found) > 0.95


def test_aborted_build_ups_show_and_go_back_and_hardly_ever_cross_a_line() -> None:
    scenario = history(days=14, **{**NONE, "incidents": 2.0}, aborted=0.9, sudden=0.0, recurring=0.0, cascading=0.0)
    going_back = [happening for happening in drawn(scenario.spec).happenings if happening.trouble]
    struck = {(incident.server, incident.begin_ms) for incident in drawn(scenario.spec).incidents}
    drill = simulate(scenario)
    aborted = [happening for happening in going_back if (happening.server, happening.begin_ms) not in struck]
    aborted = [happening for happening in aborted if max(high for _, high in happening.line) < 0.9]
    assert len(aborted) > 50
    crossed = [
        (drill.states[it.begin_ms // 300_000 + 1 : it.end_ms // 300_000, it.server] == CRITICAL_ISSUE).any()
        for it in aborted
    ]
    assert np.mean(crossed) < 0.05
    seen = drill.window.metrics["latency_ms"] != simulate(history(days=14, **NONE)).window.metrics["latency_ms"]
    assert seen.any(axis=0).all()


def test_a_sudden_incident_is_announced_by_nothing() -> None:
    scenario = only("incidents", 2.0, sudden=1.0, aborted=0.0, recurring=0.0, cascading=0.0, days=14)
    calm = simulate(history(days=14, **NONE))
    struck = simulate(scenario)
    found = drawn(scenario.spec).incidents
    assert found
    for incident in found:
        assert incident.struck_ms == incident.begin_ms
        before = slice(max(incident.begin_ms // 300_000 - 12, 0), -(-incident.begin_ms // 300_000))
        for name in METRIC_NAMES:
            left, right = calm.window.metrics[name], struck.window.metrics[name]
            assert np.array_equal(left[before, incident.server], right[before, incident.server])


def test_restarts_take_a_server_offline_and_gaps_lose_samples() -> None:
    restarts, gaps = simulate(only("restarts")), simulate(only("gaps"))
    assert (restarts.states == OFFLINE).any(axis=0).all()
    assert not (restarts.states == NO_STATE).any()
    assert (gaps.states == NO_STATE).any(axis=0).all()
    assert not (gaps.states == OFFLINE).any()


def test_a_deploy_shifts_a_servers_level_for_good_and_by_little() -> None:
    calm, shifted = simulate(only("deploys", 0.0)), simulate(only("deploys", 3.0))
    share = shifted.window.metrics["latency_ms"] / calm.window.metrics["latency_ms"]
    moved = np.abs(share[-1] - 1.0)
    assert (moved > 0.01).mean() > 0.5
    assert (moved < 0.25).all()


def test_bursts_and_maintenance_are_harmless() -> None:
    for what, busier in (("bursts", True), ("maintenance", False)):
        calm, drill = simulate(only(what, 0.0)), simulate(only(what))
        assert not (drill.states == CRITICAL_ISSUE).any(), what
        change = drill.window.metrics["net_in_mb_s"] - calm.window.metrics["net_in_mb_s"]
        assert bool(change.max() > 5) is busier
        assert bool(change.min() < -5) is not busier


def test_incidents_keep_to_the_busy_hours_and_off_weekends() -> None:
    found = drawn(history(days=28, servers=40, recurring=0.0, cascading=0.0).spec).incidents
    begin = np.array([incident.begin_ms for incident in found])
    hour, weekday = begin / 3.6e6 % 24, begin // 86_400_000 % 7  # the preset starts on a Monday
    assert (np.abs(hour - 14) < 5).sum() > 1.5 * (np.abs(hour - 14) > 7).sum()
    assert (weekday >= 5).mean() < 0.23


def test_load_falls_at_weekends_where_the_document_says_so() -> None:
    cpu = simulate(history(**NONE)).window.metrics["cpu_pct"][:, :4].reshape(7, 288, -1).mean(axis=(1, 2))
    assert cpu[5:].mean() < 0.93 * cpu[:5].mean()
    document = as_mapping(history(**NONE))
    for profile in document["spec"]["fleet"]["profiles"]:
        profile["daily_rhythm"].pop("weekend", None)
    even = simulate(parse_document(document, "test")).window.metrics["cpu_pct"][:, :4]
    assert even[5 * 288 :].mean() == pytest.approx(even[: 5 * 288].mean(), rel=0.02)


def test_one_server_alone_has_a_history_too() -> None:
    drill = simulate(history(servers=1, days=14, cascading=1.0))
    assert drill.window.servers == ("web-001",)


@pytest.mark.parametrize(
    ("chance", "path", "words"),
    [
        ({"incidents": -1}, "spec.chance.incidents", "0"),
        ({"incidents": 41}, "spec.chance.incidents", "40"),
        ({"incidents": "many"}, "spec.chance.incidents", "number"),
        ({"aborted": 1}, "spec.chance.aborted", "0.9"),
        ({"ramp_shortest": "2h", "ramp_longest": "1h"}, "spec.chance", "ramp_longest"),
        ({"ramp_longest": "soon"}, "spec.chance.ramp_longest", "duration"),
        ({"incident": 2}, "spec.chance.incident", "incidents"),
    ],
)
def test_a_mistake_in_the_chance_section_is_named_with_its_path(chance: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        history(**chance)
    assert [place for place, _ in caught.value.problems] == [path]
    assert words in caught.value.problems[0][1]


def test_the_chance_section_survives_writing_and_is_described() -> None:
    scenario = history(incidents=1.5, ramp_longest="2h")
    again = parse_document(to_yaml(scenario), "test")
    assert again == scenario
    assert again.spec.chance is not None
    assert again.spec.chance.ramp_longest == 7200.0
    fields = json_schema()["$defs"]["Chance"]["properties"]
    assert all(field.get("description") for field in fields.values())
