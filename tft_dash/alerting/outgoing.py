"""What is to be told after an observation: decided with it, in the same transaction, once.

A receiver is told of a problem when it is there (the first time that one of its alerts is neither silenced nor
acknowledged and is one that the receiver wants), and when it is over. An Alertmanager is told of each alert, whether
it is silenced here or not: its silences are its own. What was over before it could be told is only logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tft_dash.alerts.alert import AlertState, Key, Transition
from tft_dash.alerts.delivery.message import Event, message_of
from tft_dash.alerts.delivery.receivers import Receiver
from tft_dash.alerts.judging import Book, Verdict
from tft_dash.alerts.problem import Problem
from tft_dash.alerts.rules import Rule
from tft_dash.store.alerts.outbox import State, Telling

PAST = "It was over before it could be told: it was recorded after the fact, when the source answered again."
SILENT = "It was silenced, or somebody was at it, for as long as it lasted."
SILENCED = "It was silenced when it ended."


@dataclass(frozen=True, slots=True)
class Now:
    """What else counts.

    :param past: whether the observation is about the past: then nobody is told that something is there.
    :param base: address of the pages.
    :param told: id → state of what is in the outbox already about the problems at hand.
    """

    now_ms: int
    past: bool
    base: str
    rules: Mapping[str, Rule]
    receivers: Sequence[Receiver]
    told: Mapping[str, State]


@dataclass(slots=True)
class _Post:
    """Collects what is to be told."""

    now: Now
    source: str
    found: list[Telling] = field(default_factory=list)

    def add(self, event: Event, receiver: Receiver, subject: tuple[str, str, str], state: State, **more: Any) -> None:  # noqa: ANN401 - fields of a telling
        identity, about, problem = subject
        at = self.now.now_ms
        done = None if state in ("waiting", "carried") else at
        telling = Telling(identity, self.source, receiver.name, event, about, problem, state, at, done_ms=done)
        self.found.append(replace(telling, **more))


def outgoing(before: Book, verdict: Verdict, now: Now) -> list[Telling]:
    """New rows for the outbox.

    :param before: the book before the observation; what has left the book since is told with what it says.
    """
    post = _Post(now, verdict.book.source)
    states = {**before.states, **verdict.book.states}
    by_problem: dict[str, list[AlertState]] = {}
    for state in states.values():
        if state.problem and state.fired_ms is not None:
            by_problem.setdefault(state.problem, []).append(state)
    for receiver in now.receivers:
        if receiver.is_alertmanager:
            _tell_of_alerts(post, receiver, verdict, states)
            continue
        for problem in verdict.book.problems.values():
            if problem.life != "resolved":
                _tell_of(post, receiver, problem, _standing(by_problem, problem, verdict.book.states))
        for problem in verdict.problems:
            if problem.life == "resolved":
                ends = [one for one in verdict.transitions if one.change == "resolved" and one.problem == problem.id]
                silenced = bool(ends) and all(one.silenced for one in ends)
                _tell_of_end(post, receiver, problem, by_problem.get(problem.id, []), silenced=silenced)
    return post.found


def _standing(
    by_problem: Mapping[str, list[AlertState]], problem: Problem, now: Mapping[Key, AlertState]
) -> list[AlertState]:
    return [one for one in by_problem.get(problem.id, []) if one.active and one.key in now]


def _identity(event: str, receiver: Receiver, problem: Problem) -> str:
    return f"{event}.{receiver.name}.{problem.id}.{problem.reopened}"


def _tell_of(post: _Post, receiver: Receiver, problem: Problem, states: Sequence[AlertState]) -> None:
    identity = _identity("firing", receiver, problem)
    if post.now.past or identity in post.now.told:
        return
    if any(_wants(receiver, one) and not one.silenced_by and one.acknowledged is None for one in states):
        body = _message(post, identity, "firing", problem, states)
        post.add("firing", receiver, (identity, problem.id, problem.id), "waiting", body=body)


def _tell_of_end(
    post: _Post, receiver: Receiver, problem: Problem, states: Sequence[AlertState], *, silenced: bool
) -> None:
    first, identity = _identity("firing", receiver, problem), _identity("resolved", receiver, problem)
    subject = identity, problem.id, problem.id
    told = post.now.told.get(first)
    if identity in post.now.told or told in ("past", "silenced"):
        return
    if told is None:
        if any(_wants(receiver, one) for one in states):
            past = problem.past or post.now.past
            untold: State = "past" if past else "silenced"
            post.add("firing", receiver, (first, problem.id, problem.id), untold, words=PAST if past else SILENT)
        return
    if receiver.is_chat and silenced:
        post.add("resolved", receiver, subject, "silenced", words=SILENCED)
        return
    body = _message(post, identity, "resolved", problem, states)
    post.add("resolved", receiver, subject, "waiting", body=body)


def _message(
    post: _Post, identity: str, event: Event, problem: Problem, states: Iterable[AlertState]
) -> dict[str, Any]:
    return message_of(identity, event, problem, states, rules=post.now.rules, base=post.now.base).as_plain()


def _wants(receiver: Receiver, state: AlertState) -> bool:
    return receiver.wants(state.labels, state.severity)


def _tell_of_alerts(post: _Post, receiver: Receiver, verdict: Verdict, states: Mapping[Key, AlertState]) -> None:
    for state in verdict.book.states.values() if not post.now.past else ():
        identity = f"firing.{receiver.name}.{state.episode}"
        if state.active and identity not in post.now.told and _wants(receiver, state):
            post.add("firing", receiver, (identity, state.episode, state.problem), "carried")
    for told in _ends(verdict.transitions):
        first, identity = (f"{event}.{receiver.name}.{told.episode}" for event in ("firing", "resolved"))
        known = post.now.told.get(first)
        if known is None and post.now.past and receiver.wants(told.labels, told.severity):
            post.add("firing", receiver, (first, told.episode, told.problem), "past", words=PAST)
        elif known in ("carried", "sent") and identity not in post.now.told:
            last = states.get(told.key)
            tick = told.since_tick if last is None or last.fired_tick is None else last.fired_tick
            body = {"transition": told.as_plain(), "fired_tick": tick}
            post.add("resolved", receiver, (identity, told.episode, told.problem), "carried", body=body)


def _ends(changes: Iterable[Transition]) -> Iterator[Transition]:
    return (one for one in changes if one.change == "resolved" and one.telling)
