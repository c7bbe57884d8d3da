"""Which alerts belong together: a new alert joins a problem that it likely has to do with, or opens one.

An alert about a server that is in a problem already belongs to it, also if that was resolved a little while ago: the
problem is open again. An alert about another server joins a problem whose newest alert is not long ago, if their
profiles can have to do with each other. An alert about the whole fleet joins the newest problem that is not over. That
nothing comes from the source is always a problem of its own: nothing is known of the servers meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from tft_dash.alerts.alert import AlertState, Key, Transition
from tft_dash.alerts.dependencies import NO_DEPENDENCIES, Dependencies
from tft_dash.alerts.problem import Problem
from tft_dash.alerts.rules import SEVERITIES


@dataclass(frozen=True, slots=True)
class Terms:
    """How far apart alerts can be and still belong together.

    :param together_ms: between a problem's newest alert and one about a server that is new in it.
    :param together_steps: the same in steps of the source; the longer of the two counts.
    :param reopen_ms: between a problem's end and an alert that opens it again.
    """

    together_ms: int = 600_000
    together_steps: int = 3
    reopen_ms: int = 1_800_000
    graph: Dependencies = NO_DEPENDENCIES

    def together(self, step_ms: int) -> int:
        """The span that counts for a source."""
        return max(self.together_ms, self.together_steps * step_ms)


USUAL: Final = Terms()


def joined(
    problems: Iterable[Problem], members: Mapping[str, AbstractSet[str]], told: Transition, terms: Terms, step_ms: int
) -> str | None:
    """The id of the problem that a firing alert belongs to; None = it opens one.

    :param members: problem → its servers, also those that the problem itself has no room for.
    """
    near = [
        one
        for one in sorted(problems, key=lambda one: (one.last_onset_ms, one.opened_ms, one.id), reverse=True)
        if one.source == told.key.source and _not_over(one, told, terms)
    ]
    if told.check == "source_silent":
        return next((one.id for one in near if is_about_the_source(one)), None)
    near = [one for one in near if not is_about_the_source(one)]
    if not told.key.server:
        return next((one.id for one in near), None)
    for one in near:
        if told.key.server in members.get(one.id, ()):
            return one.id
    span = terms.together(step_ms)
    for one in near:
        recent = one.life != "resolved" and told.time_ms - one.last_onset_ms <= span
        if recent and any(terms.graph.related(told.profile, profile) for profile in one.profiles or (told.profile,)):
            return one.id
    return None


def _not_over(problem: Problem, told: Transition, terms: Terms) -> bool:
    return problem.resolved_ms is None or told.time_ms - problem.resolved_ms <= terms.reopen_ms


def is_about_the_source(problem: Problem) -> bool:
    """Whether it is that nothing comes from the source."""
    return problem.kind == "no-data" and not problem.servers and not problem.profiles


def problem_id(key: Key, since_ms: int) -> str:
    """The id of the problem that an alert opens; the same wherever and whenever it is judged."""
    return hashlib.sha256(f"{key.id} {since_ms}".encode()).hexdigest()[:12]


def opened_by(told: Transition) -> Problem:
    """The problem that a firing alert opens."""
    return Problem(
        id=problem_id(told.key, told.since_ms),
        source=told.key.source,
        kind="no-data" if told.check.endswith("_silent") else "incident",
        life="open",
        title="",
        severity=told.severity,
        opened_ms=told.time_ms,
        opened_tick=told.tick,
        began_ms=told.since_ms,
        began_tick=told.since_tick,
        last_onset_ms=told.time_ms,
        changed_ms=told.time_ms,
        resolved_ms=None,
        reopened=0,
        past=told.past,
        origin="",
        origin_why="",
        servers=(),
        server_count=0,
        profiles=(told.profile,) if told.key.server else (),
        alerts=0,
    )


def with_alert(problem: Problem, told: Transition) -> Problem:
    """The problem as the next alert finds it: ``told`` has joined it, so it is open."""
    profiles = {*problem.profiles, *([told.profile] if told.key.server else [])}
    return replace(problem, life="open", resolved_ms=None, last_onset_ms=told.time_ms, profiles=tuple(sorted(profiles)))


def worse(one: str, other: str) -> str:
    """The more urgent of two severities."""
    return max(one, other, key=SEVERITIES.index)


def members_of(problems: Iterable[Problem], states: Iterable[AlertState]) -> dict[str, set[str]]:
    """Problem → the servers in it, and those that an alert of it is about."""
    found: dict[str, set[str]] = {one.id: {server.server for server in one.servers} for one in problems}
    for state in states:
        if state.problem in found and state.key.server:
            found[state.problem].add(state.key.server)
    return found
