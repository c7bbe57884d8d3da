"""What the shipped rules make of the drills: one problem where there is one, none where all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from tft_dash.alerts.alert import Transition
from tft_dash.alerts.dependencies import parse_dependencies
from tft_dash.alerts.grouping import USUAL, Terms
from tft_dash.alerts.judging import Book, judge
from tft_dash.alerts.observing import observations_of
from tft_dash.alerts.problem import Problem
from tft_dash.alerts.rulebook import shipped_rules
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.scenarios.generate import affected_servers, simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import derive_states

GRAPH = parse_dependencies(
    {
        "apiVersion": "tft-dash/v1",
        "kind": "Dependencies",
        "metadata": {"name": "shop"},
        "spec": {"depends_on": {"web": ["api", "cache"], "api": ["database"]}},
    },
    "test",
)


def played(name: str, terms: Terms = USUAL, *, seed: int | None = None) -> tuple[list[Problem], list[Transition]]:
    """The problems and everything that happened while a drill was judged tick by tick."""
    scenario = load_scenario(name)
    scenario = scenario if seed is None else scenario.with_overrides(seed=seed)
    window = simulate(scenario).window
    said = ThresholdModel().assess_recording(window)
    book, problems, changes = Book(name), dict[str, Problem](), list[Transition]()
    for seen in observations_of(name, window, derive_states(window.metrics), said):
        verdict = judge(book, shipped_rules(), seen, terms=terms)
        book = verdict.book
        problems |= {one.id: one for one in verdict.problems}
        changes += verdict.transitions
    return list(problems.values()), changes


def fired(changes: Sequence[Transition]) -> Counter[tuple[str, str, str]]:
    return Counter((one.key.rule, one.key.server, one.key.metric) for one in changes if one.change == "firing")


@pytest.mark.parametrize("seed", [None, 1, 7])
@pytest.mark.parametrize("terms", [USUAL, Terms(graph=GRAPH)], ids=["by time", "by dependencies"])
def test_the_cascade_is_one_problem_that_began_at_the_database(terms: Terms, seed: int | None) -> None:
    problems, changes = played("cascade", terms, seed=seed)
    (problem,) = problems
    assert problem.origin == "db-001"
    assert "before any other" in problem.origin_why
    assert problem.severity == "critical"
    assert [one.profile for one in problem.servers] == ["database", *["api"] * 3, *["web"] * 4]
    assert problem.alerts == sum(fired(changes).values()) > 20
    assert max(fired(changes).values()) == 1
    assert problem.opened_ms - problem.began_ms > 0
    assert all(one.drivers for one in problem.servers)
    # The quiet part, until the fault begins after two minutes, makes none.
    assert problem.began_tick >= 24
    assert not [one for one in changes if one.tick < 24]


@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4, 5])
def test_a_healthy_fleet_makes_no_alert(seed: int | None) -> None:
    assert played("healthy", seed=seed) == ([], [])


@pytest.mark.parametrize("name", ["degrading", "critical", "memory-leak", "early-warning"])
def test_a_drill_is_one_problem_of_the_servers_that_are_struck(name: str) -> None:
    problems, changes = played(name)
    (problem,) = problems
    assert {one.server for one in problem.servers} == set(affected_servers(load_scenario(name).spec))
    assert max(fired(changes).values()) == 1
    assert "ServerAtRisk" in {rule for rule, _, _ in fired(changes)}


def test_a_problem_knows_what_showed_before_it_was_opened_and_ends_once() -> None:
    (problem,), _ = played("early-warning")
    assert problem.began_ms < problem.opened_ms
    assert problem.life == "resolved"
    assert problem.reopened == 0
