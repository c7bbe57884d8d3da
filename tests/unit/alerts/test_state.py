"""The state machine, law by law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.alerts import NAN, START, STEP, observed, rule_of, run, story, stream

from tft_dash.alerts.alert import Acknowledgement, AlertState, Key, Transition
from tft_dash.alerts.observing import silence_of
from tft_dash.alerts.silences import People, make_silence
from tft_dash.alerts.state import evaluate

HOT, MID, COOL = 0.9, 0.45, 0.1


def test_without_for_an_alert_fires_at_once_and_ends_at_once() -> None:
    _, changes = run([rule_of()], stream([COOL, HOT, HOT, COOL, COOL]))
    assert story(changes) == [(1, "firing"), (3, "resolved")]


def test_the_bar_itself_does_not_fire() -> None:
    _, changes = run([rule_of(above=0.3)], stream([0.3, 0.3]))
    assert changes == []


def test_it_fires_when_it_has_held_for_long_enough_and_not_before() -> None:
    _, changes = run([rule_of(**{"for": "10s"})], stream([HOT, HOT, HOT, HOT]))
    assert story(changes) == [(0, "pending"), (2, "firing")]
    fired = changes[1]
    assert fired.since_ms == START
    assert fired.fired_ms == START + 2 * STEP == fired.time_ms


def test_a_duration_between_two_ticks_is_full_at_the_later() -> None:
    _, changes = run([rule_of(**{"for": "11s"})], stream([HOT] * 5))
    assert story(changes) == [(0, "pending"), (3, "firing")]


def test_what_ceases_before_is_dropped_and_nobody_is_told() -> None:
    _, changes = run([rule_of(**{"for": "10s"})], stream([HOT, HOT, COOL, HOT]))
    assert story(changes) == [(0, "pending"), (2, "dropped"), (3, "pending")]
    assert not any(one.telling for one in changes)


def test_a_firing_alert_holds_until_it_reaches_the_bar_to_clear_at() -> None:
    _, changes = run([rule_of(clear_at=0.4)], stream([HOT, MID, HOT, MID, COOL]))
    assert story(changes) == [(0, "firing"), (4, "resolved")]


def test_between_the_bars_nothing_begins() -> None:
    _, changes = run([rule_of(clear_at=0.4)], stream([MID, MID]))
    assert changes == []


def test_it_ends_when_it_has_been_clear_for_long_enough_and_relapses_are_the_same_alert() -> None:
    rule = rule_of(keep_firing_for="10s")
    _, changes = run([rule], stream([HOT, COOL, COOL, HOT, COOL, COOL, COOL]))
    assert story(changes) == [(0, "firing"), (1, "recovering"), (3, "relapsed"), (4, "recovering"), (6, "resolved")]
    assert len({one.episode for one in changes}) == 1


def test_the_next_alert_about_the_same_is_another_one() -> None:
    _, changes = run([rule_of()], stream([HOT, COOL, HOT, COOL]))
    first, _, second, _ = changes
    assert first.key == second.key
    assert first.episode != second.episode


def test_a_gap_changes_no_phase_and_is_told_once_it_lasts() -> None:
    rule = rule_of(keep_firing_for="5s")
    states, changes = run([rule], stream([HOT, NAN, NAN, NAN, NAN]))
    assert story(changes) == [(0, "firing"), (2, "no-data")]
    (state,) = states.values()
    assert (state.phase, state.no_data, state.value) == ("firing", True, pytest.approx(HOT))
    _, changes = run([rule], stream([HOT, COOL, COOL], first=5), states)
    assert story(changes) == [(5, "data"), (6, "recovering"), (7, "resolved")]


def test_nobody_is_told_of_one_missing_tick() -> None:
    _, changes = run([rule_of()], stream([HOT, NAN, HOT]))
    assert story(changes) == [(0, "firing")]


@pytest.mark.parametrize("gap", [3, 300])
def test_time_that_nobody_saw_counts_for_nothing(gap: int) -> None:
    rule = rule_of(**{"for": "10s", "keep_firing_for": "10s"})
    states, changes = run([rule], stream([HOT, *[NAN] * gap, HOT]))
    assert [one.change for one in changes] == ["pending", "no-data", "data"]
    states, changes = run([rule], [observed(gap + 2, [HOT])], states)
    assert [one.change for one in changes] == ["firing"]
    states, changes = run([rule], [observed(gap + 3, [COOL]), observed(2 * gap + 9, [COOL])], states)
    assert [one.change for one in changes] == ["recovering"]
    assert run([rule], [observed(2 * gap + 10, [COOL])], states)[1][0].change == "resolved"


def test_missing_ticks_are_a_gap_like_missing_values() -> None:
    rule = rule_of(**{"for": "10s"})
    ticks = [observed(tick, [HOT]) for tick in (0, 1, 50)]
    _, changes = run([rule], ticks)
    assert story(changes) == [(0, "pending"), (50, "firing")]


def test_a_metric_is_judged_against_the_line_of_the_contract_as_the_state_is() -> None:
    rule = rule_of("metric", metrics=["cpu_pct", "error_rate"], above="critical", clear_at="warning")
    just, over = np.float32(0.3), np.nextafter(np.float32(0.3), np.float32(1))
    ticks = [
        observed(0, [NAN, NAN], metrics={"cpu_pct": [90, 90.1], "error_rate": [just, over]}),
        observed(1, [NAN, NAN], metrics={"cpu_pct": [90, 75.1], "error_rate": [just, 0.1]}),
    ]
    _, changes = run([rule], ticks)
    assert [(one.tick, one.key.server, one.key.metric, one.change) for one in changes] == [
        (0, "b", "cpu_pct", "firing"), (0, "b", "error_rate", "firing"), (1, "b", "error_rate", "resolved"),
    ]  # fmt: skip
    assert changes[0].words == "b: CPU 90.1 %, above 90"


def test_a_value_may_be_bad_because_it_is_low() -> None:
    rule = rule_of("metric", metrics=["net_in_mb_s"], below=1, clear_at=2)
    ticks = [observed(tick, [NAN], metrics={"net_in_mb_s": [value]}) for tick, value in enumerate([5, 1, 0.5, 1.5, 2])]
    states, changes = run([rule], ticks)
    assert story(changes) == [(2, "firing"), (4, "resolved")]
    assert next(iter(states.values())).peak == 0.5


def test_a_metric_that_the_source_has_no_more_is_a_gap() -> None:
    rule = rule_of("metric", metrics=["cpu_pct"], above=50)
    states, _ = run([rule], [observed(0, [NAN], metrics={"cpu_pct": [60]})])
    states, changes = run([rule], [observed(tick, [NAN], metrics={"mem_pct": [60]}) for tick in (1, 2, 3)], states)
    assert story(changes) == [(2, "no-data")]
    assert next(iter(states.values())).phase == "firing"


def test_a_rule_is_only_for_what_its_matchers_fit() -> None:
    rule = rule_of(where=["server_name=~[bc]", "profile!=cache"])
    _, changes = run([rule], [observed(0, [HOT, HOT, HOT], profiles=("web", "web", "cache"))])
    assert [one.key.server for one in changes] == ["b"]


def test_the_fleet_is_one_thing() -> None:
    rule = rule_of("prob_30m", above=0.6)
    ticks = [observed(tick, [COOL], fleet={"prob_30m": value}) for tick, value in enumerate([0.5, 0.7, NAN, 0.2])]
    _, changes = run([rule], ticks)
    assert [(one.tick, one.key.server, one.change) for one in changes] == [(1, "", "firing"), (3, "", "resolved")]
    assert changes[0].labels == {"alertname": "Rule0", "severity": "warning", "source": "fleet"}


def test_a_server_is_silent_only_while_others_are_heard() -> None:
    rule = rule_of("server_silent", **{"for": "5s"})
    _, changes = run([rule], stream([NAN] * 5, [COOL, NAN, NAN, COOL, COOL]))
    assert story(changes) == [(0, "pending"), (2, "no-data"), (3, "data"), (3, "firing")]
    assert story(changes, "b") == []


def test_a_server_that_is_known_to_be_down_is_silent_too() -> None:
    rule = rule_of("server_silent")
    _, changes = run([rule], [observed(0, [NAN], states=np.array([3], np.int8))])
    assert story(changes) == [(0, "firing")]


def test_the_source_is_silent_when_it_does_not_answer_and_by_the_time_of_asking() -> None:
    rules = [rule_of("source_silent", **{"for": "10s"}), rule_of("risk", alert="Risk")]
    states, _ = run(rules, stream([HOT]))
    asked = [np.datetime64(START + seconds * 1000, "ms") for seconds in (60, 65, 70)]
    states, changes = run(rules, [silence_of("fleet", 0, when, 5.0) for when in asked], states)
    assert [(one.key.rule, one.change) for one in changes] == [
        ("Rule0", "pending"), ("Risk", "no-data"), ("Rule0", "firing"),
    ]  # fmt: skip
    assert changes[-1].fired_ms == START + 70_000
    # It answers again: the ticks that it sends are about the past, that it sends them is not.
    back = observed(1, [HOT], late_ms=3_600_000)
    states, changes = run(rules, [back], states)
    assert [(one.key.rule, one.change, one.past) for one in changes] == [
        ("Rule0", "resolved", False), ("Risk", "data", True),
    ]  # fmt: skip
    assert changes[0].time_ms == back.issued_ms


def test_a_source_that_answers_and_says_nothing_is_silent() -> None:
    _, changes = run([rule_of("source_silent")], stream([COOL, NAN, COOL]))
    assert [(one.tick, one.change) for one in changes] == [(1, "firing"), (2, "resolved")]


def test_news_about_the_past_says_so() -> None:
    ticks = [observed(0, [HOT], late_ms=600_000), observed(1, [COOL], late_ms=595_000), observed(2, [HOT], late_ms=500)]
    _, changes = run([rule_of()], ticks)
    assert [(one.change, one.past) for one in changes] == [("firing", True), ("resolved", True), ("firing", False)]


def test_a_rule_that_is_taken_away_ends_its_alerts_and_says_so() -> None:
    kept, gone = rule_of(alert="Kept"), rule_of(alert="Gone", **{"for": "10s"})
    states, _ = run([kept, gone], stream([HOT] * 3, [COOL, COOL, HOT]))
    states, changes = run([kept], stream([HOT], [HOT], first=3), states)
    assert [(one.key.rule, one.key.server, one.change, one.reason) for one in changes] == [
        ("Gone", "a", "resolved", "rule-removed"), ("Gone", "b", "dropped", "rule-removed"),
    ]  # fmt: skip
    assert {key.rule for key in states} == {"Kept"}


def test_an_edited_bar_goes_on_with_what_fires_and_begins_the_clocks_anew() -> None:
    before = rule_of(**{"for": "10s"})
    after = rule_of(above=0.3, **{"for": "10s"})
    states, _ = run([before], stream([HOT] * 3, [COOL, HOT, HOT]))
    states, changes = run([after], stream([0.4] * 3, [HOT] * 3, first=3), states)
    assert story(changes) == []
    assert story(changes, "b") == [(5, "firing")]
    assert next(iter(states.values())).phase == "firing"


def test_an_edited_duration_counts_on() -> None:
    states, _ = run([rule_of(**{"for": "1h"})], stream([HOT] * 3))
    _, changes = run([rule_of(**{"for": "15s"})], stream([HOT], first=3), states)
    assert story(changes) == [(3, "firing")]


def test_a_rule_that_looks_at_something_else_ends_its_alerts() -> None:
    states, _ = run([rule_of()], stream([HOT]))
    states, changes = run([rule_of("prob_30m")], [observed(1, [HOT], fleet={"prob_30m": 0.1})], states)
    assert [(one.change, one.reason) for one in changes] == [("resolved", "rule-changed")]
    assert states == {}
    states, _ = run([rule_of()], stream([HOT]))
    _, changes = run([rule_of("server_prob_30m")], stream([HOT], first=1), states)
    assert [(one.change, one.reason) for one in changes] == [("resolved", "rule-changed")]


def test_a_rule_that_is_no_longer_meant_for_a_server_ends_its_alert() -> None:
    states, _ = run([rule_of()], stream([HOT], [HOT]))
    states, changes = run([rule_of(where=["server_name=b"])], stream([HOT], [HOT], first=1), states)
    assert [(one.key.server, one.change, one.reason) for one in changes] == [("a", "resolved", "rule-changed")]


def test_a_server_that_leaves_the_roster_ends_its_alerts_and_says_so() -> None:
    states, _ = run([rule_of()], stream([COOL], [HOT]))
    states, changes = run([rule_of()], stream([COOL], first=1), states)
    assert [(one.key.server, one.change, one.reason) for one in changes] == [("b", "resolved", "left-the-fleet")]
    assert states == {}


def test_an_alert_keeps_the_labels_with_which_it_fired() -> None:
    states, _ = run([rule_of(labels={"team": "ops"})], stream([HOT]))
    edited = rule_of(labels={"team": "web"}, severity="critical")
    states, _ = run([edited], stream([HOT], first=1), states)
    _, changes = run([edited], stream([COOL], first=2), states)
    assert changes[0].severity == "critical"
    assert changes[0].labels == {
        "alertname": "Rule0", "severity": "warning", "source": "fleet", "server_name": "a", "profile": "web",
        "team": "ops",
    }  # fmt: skip


def test_texts_are_filled_in_and_the_runbook_goes_along() -> None:
    rule = rule_of(
        annotations={"summary": "{{ $labels.server_name }} at {{$value}}{{ $labels.none }}"},
        runbook_url="https://wiki.example/risk",
    )
    _, changes = run([rule], stream([0.91]))
    assert changes[0].annotations == {"summary": "a at 0.91", "runbook_url": "https://wiki.example/risk"}
    assert not any("0.9" in value for value in changes[0].labels.values())


def test_a_silence_changes_what_is_told_not_what_is_judged() -> None:
    quiet = make_silence(
        "s1", ["server_name=a"], start_ms=START + STEP, end_ms=START + 3 * STEP, by="Ann", reason="moving"
    )
    people = People(silences=(quiet,))
    _, loud = run([rule_of()], stream([COOL, HOT, HOT, HOT, COOL]))
    _, changes = run([rule_of()], stream([COOL, HOT, HOT, HOT, COOL]), people=people)
    assert [one for one in story(changes) if one[1] != "unsilenced"] == story(loud)
    assert [(one.tick, one.change, one.silenced) for one in changes] == [
        (1, "firing", True), (3, "unsilenced", False), (4, "resolved", False),
    ]  # fmt: skip


def test_a_silence_that_comes_later_is_told() -> None:
    quiet = make_silence("s1", ["alertname=~Rule.*"], start_ms=START + STEP, end_ms=START + 10**6, by="A", reason="x")
    states, changes = run([rule_of()], stream([HOT, HOT]), people=People(silences=(quiet,)))
    assert story(changes) == [(0, "firing"), (1, "silenced")]
    assert next(iter(states.values())).silenced_by == ("s1",)


def test_somebody_may_be_at_an_alert_until_it_ends() -> None:
    states, changes = run([rule_of()], stream([HOT]))
    ann = People(acknowledged={changes[0].episode: Acknowledgement("Ann", START, "on it")})
    states, changes = run([rule_of()], stream([HOT, HOT], first=1), states, ann)
    assert [(one.change, one.reason, one.words) for one in changes] == [
        ("acknowledged", "person", "a: acknowledged by Ann (on it)")
    ]
    states, changes = run([rule_of()], stream([COOL, HOT], first=3), states, ann)
    assert story(changes) == [(3, "resolved"), (4, "firing")]
    assert next(iter(states.values())).acknowledged is None


def test_a_resolved_alert_is_shown_for_a_while_and_then_forgotten() -> None:
    states, _ = run([rule_of()], stream([HOT, COOL]))
    assert next(iter(states.values())).phase == "resolved"
    states, changes = run([rule_of()], [observed(1 + 900_000 // STEP, [COOL])], states)
    assert (states, changes) == ({}, [])


def test_states_and_transitions_are_plain_values_and_come_back() -> None:
    people = People(acknowledged={})
    states, changes = run([rule_of(labels={"team": "ops"})], stream([HOT, HOT, COOL]), people=people)
    state = replace(next(iter(states.values())), acknowledged=Acknowledgement("A", 1), silenced_by=("x",))
    assert AlertState.from_plain(state.as_plain()) == state
    assert [Transition.from_plain(one.as_plain()) for one in changes] == changes
    with pytest.raises(ValueError, match="version 2"):
        AlertState.from_plain({**state.as_plain(), "version": 2})


def test_nothing_is_kept_of_what_is_quiet() -> None:
    states, changes = evaluate([rule_of()], {}, observed(0, [COOL] * 26))
    assert (states, changes) == ({}, [])


def test_ids_are_stable() -> None:
    assert Key("fleet", "Rule", "a").id == Key("fleet", "Rule", "a").id
    assert Key("fleet", "Rule", "a").id != Key("fleet", "Rule", "", "a").id
