"""How often people would have been told: the alerts of one rule, gathered as problems are."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace

from tft_dash.alerts.alert import Key, Transition
from tft_dash.alerts.grouping import Terms, joined, opened_by, with_alert
from tft_dash.alerts.problem import Problem
from tft_dash.alerts.rules import Rule
from tft_dash.alerts.tuning.episodes import Episode


class _Desk:
    """Gathers alerts, one after the other in order of time.

    :ivar pages: the alerts of each page; a problem that is opened again is a page more.
    """

    def __init__(self, source: str, rule: Rule, step_ms: int, terms: Terms) -> None:
        self._source, self._rule, self._step, self._terms = source, rule, step_ms, terms
        self._problems: dict[str, Problem] = {}
        self._members: dict[str, set[str]] = {}
        self._standing: dict[str, int] = {}
        self._page_of: dict[str, list[Episode]] = {}
        self._ends: list[tuple[int, int, str]] = []
        self.pages: list[list[Episode]] = []

    def take(self, episode: Episode, number: int) -> None:
        """An alert fires."""
        self._end_before(episode.fired_ms)
        told = _told(episode, self._source, self._rule)
        name = joined(self._problems.values(), self._members, told, self._terms, self._step)
        if name is None:
            name = opened_by(told).id
            self._problems[name] = opened_by(told)
            self._members[name], self._standing[name] = set(), 0
        if not self._standing[name]:
            self._page_of[name] = []
            self.pages.append(self._page_of[name])
        self._page_of[name].append(episode)
        self._standing[name] += 1
        self._problems[name] = with_alert(self._problems[name], told)
        self._members[name].update([episode.server] if episode.server else [])
        if episode.resolved_ms is not None:
            heapq.heappush(self._ends, (episode.resolved_ms, number, name))

    def _end_before(self, now: int) -> None:
        """What has ended by the tick before ``now``, and what can no longer be opened again."""
        while self._ends and self._ends[0][0] < now:
            ended, _, name = heapq.heappop(self._ends)
            self._standing[name] -= 1
            if not self._standing[name]:
                self._problems[name] = replace(self._problems[name], life="resolved", resolved_ms=ended)
        over = [
            name
            for name, problem in self._problems.items()
            if problem.resolved_ms is not None and now - problem.resolved_ms > self._terms.reopen_ms
        ]
        for name in over:
            del self._problems[name], self._members[name], self._standing[name]


def pages_of(episodes: Sequence[Episode], source: str, rule: Rule, step_ms: int, terms: Terms) -> list[list[Episode]]:
    """The alerts of each page, in order of time."""
    desk = _Desk(source, rule, step_ms, terms)
    for number, episode in enumerate(sorted(episodes, key=lambda one: (one.fired_ms, one.since_ms))):
        desk.take(episode, number)
    return desk.pages


def _told(episode: Episode, source: str, rule: Rule) -> Transition:
    key = Key(source, rule.alert, episode.server, episode.metric)
    return Transition(
        key=key,
        check=rule.when.check,
        episode=f"{key.id}-{episode.since_ms:x}",
        change="firing",
        reason="condition",
        before="pending",
        after="firing",
        tick=0,
        time_ms=episode.fired_ms,
        issued_ms=episode.fired_ms,
        past=False,
        severity=rule.severity,
        profile=episode.profile,
        since_ms=episode.since_ms,
        since_tick=0,
        fired_ms=episode.fired_ms,
        value=None,
        bar=None,
    )
