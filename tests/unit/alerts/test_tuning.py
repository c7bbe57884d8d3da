"""What a rule would have done over recorded history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.alerts import NAN, START, STEP, observed, rule_of, run

from tft_dash.alerts.judging import Book, judge
from tft_dash.alerts.problem import Problem, Remarks
from tft_dash.alerts.rules import RuleSet
from tft_dash.alerts.tuning.episodes import Replay
from tft_dash.alerts.tuning.recorded import History, Incident, incidents_by_people, incidents_of, series_of
from tft_dash.alerts.tuning.tune import Tuner, with_bar
from tft_dash.errors import UsageError
from tft_dash.models.forecasting.outcomes import outcomes_of
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import derive_states

MINUTE = 60_000


def history(values: Any, *, step_ms: int = MINUTE, name: str = "risk", **more: Any) -> History:
    """One column for each server; ticks from 0 on."""
    columns = np.asarray(values, np.float32)
    columns = columns[:, None] if columns.ndim == 1 else columns
    ticks, count = columns.shape
    servers = tuple(chr(ord("a") + place) for place in range(count))
    fleet = {"prob_30m": columns[:, 0]} if name == "prob_30m" else {}
    times = START + step_ms * np.arange(ticks)
    per_server = {} if fleet else {name: columns}
    return History("fleet", times, np.full(ticks, step_ms), servers, ("web",) * count, fleet, per_server, **more)


def at(minute: int) -> int:
    return START + minute * MINUTE


def test_an_alert_before_an_incident_announces_it_one_after_is_late_and_the_rest_is_missed() -> None:
    values = np.full(600, 0.1)
    values[100:110] = 0.9
    values[320:330] = 0.9
    values[500:510] = 0.9
    incidents = [Incident(at(105), "a"), Incident(at(310), "a"), Incident(at(420), "a"), Incident(at(105), "b")]
    found = Tuner(rule_of(), history(values), incidents).tune(rule_of())
    assert (found.alerts, found.pages, found.false_pages) == (3, 3, 1)
    assert (found.incidents, found.announced, found.late, found.missed) == (4, 1, 1, 2)
    assert found.median_lead_minutes == 5.0
    assert found.weeks == 600 * MINUTE / (7 * 86_400_000)
    assert found.pages_per_week == 3 / found.weeks
    assert found.false_pages_per_week == 1 / found.weeks


@pytest.mark.parametrize(
    ("check", "onset", "counts"),
    [
        ("risk", 109 + 31, (1, 0)), ("risk", 109 + 32, (0, 1)), ("risk", 100, (0, 0)), ("risk", 101, (1, 0)),
        ("server_prob_8h", 109 + 480, (1, 0)), ("server_prob_8h", 109 + 482, (0, 1)),
    ],
)  # fmt: skip
def test_an_alert_announces_what_begins_while_it_stands_or_within_the_horizon_after(
    check: str, onset: int, counts: tuple[int, int]
) -> None:
    values = np.full(700, 0.1)
    values[100:110] = 0.9
    found = Tuner(rule_of(check), history(values, name=check), [Incident(at(onset), "a")]).tune(rule_of(check))
    assert (found.announced, found.missed) == counts
    if onset == 100:
        assert found.late == 1


def test_the_lead_is_that_of_the_first_alert_that_announces() -> None:
    values = np.full(200, 0.1)
    values[[100, 110, 120]] = 0.9
    found = Tuner(rule_of(), history(values), [Incident(at(125), "a")]).tune(rule_of())
    assert found.median_lead_minutes == 25.0


def test_an_alert_that_never_ends_is_not_praised_for_being_old() -> None:
    incidents = [Incident(at(minute), "a") for minute in (100, 150, 220)]
    found = Tuner(rule_of(), history(np.full(300, 0.9)), incidents).tune(rule_of())
    assert (found.announced, found.median_lead_minutes) == (3, 70.0)


def test_alerts_that_belong_together_are_one_page() -> None:
    values = np.full((300, 4), 0.1)
    values[10:100, :3] = 0.9
    values[[50, 200], 3] = 0.9
    found = Tuner(rule_of(), history(values), ()).tune(rule_of())
    assert (found.alerts, found.pages) == (5, 3)
    assert found.median_lead_minutes is None


def test_an_alert_that_fires_as_the_other_ends_is_of_the_same_page() -> None:
    values = np.full((60, 2), 0.1)
    values[10:15, 0], values[15:20, 1] = 0.9, 0.9
    assert Tuner(rule_of(), history(values), ()).tune(rule_of()).pages == 1
    values[15, 1] = 0.1
    assert Tuner(rule_of(), history(values), ()).tune(rule_of()).pages == 2


def test_the_fleet_has_incidents_of_its_own() -> None:
    cpu = np.full((200, 2), 10, np.float32)
    cpu[0:3, 0] = 95
    cpu[50:60, 0] = 95
    cpu[70:75, 1] = 95
    cpu[150:160, 1] = 95
    given = history(np.full(200, 0.1), name="prob_30m")
    both = History("fleet", given.times, given.steps, ("a", "b"), ("web", "web"), given.fleet, {}, {"cpu_pct": cpu})
    assert incidents_of(both, fleet=True) == (Incident(at(50)), Incident(at(150)))
    assert incidents_of(both, fleet=False) == (Incident(at(50), "a"), Incident(at(70), "b"), Incident(at(150), "b"))


def test_incidents_are_those_that_a_forecast_is_measured_by() -> None:
    window = simulate(load_scenario("fleet-history").with_overrides(duration_seconds=4 * 86_400.0)).window
    times = 300_000 * np.arange(window.ticks)
    steps = np.full(window.ticks, 300_000)
    given = History("h", times, steps, window.servers, window.profiles, metrics=window.metrics)
    onset = outcomes_of(window.metrics).onset.copy()
    onset[0] = False
    expected = [
        Incident(int(times[tick]), window.servers[place]) for tick, place in zip(*np.nonzero(onset), strict=True)
    ]
    assert len(expected) > 20
    assert list(incidents_of(given, fleet=False)) == sorted(expected)


def test_what_people_have_called_true_is_an_incident() -> None:
    rules = RuleSet.model_validate(
        {
            "apiVersion": "tft-dash/v1", "kind": "AlertRules", "metadata": {"name": "x"},
            "spec": {"rules": [rule_of().model_dump(mode="json", by_alias=True, exclude_none=True)]},
        }
    )  # fmt: skip
    book, problems = Book("fleet"), list[Problem]()
    for tick, risk in ((0, 0.9), (1, 0.1), (1000, 0.9)):
        verdict = judge(book, rules, observed(tick, [risk]))
        book, problems = verdict.book, problems + list(verdict.problems)
    first, _, second = problems
    said = [(first, Remarks("true")), (second, Remarks("false")), (second, Remarks())]
    assert incidents_by_people(said, fleet=False) == (Incident(START, "a"),)
    assert incidents_by_people(said, fleet=True) == (Incident(START),)


def test_over_a_drill_the_alerts_are_those_of_the_plain_machine_for_every_rule_and_bar() -> None:
    window = simulate(load_scenario("fleet-history").with_overrides(duration_seconds=2 * 86_400.0)).window
    said = ThresholdModel().assess_recording(window)
    times = START + 300_000 * np.arange(window.ticks)
    given = History(
        "fleet", times, np.full(window.ticks, 300_000), window.servers, window.profiles,
        {"prob_30m": said.prob_30m}, {"risk": said.risk}, window.metrics,
    )  # fmt: skip
    states = derive_states(window.metrics)
    rules = [
        rule_of("risk", above=0.4, clear_at=0.3, keep_firing_for="20m"),
        rule_of("risk", above=0.4, clear_at=0.3, where=["profile=~web|database"], **{"for": "5m"}),
        rule_of("prob_30m", above=0.3, clear_at=0.25, **{"for": "7m"}),
        rule_of(
            "metric", metrics=["cpu_pct", "error_rate"], above="critical", clear_at="warning", keep_firing_for="5m"
        ),
        rule_of("metric", metrics=["net_in_mb_s"], below=5, clear_at=6),
    ]
    for rule in rules:
        replay = Replay(given, series_of(rule, given))
        for bar in (rule, with_bar(rule, rule.when.bars(rule.when.metrics[0])[0] * 0.9)):
            ticks = [
                observed(
                    tick, said.risk[tick], source="fleet", servers=window.servers, profiles=window.profiles,
                    metrics={name: values[tick] for name, values in window.metrics.items()}, states=states[tick],
                    fleet={"prob_30m": float(said.prob_30m[tick])},
                )
                for tick in range(window.ticks)
            ]  # fmt: skip
            _, changes = run([bar], [_at_five_minutes(seen) for seen in ticks])
            ended = {one.episode: one.time_ms for one in changes if one.change == "resolved"}
            plain = [
                (one.key.server, one.key.metric, one.since_ms, one.time_ms, ended.get(one.episode))
                for one in changes
                if one.change == "firing"
            ]
            found = [(e.server, e.metric, e.since_ms, e.fired_ms, e.resolved_ms) for e in replay.episodes(bar)]
            assert plain
            assert sorted(found, key=str) == sorted(plain, key=str)


def _at_five_minutes(seen: Any) -> Any:
    time = START + seen.tick * 300_000
    return replace(seen, time_ms=time, issued_ms=time, step_ms=300_000)


def test_a_moved_bar_takes_the_one_to_clear_at_along() -> None:
    rule = rule_of(above=0.7, clear_at=0.5)
    assert with_bar(rule, 0.4).when.bars("")[:2] == (0.4, pytest.approx(0.2))
    assert with_bar(rule, 0.1).when.bars("")[:2] == (0.1, 0.0)
    assert with_bar(rule, 0.4, 0.4).when.bars("")[:2] == (0.4, 0.4)
    low = rule_of("metric", metrics=["net_in_mb_s"], below=5, clear_at=6)
    assert with_bar(low, 3).when.bars("net_in_mb_s") == (3, 4, -1)


@pytest.mark.parametrize("check", ["server_silent", "source_silent"])
def test_a_rule_without_a_bar_cannot_be_tuned(check: str) -> None:
    with pytest.raises(UsageError, match="it has no bar"):
        Tuner(rule_of(check), history([0.1]), ())


def test_a_history_without_what_the_rule_looks_at_is_refused_with_what_it_has() -> None:
    with pytest.raises(UsageError, match="'fleet' has no prob_30m; it has risk"):
        Tuner(rule_of("prob_30m"), history([0.1]), ())


def test_no_history_is_no_weeks_and_no_rate() -> None:
    for empty in (history(np.zeros((0, 1))), history([NAN, NAN])):
        found = Tuner(rule_of(), empty, ()).tune(rule_of())
        assert (found.weeks, found.pages_per_week, found.alerts) == (0.0, None, 0)


def test_a_change_of_step_within_the_history_counts_as_it_did() -> None:
    values = [0.1, 0.9, 0.9, 0.9, 0.9, 0.1]
    times = np.array([0, 5, 10, 310, 610, 910]) * 1000 + START
    steps = np.array([5, 5, 5, 300, 300, 300]) * 1000
    given = History("fleet", times, steps, ("a",), ("web",), per_server={"risk": np.array(values, np.float32)[:, None]})
    rule = rule_of(**{"for": "5m"})
    (episode,) = Replay(given, series_of(rule, given)).episodes(rule)
    assert (episode.since_ms, episode.fired_ms) == (START + STEP, START + 310_000)
