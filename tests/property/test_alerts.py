"""What holds for every stream of ticks: the laws of the state machine, and the tuner against it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.alerts import NAN, STEP, observed, rules_of, run

from tft_dash.alerts.alert import AlertState, Transition
from tft_dash.alerts.dependencies import NO_DEPENDENCIES, parse_dependencies
from tft_dash.alerts.documents import AlertDocumentError
from tft_dash.alerts.grouping import Terms
from tft_dash.alerts.judging import Book, judge
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.rulebook import parse_rules, to_yaml
from tft_dash.alerts.rules import Rule, RuleSet
from tft_dash.alerts.silences import People, make_silence
from tft_dash.alerts.tuning.episodes import Episode
from tft_dash.alerts.tuning.recorded import History, incidents_of
from tft_dash.alerts.tuning.tune import WEEK_MS, Tuner, tuned

VALUES = st.sampled_from([0.1, 0.3, 0.4, 0.45, 0.5, 0.55, 0.9, NAN, NAN])
DURATIONS = st.sampled_from(["0s", "5s", "7s", "10s", "25s"])
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    above = draw(st.sampled_from([0.3, 0.5, 0.55]))
    return {
        "when": {"check": "risk", "above": above, "clear_at": draw(st.sampled_from([0.1, 0.3]))},
        "for": draw(DURATIONS),
        "keep_firing_for": draw(DURATIONS),
    }


rule_sets = st.lists(rules(), min_size=1, max_size=2).map(lambda many: rules_of(*many))


@st.composite
def streams(draw: st.DrawFn) -> list[Observation]:
    """Up to 40 ticks of up to 3 servers, with missing values and missing ticks."""
    servers = draw(st.integers(1, 3))
    rows = draw(st.lists(st.lists(VALUES, min_size=servers, max_size=servers), min_size=1, max_size=40))
    skips = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 9]), min_size=len(rows), max_size=len(rows)))
    profiles = tuple(draw(st.sampled_from(["web", "api", "mail"])) for _ in range(servers))
    ticks = np.cumsum(skips).tolist()
    return [observed(tick, row, profiles=profiles) for tick, row in zip(ticks, rows, strict=True)]


@quick
@given(rule_sets, streams())
def test_an_alert_fires_once_and_ends_once_and_only_after_it_fired(document: RuleSet, ticks: list[Observation]) -> None:
    _, changes = run(document.rules, ticks)
    by_episode: defaultdict[str, list[Transition]] = defaultdict(list)
    for one in changes:
        by_episode[one.episode].append(one)
    for told in by_episode.values():
        counts = Counter(one.change for one in told)
        assert counts["firing"] <= 1
        assert counts["resolved"] <= counts["firing"]
        assert counts["dropped"] + counts["firing"] <= 1
        turns = [one for one in told if one.before != one.after]
        assert all(first.after == second.before for first, second in pairwise(turns))


@quick
@given(rule_sets, streams(), st.integers(1, 50))
def test_a_gap_resolves_nothing_and_nothing_fires_again_after_it(
    document: RuleSet, ticks: list[Observation], gap: int
) -> None:
    states, _ = run(document.rules, ticks)
    last = ticks[-1].tick
    nothing = [observed(last + 1 + tick, [NAN] * len(ticks[-1].servers)) for tick in range(gap)]
    after, changes = run(document.rules, nothing, states)
    assert {one.change for one in changes} <= {"no-data"}
    standing = {key: (one.phase, one.episode) for key, one in states.items() if one.active or one.phase == "pending"}
    assert {key: (after[key].phase, after[key].episode) for key in standing} == standing
    # What is seen after the gap as before it fires nothing anew.
    values = [NAN if np.isnan(value) else 0.9 for value in ticks[-1].risk]
    _, changes = run(document.rules, [observed(last + gap + 1, values)], after)
    again = {one.key for one in changes if one.change == "firing"}
    assert not {key for key in again if key in states and states[key].active}


@quick
@given(rule_sets, streams(), st.data())
def test_a_stream_may_be_cut_anywhere_and_states_written_down_and_read(
    document: RuleSet, ticks: list[Observation], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(ticks)))
    whole, changes = run(document.rules, ticks)
    states, first = run(document.rules, ticks[:cut])
    text = json.dumps([one.as_plain() for one in states.values()], allow_nan=False)
    read = [AlertState.from_plain(one) for one in json.loads(text)]
    assert read == list(states.values())
    after, second = run(document.rules, ticks[cut:], {one.key: one for one in read})
    assert after == whole
    assert first + second == changes
    assert [
        Transition.from_plain(json.loads(json.dumps(one.as_plain(), allow_nan=False))) for one in changes
    ] == changes


@quick
@given(rule_sets, streams(), st.data())
def test_what_becomes_of_one_alert_does_not_depend_on_others(
    document: RuleSet, ticks: list[Observation], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(ticks[0].servers))))
    rule_order = data.draw(st.permutations(document.rules))
    moved = [_reordered(one, order) for one in ticks]
    whole, changes = run(document.rules, ticks)
    other, others = run(rule_order, moved)
    assert other == whole
    assert sorted(map(_told, changes)) == sorted(map(_told, others))
    alone = [_reordered(one, order[:1]) for one in ticks]
    _, only = run(document.rules[:1], alone)
    key = ticks[0].servers[order[0]], document.rules[0].alert
    assert [one for one in changes if (one.key.server, one.key.rule) == key] == only


def _reordered(seen: Observation, order: Sequence[int]) -> Observation:
    values = {
        name: getattr(seen, name)[list(order)]
        for name in ("states", "risk", "server_prob_30m", "server_prob_8h", "driver_metric", "driver_usual")
    }
    servers = tuple(seen.servers[place] for place in order)
    profiles = tuple(seen.profiles[place] for place in order)
    metrics = {name: column[list(order)] for name, column in seen.metrics.items()}
    return Observation(
        seen.source, seen.tick, seen.time_ms, seen.issued_ms, seen.step_ms, servers, profiles, metrics=metrics, **values
    )


def _told(one: Transition) -> tuple[int, str, str, str]:
    return one.tick, one.key.rule, one.key.server, one.change


@quick
@given(rule_sets, streams(), st.integers(0, 40), st.integers(1, 40))
def test_silences_change_nothing_but_what_is_told(
    document: RuleSet, ticks: list[Observation], start: int, length: int
) -> None:
    begin = ticks[0].time_ms + start * STEP
    quiet = make_silence("s", ["source=fleet"], start_ms=begin, end_ms=begin + length * STEP, by="A", reason="test")
    _, loud = run(document.rules, ticks)
    _, changes = run(document.rules, ticks, people=People(silences=(quiet,)))
    kept = [_told(one) for one in changes if one.change not in ("silenced", "unsilenced")]
    assert kept == list(map(_told, loud))
    for one in changes:
        if one.change == "firing":
            assert one.silenced == quiet.holds(one.labels, one.time_ms)


@quick
@given(rule_sets, streams(), st.data())
def test_every_alert_is_in_one_problem_and_books_may_be_closed_anywhere(
    document: RuleSet, ticks: list[Observation], data: st.DataObject
) -> None:
    terms = Terms(together_ms=20_000, together_steps=1, reopen_ms=30_000, graph=_GRAPH)
    book, told, problems = Book("fleet"), [], {}
    cut = data.draw(st.integers(0, len(ticks)))
    for place, seen in enumerate(ticks):
        if place == cut:
            book = Book.from_plain(json.loads(json.dumps(book.as_plain(), allow_nan=False)))
        verdict = judge(book, document, seen, terms=terms)
        again = judge(verdict.book, document, seen, terms=terms)
        assert (again.book, again.transitions, again.problems) == (verdict.book, (), ())
        book = verdict.book
        told += verdict.transitions
        problems |= {one.id: one for one in verdict.problems}
    # Problems change nothing about the alerts, and no cut changes problems.
    _, plain = run(document.rules, ticks)
    assert list(map(_told, told)) == list(map(_told, plain))
    uncut, whole = Book("fleet"), {}
    for seen in ticks:
        verdict = judge(uncut, document, seen, terms=terms)
        uncut = verdict.book
        whole |= {one.id: one for one in verdict.problems}
    assert (uncut, whole) == (book, problems)
    _check_problems(book, told, problems)


_GRAPH = parse_dependencies(
    {
        "apiVersion": "tft-dash/v1",
        "kind": "Dependencies",
        "metadata": {"name": "test"},
        "spec": {"depends_on": {"web": ["api"], "mail": []}},
    },
    "test",
)


def _check_problems(book: Book, told: list[Transition], problems: dict[str, Any]) -> None:
    fired = [one for one in told if one.change == "firing"]
    assert all(one.problem in problems for one in fired)
    assert sum(one.alerts for one in problems.values()) == len(fired)
    ended = {one.episode: one.problem for one in told if one.change == "resolved"}
    assert all(ended.get(one.episode, one.problem) == one.problem for one in fired)
    for problem in problems.values():
        standing = [one.phase for one in book.states.values() if one.problem == problem.id and one.active]
        expected = "open" if "firing" in standing else "recovering" if standing else "resolved"
        assert problem.life == expected
        assert (problem.resolved_ms is None) == (problem.life != "resolved")
        assert {"web", "api"} >= set(problem.profiles) or {"mail"} == set(problem.profiles)
        times = [entry.time_ms for entry in problem.timeline]
        assert times == sorted(times)
        assert problem.origin in {one.server for one in problem.servers}


@quick
@given(rule_sets, streams())
def test_the_tuner_finds_the_alerts_of_the_plain_machine_and_the_same_figures(
    document: RuleSet, ticks: list[Observation]
) -> None:
    rule = document.rules[0]
    history = _history(ticks)
    incidents = incidents_of(history, fleet=False)
    found = Tuner(rule, history, incidents).tune(rule)
    episodes = _episodes(rule, ticks)
    weeks = sum(STEP for seen in ticks if not np.isnan(seen.risk).all()) / WEEK_MS
    assert found == tuned(episodes, incidents, rule, weeks=weeks, source="fleet", step_ms=STEP)
    assert found.alerts == len(episodes)
    assert found.announced + found.late + found.missed == found.incidents


@quick
@given(rule_sets, streams())
def test_the_tuner_counts_the_pages_that_problems_would_be(document: RuleSet, ticks: list[Observation]) -> None:
    one = rules_of(document.rules[0].model_dump(mode="json", by_alias=True, exclude_none=True))
    terms = Terms(together_ms=20_000, together_steps=1, reopen_ms=30_000, graph=_GRAPH)
    # Unrest is left out: the tuner sees what the rule sees, and the rule here looks at a probability.
    quiet = [_as_probability(seen) for seen in ticks]
    rules = rules_of({**_plain(one.rules[0]), "when": {**_plain(one.rules[0])["when"], "check": "server_prob_30m"}})
    book, problems = Book("fleet"), {}
    for seen in quiet:
        verdict = judge(book, rules, seen, terms=terms)
        book = verdict.book
        problems |= {problem.id: problem for problem in verdict.problems}
    found = Tuner(rules.rules[0], _history(quiet), (), terms).tune(rules.rules[0])
    assert found.pages == len(problems) + sum(problem.reopened for problem in problems.values())


def _plain(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True, exclude_none=True)


def _as_probability(seen: Observation) -> Observation:
    nothing = np.full(len(seen.servers), np.nan, np.float32)
    return Observation(
        seen.source, seen.tick, seen.time_ms, seen.issued_ms, seen.step_ms, seen.servers, seen.profiles,
        metrics=seen.metrics, states=seen.states, risk=nothing, server_prob_30m=seen.risk, server_prob_8h=nothing,
        driver_metric=seen.driver_metric, driver_usual=seen.driver_usual,
    )  # fmt: skip


def _history(ticks: list[Observation]) -> History:
    return History(
        source="fleet",
        times=np.array([seen.time_ms for seen in ticks]),
        steps=np.full(len(ticks), STEP),
        servers=ticks[0].servers,
        profiles=ticks[0].profiles,
        per_server={
            "risk": np.array([seen.risk for seen in ticks]),
            "server_prob_30m": np.array([seen.server_prob_30m for seen in ticks]),
        },
        metrics={"cpu_pct": np.array([100 * seen.risk + 1 for seen in ticks])},
    )


def _episodes(rule: Rule, ticks: list[Observation]) -> list[Episode]:
    """The alerts of the plain machine."""
    _, changes = run([rule], ticks)
    ended = {one.episode: one.time_ms for one in changes if one.change == "resolved"}
    fired = [one for one in changes if one.change == "firing"]
    found = [
        Episode(one.key.server, "", one.profile, one.since_ms, one.time_ms, ended.get(one.episode)) for one in fired
    ]
    return sorted(found, key=lambda episode: episode.fired_ms)


def test_without_dependencies_everything_may_belong_together() -> None:
    assert NO_DEPENDENCIES.related("web", "anything")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["risk", "metric", "critical", "1m", "profile=web", "a=~(", "{{ $value }}", "{{", "cpu_pct"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_FIELDS = st.sampled_from(["alert", "when", "where", "for", "keep_firing_for", "severity", "labels", "annotations",
                           "runbook_url", "enabled", "other"])  # fmt: skip
_WHEN = st.dictionaries(st.sampled_from(["check", "above", "below", "clear_at", "metrics", "other"]), _JSON, max_size=5)


@quick
@given(st.lists(st.dictionaries(_FIELDS, _JSON, max_size=6), max_size=3), st.lists(_WHEN, max_size=3), _JSON)
def test_any_document_is_read_or_refused_in_words(
    many: list[dict[str, Any]], conditions: list[dict[str, Any]], rest: Any
) -> None:
    given = [*many, *({"alert": f"R{place}", "when": when} for place, when in enumerate(conditions))]
    document = {"apiVersion": "tft-dash/v1", "kind": "AlertRules", "metadata": {"name": "x"}, "spec": {"rules": given}}
    for one in (document, {**document, "spec": rest}, {"spec": rest}, rest):
        if not isinstance(one, dict):
            continue
        try:
            found = parse_rules(one, "request")
        except AlertDocumentError as error:
            assert error.problems
            assert all(path and words for path, words in error.problems)
        else:
            assert parse_rules(to_yaml(found), "again") == found
