"""One problem instead of forty alerts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.alerts import NAN, START, STEP, observed, rules_of

from tft_dash.alerts.alert import Acknowledgement
from tft_dash.alerts.dependencies import Dependencies, parse_dependencies
from tft_dash.alerts.grouping import Terms
from tft_dash.alerts.judging import Book, Verdict, judge
from tft_dash.alerts.observing import Observation, silence_of
from tft_dash.alerts.problem import (
    MOST_ENTRIES,
    MOST_SERVERS,
    Comment,
    Entry,
    Problem,
    Remarks,
    with_comment,
    with_entries,
    with_outcome,
)
from tft_dash.alerts.rules import RuleSet
from tft_dash.alerts.silences import People
from tft_dash.errors import UsageError
from tft_dash.schema import METRIC_NAMES

RISK = {"alert": "ServerAtRisk", "when": {"check": "risk", "above": 0.7, "clear_at": 0.5}, "severity": "warning"}
FLEET = {"alert": "FleetSoon", "when": {"check": "prob_30m", "above": 0.6}, "severity": "critical"}
SILENT = {"alert": "ServerSilent", "when": {"check": "server_silent"}, "severity": "info"}
SOURCE = {"alert": "SourceSilent", "when": {"check": "source_silent"}}
MINUTE = 60_000 // STEP


def graph_of(**depends_on: Sequence[str]) -> Dependencies:
    document = {"apiVersion": "tft-dash/v1", "kind": "Dependencies", "metadata": {"name": "d"}}
    return parse_dependencies({**document, "spec": {"depends_on": depends_on}}, "test")


def judged(
    document: RuleSet, ticks: Iterable[Observation], terms: Terms | None = None, book: Book | None = None
) -> tuple[Book, dict[str, Problem], list[Verdict]]:
    """The book at the end, every problem as it was last told, and all verdicts."""
    book, problems, verdicts = book or Book("fleet"), {}, []
    for seen in ticks:
        verdict = judge(book, document, seen, terms=terms or Terms())
        book = verdict.book
        problems |= {one.id: one for one in verdict.problems}
        verdicts.append(verdict)
    return book, problems, verdicts


def rows(*ticks: Sequence[float], first: int = 0, **more: Any) -> list[Observation]:
    return [observed(tick, risk, **more) for tick, risk in enumerate(ticks, first)]


def the(problems: dict[str, Problem]) -> Problem:
    (only,) = problems.values()
    return only


def test_what_fires_together_is_one_problem_that_began_where_it_showed_first() -> None:
    ticks = rows(
        [0.1, 0.4, 0.1],
        [0.1, 0.6, 0.1],
        [0.5, 0.9, 0.1],
        [0.9, 0.9, 0.5],
        [0.9, 0.9, 0.9],
        profiles=("web", "db", "api"),
    )
    _, problems, verdicts = judged(rules_of(RISK), ticks)
    problem = the(problems)
    assert (problem.origin, problem.title, problem.life) == ("b", "b and 2 more servers", "open")
    assert problem.origin_why == "showed 10s before any other"
    assert [(one.server, one.onset_tick) for one in problem.servers] == [("b", 0), ("a", 2), ("c", 3)]
    assert (problem.opened_tick, problem.began_tick, problem.alerts, problem.server_count) == (2, 0, 3, 3)
    assert [len(one.problems) for one in verdicts] == [0, 0, 1, 1, 1]
    assert {one.problem for verdict in verdicts for one in verdict.transitions} == {problem.id}


def test_between_servers_that_showed_together_the_one_on_whom_the_others_depend_is_first() -> None:
    ticks = rows([0.1] * 3, [0.9, 0.4, 0.9], [0.9, 0.9, 0.9], profiles=("web", "database", "api"))
    _, problems, _ = judged(rules_of(RISK), ticks)
    assert the(problems).origin == "a"
    assert the(problems).origin_why == "showed together with others: not certain"
    terms = Terms(graph=graph_of(web=["api"], api=["database"]))
    _, problems, _ = judged(rules_of(RISK), ticks, terms)
    assert the(problems).origin == "b"
    assert the(problems).origin_why == "showed together with others; 2 of the others depend on database"


def test_an_origin_that_is_clear_by_time_stays_whatever_depends_on_whom() -> None:
    ticks = rows([0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.9], profiles=("web", "database"))
    _, problems, _ = judged(rules_of(RISK), ticks, Terms(graph=graph_of(web=["database"])))
    assert the(problems).origin == "a"


def test_profiles_that_have_nothing_to_do_with_each_other_are_problems_of_their_own() -> None:
    ticks = rows([0.9, 0.1, 0.1], [0.9, 0.1, 0.1], [0.9, 0.9, 0.9], profiles=("web", "mail", "database"))
    terms = Terms(graph=graph_of(web=["database"], mail=[]))
    _, problems, _ = judged(rules_of(RISK), ticks, terms)
    assert sorted(problem.title for problem in problems.values()) == ["a and 1 more server", "b"]


def test_what_comes_much_later_is_another_problem() -> None:
    book, first, _ = judged(rules_of(RISK), rows([0.9, 0.1]))
    _, later, _ = judged(rules_of(RISK), rows([0.9, 0.9], first=11 * MINUTE), book=book)
    assert sorted(one.title for one in {**first, **later}.values()) == ["a", "b"]
    _, soon, _ = judged(rules_of(RISK), rows([0.9, 0.9], first=9 * MINUTE), book=book)
    assert the(soon).title == "a and 1 more server"


def test_at_a_long_step_together_is_a_few_steps() -> None:
    assert Terms().together(5_000) == 600_000
    assert Terms().together(300_000) == 900_000


def test_the_same_server_belongs_to_its_problem_for_as_long_as_it_lasts() -> None:
    rules = rules_of(RISK, {"alert": "Cpu", "when": {"check": "metric", "metrics": ["cpu_pct"], "above": 90}})
    book, _, _ = judged(rules, rows([0.9]))
    hot = observed(60 * MINUTE, [0.9], metrics={"cpu_pct": [99]})
    _, problems, _ = judged(rules, [hot], book=book)
    assert the(problems).servers[0].alerts == ("ServerAtRisk", "Cpu")


def test_a_problem_goes_from_open_over_recovering_to_resolved_and_may_be_opened_again() -> None:
    rules = rules_of({**RISK, "keep_firing_for": "5s"})
    book, problems, verdicts = judged(rules, rows([0.9], [0.1], [0.1], [0.1]))
    lives = [one.problems[0].life for one in verdicts if one.problems]
    assert lives == ["open", "recovering", "resolved"]
    problem = the(problems)
    assert problem.resolved_ms == START + 2 * STEP
    assert [entry.what for entry in problem.timeline] == [
        "onset",
        "firing",
        "recovering",
        "recovering",
        "resolved",
        "resolved",
    ]
    book, again, _ = judged(rules, rows([0.9], first=20 * MINUTE), book=book)
    assert (the(again).id, the(again).life, the(again).reopened) == (problem.id, "open", 1)
    assert the(again).timeline[-1].what == "reopened"
    assert the(again).resolved_ms is None


def test_after_a_while_it_is_another_problem() -> None:
    book, first, _ = judged(rules_of(RISK), rows([0.9], [0.1]))
    _, second, _ = judged(rules_of(RISK), rows([0.9], first=40 * MINUTE), book=book)
    assert the(second).id != the(first).id


def test_a_gap_resolves_no_problem() -> None:
    _, problems, _ = judged(rules_of(RISK), rows([0.9], *[[NAN]] * 500))
    assert the(problems).life == "open"
    assert [entry.what for entry in the(problems).timeline].count("no-data") == 1


def test_an_alert_about_the_fleet_joins_or_opens_and_servers_in_unrest_are_ranked() -> None:
    rules = rules_of(RISK, FLEET)
    ticks = [
        observed(0, [0.4, 0.6, 0.1], fleet={"prob_30m": 0.7}),
        observed(1, [0.4, 0.9, 0.1], fleet={"prob_30m": 0.7}),
    ]
    _, problems, _ = judged(rules, ticks)
    problem = the(problems)
    assert (problem.origin, problem.severity, problem.alerts) == ("a", "critical", 2)
    assert [one.server for one in problem.ranked] == ["b", "a"]
    _, problems, _ = judged(rules, [observed(0, [0.1], fleet={"prob_30m": 0.7})])
    assert (the(problems).origin, the(problems).servers) == ("", ())
    assert the(problems).title == "fleet: P(incident within 30 minutes) 0.7, above 0.6"


def test_a_crashed_server_is_the_origin_of_what_follows() -> None:
    rules = rules_of(RISK, SILENT)
    ticks = rows([0.1, 0.1], [NAN, 0.1], [NAN, 0.4], [NAN, 0.9], profiles=("database", "web"))
    _, problems, verdicts = judged(rules, ticks)
    problem = the(problems)
    assert (problem.origin, problem.kind, problem.severity) == ("a", "incident", "warning")
    assert verdicts[1].problems[0].kind == "no-data"


def test_that_nothing_comes_from_the_source_is_a_problem_of_its_own() -> None:
    rules = rules_of(RISK, SOURCE)
    book, first, _ = judged(rules, rows([0.9]))
    asked = [np.datetime64(START + 60_000 + 5_000 * place, "ms") for place in range(2)]
    book, silent, _ = judged(rules, [silence_of("fleet", 0, when, 5.0) for when in asked], book=book)
    problem = next(one for one in silent.values() if one.id not in first)
    assert (problem.title, problem.kind, problem.servers) == ("Nothing comes from fleet", "no-data", ())
    book, back, _ = judged(rules, [observed(1, [0.9], late_ms=120_000)], book=book)
    assert back[problem.id].life == "resolved"
    assert next(one for one in book.problems.values() if one.id in first).life == "open"


def test_an_outage_of_the_source_resolves_nothing_and_fires_nothing_twice() -> None:
    rules = rules_of({**RISK, "for": "10s", "keep_firing_for": "10s"}, {**SOURCE, "for": "1m"}, SILENT)
    before = rows(*[[0.9, 0.1]] * 10)
    ended = before[-1].time_ms
    asked = [np.datetime64(ended + 5_000 * (1 + place), "ms") for place in range(60)]
    silent = [silence_of("fleet", 9, when, 5.0) for when in asked]
    missing = [observed(tick, [NAN, NAN], late_ms=(70 - tick) * STEP) for tick in range(10, 70)]
    after = [*rows(*[[0.9, 0.1]] * 10, first=70), *rows(*[[0.1, 0.1]] * 10, first=80)]
    _, problems, verdicts = judged(rules, [*before, *silent, *missing, *after])
    told = [(one.key.rule, one.change) for verdict in verdicts for one in verdict.transitions if one.telling]
    assert told == [
        ("ServerAtRisk", "firing"), ("SourceSilent", "firing"), ("SourceSilent", "resolved"),
        ("ServerAtRisk", "resolved"),
    ]  # fmt: skip
    assert sorted((one.kind, one.life) for one in problems.values()) == [
        ("incident", "resolved"), ("no-data", "resolved"),
    ]  # fmt: skip


def test_a_clock_that_is_set_back_does_not_hide_a_silence() -> None:
    rules = rules_of({**SOURCE, "for": "30s"})
    book, _, _ = judged(rules, [observed(0, [0.1], late_ms=3_600_000)])
    asked = [np.datetime64(START + 5_000 * (1 + place), "ms") for place in range(8)]
    _, problems, _ = judged(rules, [silence_of("fleet", 0, when, 5.0) for when in asked], book=book)
    assert the(problems).title == "Nothing comes from fleet"


def test_what_fires_while_the_source_is_not_over_its_silence_is_a_problem_of_its_own() -> None:
    rules = rules_of(RISK, FLEET, {**SOURCE, "keep_firing_for": "10m"})
    book, silent, _ = judged(rules, [silence_of("fleet", -1, np.datetime64(START - 5_000, "ms"), 5.0)])
    ticks = [observed(0, [0.9], fleet={"prob_30m": 0.1}), observed(1, [0.9], fleet={"prob_30m": 0.9})]
    _, problems, _ = judged(rules, ticks, book=book)
    incident = next(one for one in problems.values() if one.id not in silent)
    assert (len(problems), incident.alerts, incident.title) == (2, 2, "a")


def test_a_condition_that_held_before_the_risk_rose_is_when_the_server_showed() -> None:
    rules = rules_of(
        RISK, {"alert": "Cpu", "when": {"check": "metric", "metrics": ["cpu_pct"], "above": 90}, "for": "20s"}
    )
    ticks = [observed(tick, [0.1, 0.1], metrics={"cpu_pct": [99, 5]}) for tick in (0, 1)]
    ticks += [observed(tick, [0.4, 0.9], metrics={"cpu_pct": [99, 5]}) for tick in (2, 3, 4)]
    _, problems, _ = judged(rules, ticks)
    assert [(one.server, one.onset_tick) for one in the(problems).servers] == [("a", 0), ("b", 2)]


def test_a_tick_is_judged_once_and_a_silence_too() -> None:
    rules = rules_of(RISK, SOURCE)
    book, _, _ = judged(rules, rows([0.9], [0.9]))
    for tick in (0, 1):
        verdict = judge(book, rules, observed(tick, [0.1]))
        assert (verdict.book, verdict.transitions, verdict.problems) == (book, (), ())
    old = silence_of("fleet", 1, np.datetime64(START + STEP, "ms"), 5.0)
    assert judge(book, rules, old).transitions == ()
    with pytest.raises(ValueError, match="other"):
        judge(book, rules, observed(2, [0.1], source="other"))


def test_a_problem_of_the_past_says_so_until_something_of_now_joins_it() -> None:
    _, problems, verdicts = judged(
        rules_of(RISK), [observed(0, [0.9, 0.1], late_ms=600_000), observed(1, [0.9, 0.9], late_ms=100)]
    )
    assert [one.problems[0].past for one in verdicts] == [True, False]
    assert the(problems).server_count == 2


def test_drivers_stand_with_value_usual_and_the_lines_of_the_contract() -> None:
    cpu, disk = METRIC_NAMES.index("cpu_pct"), METRIC_NAMES.index("disk_io_mb_s")
    seen = observed(
        0,
        [0.9],
        metrics={"cpu_pct": [95.0], "disk_io_mb_s": [300.0]},
        driver_metric=np.array([[cpu, disk]], np.int8),
        driver_usual=np.array([[40.0, NAN]], np.float32),
    )
    _, problems, _ = judged(rules_of(RISK), [seen])
    first, second = the(problems).servers[0].drivers
    assert (first.metric, first.value, first.usual, first.critical) == ("cpu_pct", 95.0, 40.0, 90.0)
    assert (second.metric, second.usual, second.critical) == ("disk_io_mb_s", None, None)
    assert "cpu_pct 95 (usually 40)" in the(problems).timeline[0].words


def test_a_problem_of_a_thousand_servers_is_bounded() -> None:
    many = 1_000
    servers = tuple(f"s{number:04}" for number in range(many))
    risks = [[0.1] * many, [0.9] * many, [NAN] * many, [NAN] * many, [0.1] * many, [0.9] * many]
    ticks = rows(*risks, servers=servers, profiles=("web",) * many)
    book, problems, _ = judged(rules_of(RISK), ticks)
    problem = the(problems)
    assert (len(problem.servers), problem.server_count) == (MOST_SERVERS, many)
    assert problem.title == "s0000 and 999 more servers"
    assert len(problem.timeline) == MOST_ENTRIES
    assert problem.skipped > many
    assert len(json.dumps(problem.as_plain())) < 200_000
    assert Book.from_plain(json.loads(json.dumps(book.as_plain()))) == book


def test_a_server_that_a_problem_has_no_room_for_belongs_to_it_all_the_same() -> None:
    many = MOST_SERVERS + 10
    servers = tuple(f"s{number:04}" for number in range(many))
    risks = [[0.9] * many, [0.1] * many, [0.1] * (many - 1) + [0.9]]
    _, problems, _ = judged(rules_of(RISK), rows(*risks, servers=servers, profiles=("web",) * many))
    assert (the(problems).reopened, the(problems).life) == (1, "open")
    assert "s0059" not in {one.server for one in the(problems).servers}


def test_a_server_that_falls_silent_in_unrest_has_shown_when_it_showed() -> None:
    _, problems, _ = judged(rules_of(RISK), rows([0.4], [NAN], [NAN], [0.9]))
    assert the(problems).servers[0].onset_tick == 0
    _, problems, _ = judged(rules_of(RISK), rows([0.4], [0.1], [0.1], [0.9]))
    assert the(problems).servers[0].onset_tick == 3


def test_unrest_of_long_ago_has_nothing_to_do_with_it() -> None:
    book, _, _ = judged(rules_of(RISK), rows([0.1, 0.4]))
    _, problems, _ = judged(rules_of(RISK), rows([0.9, 0.4], first=30 * MINUTE), book=book)
    assert [one.server for one in the(problems).servers] == ["a"]


def test_somebody_at_an_alert_stands_in_the_timeline() -> None:
    book, _, verdicts = judged(rules_of(RISK), rows([0.9]))
    episode = verdicts[0].transitions[0].episode
    people = People(acknowledged={episode: Acknowledgement("Ann", START)})
    verdict = judge(book, rules_of(RISK), observed(1, [0.9]), people)
    assert verdict.problems[0].timeline[-1].words == "ServerAtRisk: a: acknowledged by Ann"


def test_ids_are_the_same_wherever_it_is_judged() -> None:
    _, one, _ = judged(rules_of(RISK), rows([0.9]))
    _, other, _ = judged(rules_of(RISK), rows([0.1], [0.1])[:0] + rows([0.9]))
    assert set(one) == set(other)


def test_what_people_say_is_kept_beside_the_problem() -> None:
    remarks = with_comment(with_outcome(Remarks(), "true", " Ann ", 5), "disk was full", "Bob", 6)
    assert remarks == Remarks("true", "Ann", 5, (Comment("Bob", 6, "disk was full"),))
    assert Remarks.from_plain(json.loads(json.dumps(remarks.as_plain()))) == remarks
    assert with_outcome(remarks, None, "Ann", 7).outcome is None


@pytest.mark.parametrize(
    ("outcome", "by", "words"), [("maybe", "Ann", "true, false, unclear"), ("true", " ", "Say who")]
)
def test_an_outcome_that_cannot_be_is_refused(outcome: str, by: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        with_outcome(Remarks(), outcome, by, 5)


@pytest.mark.parametrize(("text", "by"), [(" ", "Ann"), ("a", ""), ("a" * 5000, "Ann")])
def test_a_comment_that_cannot_be_is_refused(text: str, by: str) -> None:
    with pytest.raises(UsageError):
        with_comment(Remarks(), text, by, 5)


def test_a_timeline_is_in_order_of_time_and_loses_its_middle() -> None:
    _, problems, _ = judged(rules_of(RISK), rows([0.9]))
    problem = replace(the(problems), timeline=())
    full = with_entries(problem, [Entry(at, at, "x", "", "") for at in range(MOST_ENTRIES, 0, -1)])
    assert [entry.time_ms for entry in full.timeline] == list(range(1, MOST_ENTRIES + 1))
    more = with_entries(full, [Entry(10_000, 0, "y", "", ""), Entry(10_001, 0, "z", "", "")])
    assert (len(more.timeline), more.skipped) == (MOST_ENTRIES, 2)
    assert (more.timeline[0].time_ms, more.timeline[-1].what) == (1, "z")
