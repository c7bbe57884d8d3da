"""One call per recorded tick: alerts judged, problems gathered. Everything that has to be remembered is in the book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tft_dash.alerts.alert import VERSION, AlertState, Key, Transition, checked
from tft_dash.alerts.gathering.life import News, gone_on
from tft_dash.alerts.gathering.onsets import Onset, followed
from tft_dash.alerts.grouping import USUAL, Terms, is_about_the_source, joined, members_of, opened_by, with_alert
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.problem import Problem
from tft_dash.alerts.rules import RuleSet
from tft_dash.alerts.silences import NOBODY, People
from tft_dash.alerts.state import evaluate


@dataclass(frozen=True, slots=True)
class Book:
    """All that is remembered of one source between two ticks.

    :param tick: the last that was judged; −1 = none.
    :param issued_ms: when the last observation was issued.
    :param onsets: the servers in unrest.
    :param problems: those that are not over, and those that may be opened again, by id.
    """

    source: str
    tick: int = -1
    issued_ms: int = 0
    states: Mapping[Key, AlertState] = field(default_factory=dict)
    onsets: Mapping[str, Onset] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "version": VERSION,
            "source": self.source,
            "tick": self.tick,
            "issued_ms": self.issued_ms,
            "states": [state.as_plain() for state in self.states.values()],
            "onsets": {server: onset.as_plain() for server, onset in self.onsets.items()},
            "problems": [problem.as_plain() for problem in self.problems.values()],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Book:
        """The book that :meth:`as_plain` wrote.

        :raises ValueError: it was written by another version of this program.
        """
        values = checked(plain)
        states = [AlertState.from_plain(state) for state in values["states"]]
        problems = [Problem.from_plain(problem) for problem in values["problems"]]
        return cls(
            source=values["source"],
            tick=values["tick"],
            issued_ms=values["issued_ms"],
            states={state.key: state for state in states},
            onsets={server: Onset.from_plain(onset) for server, onset in values["onsets"].items()},
            problems={problem.id: problem for problem in problems},
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an observation has changed.

    :param transitions: in the order of rules and servers.
    :param problems: those that are new or changed.
    """

    book: Book
    transitions: tuple[Transition, ...]
    problems: tuple[Problem, ...]


def judge(book: Book, rules: RuleSet, seen: Observation, people: People = NOBODY, terms: Terms = USUAL) -> Verdict:
    """Judge one observation. A tick that was judged before, or is older, changes nothing.

    That a source did not answer is judged by the collector's clock, and that may be set back: only the very same
    silence is not judged again.

    :raises ValueError: the observation is of another source than the book.
    """
    if seen.source != book.source:
        raise ValueError(f"The book is of the source '{book.source}', the observation of '{seen.source}'.")
    if seen.tick <= book.tick if seen.answered else seen.issued_ms == book.issued_ms:
        return Verdict(book, (), ())
    states, changes = evaluate(rules.rules, book.states, seen, people)
    onsets = followed(book.onsets, seen)
    problems = {name: one for name, one in book.problems.items() if not _is_history(one, seen, terms)}
    changes = _assigned(states, changes, problems, book, terms=terms, seen=seen)
    news = _news(problems, states, changes)
    _share_out(onsets, problems, news, seen, terms)
    after = {name: gone_on(one, news[name], seen, terms) for name, one in problems.items()}
    changed = tuple(one for name, one in after.items() if one != book.problems.get(name))
    tick = seen.tick if seen.answered else book.tick
    kept = Book(book.source, tick, seen.issued_ms, states, onsets, after)
    return Verdict(kept, tuple(changes), changed)


def _is_history(problem: Problem, seen: Observation, terms: Terms) -> bool:
    """Whether it can no longer be opened again."""
    now = seen.issued_ms if is_about_the_source(problem) else seen.time_ms
    return problem.resolved_ms is not None and now - problem.resolved_ms > terms.reopen_ms


def _assigned(
    states: dict[Key, AlertState],
    changes: list[Transition],
    problems: dict[str, Problem],
    book: Book,
    *,
    terms: Terms,
    seen: Observation,
) -> list[Transition]:
    """The changes, each with its problem; ``states`` get theirs, and ``problems`` those that are opened.

    Alerts that fire at one tick are looked at in the order in which their conditions began to hold.
    """
    fired = [one for one in changes if one.change == "firing"]
    near = dict(problems)
    members = members_of(near.values(), (*book.states.values(), *states.values())) if fired else {}
    for told in sorted(fired, key=lambda one: one.since_ms):
        name = joined(near.values(), members, told, terms, seen.step_ms)
        if name is None:
            fresh = replace(opened_by(told), model=seen.model)
            name = fresh.id
            near[name] = problems[name] = fresh
        near[name] = with_alert(near[name], told)
        members.setdefault(name, set()).update([told.key.server] if told.key.server else [])
        states[told.key] = replace(states[told.key], problem=name)
    return [_placed(one, states) for one in changes]


def _placed(told: Transition, states: Mapping[Key, AlertState]) -> Transition:
    state = states.get(told.key)
    return told if told.problem or state is None else replace(told, problem=state.problem)


def _news(
    problems: Mapping[str, Problem], states: Mapping[Key, AlertState], changes: Iterable[Transition]
) -> dict[str, News]:
    found = {name: News() for name in problems}
    for state in states.values():
        if state.problem in found:
            found[state.problem].states.append(state)
    for change in changes:
        if change.problem in found:
            found[change.problem].changes.append(change)
    return found


def _share_out(
    onsets: Mapping[str, Onset],
    problems: Mapping[str, Problem],
    news: Mapping[str, News],
    seen: Observation,
    terms: Terms,
) -> None:
    """Give each problem the servers in unrest that belong to it: those in it, and those that may well have to do."""
    standing = [one for one in problems.values() if one.life != "resolved" and not is_about_the_source(one)]
    standing.sort(key=lambda one: (one.last_onset_ms, one.id), reverse=True)
    members = members_of(standing, (state for one in standing for state in news[one.id].states))
    profile_of = dict(zip(seen.servers, seen.profiles, strict=True))
    span = terms.together(seen.step_ms)
    for server, onset in onsets.items():
        home = next((one.id for one in standing if server in members[one.id]), None)
        if home is None:
            profile = profile_of.get(server, "")
            home = next((one.id for one in standing if _may_belong(one, onset, profile, span, terms)), None)
        if home is not None:
            news[home].onsets[server] = onset


def _may_belong(problem: Problem, onset: Onset, profile: str, span: int, terms: Terms) -> bool:
    near = problem.began_ms - span <= onset.ms <= problem.last_onset_ms + span
    return near and any(terms.graph.related(profile, one) for one in problem.profiles or (profile,))
