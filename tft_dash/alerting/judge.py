"""Judges each tick as it is recorded, and keeps what follows from it, in the transaction that records it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection

from tft_dash.alerting.links import base_address
from tft_dash.alerting.outgoing import Now, outgoing
from tft_dash.alerting.receiving import Receiving
from tft_dash.alerting.ruling import Grouping, Ruling
from tft_dash.alerts.alert import Acknowledgement, Transition
from tft_dash.alerts.judging import Book, Verdict, judge
from tft_dash.alerts.observing import Observation, observation_of, silence_of
from tft_dash.alerts.silences import People, Silence
from tft_dash.settings import Settings
from tft_dash.store.alerts import judged, outbox, said
from tft_dash.store.alerts.outbox import State, Telling
from tft_dash.store.live import Hooks
from tft_dash.store.live.clock import database_now_ms
from tft_dash.ticks import TickRecord

logger = logging.getLogger(__name__)

_MOST_REMEMBERED = 20_000
_NOT_KEPT = ("pending", "dropped")
"""Changes that a trembling value makes by the thousand, and that nobody was ever told of."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """What was read or written last of a source; good as long as the store has the same stamp."""

    stamp: str | None
    book: Book
    told: dict[str, State] = field(default_factory=dict)


class AlertJudge:
    """Judges the sources that one process collects. Used from one thread.

    :raises TftDashError: the settings name a file of rules, dependencies or receivers that cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._ruling, self._grouping, self._receiving = Ruling(settings), Grouping(settings), Receiving(settings)
        self._base = base_address(settings)
        self._memory: dict[str, _Memory] = {}
        self._steps: dict[str, int] = {}

    @property
    def hooks(self) -> Hooks:
        """What a collector does within its recording transactions."""
        return Hooks(self.on_tick, self.on_silence)

    def on_tick(self, connection: Connection, record: TickRecord) -> None:
        """A tick is recorded."""
        self._judge(connection, observation_of(record, self._step_seconds(connection, record.source)))

    def on_silence(self, connection: Connection, source: str, asked: np.datetime64, problem: str) -> None:
        """A source did not answer."""
        del problem  # it stands with the source
        last = self._remembered(connection, source).book.tick
        self._judge(connection, silence_of(source, last, asked, self._step_seconds(connection, source)))

    def _judge(self, connection: Connection, seen: Observation) -> None:
        now_ms = database_now_ms(connection)
        in_force, terms = self._ruling.read(connection), self._grouping.terms()
        memory = self._remembered(connection, seen.source)
        book = memory.book
        if seen.answered and seen.tick <= book.tick:  # its history was dropped, and its ticks are counted anew
            book = replace(book, tick=seen.tick - 1)
        verdict = judge(book, in_force.rules, seen, _people(connection, seen), terms)
        _keep(connection, seen.source, verdict)
        rules = {one.alert: one for one in in_force.rules.rules}
        now = Now(now_ms, seen.past, self._base, rules, self._receiving.receivers(), memory.told)
        tellings = outgoing(book, verdict, now)
        _put(connection, seen.source, tellings, now_ms)
        stamp = judged.write_book(connection, seen.source, verdict.book.as_plain(), in_force.as_plain())
        told = memory.told | {one.id: one.state for one in tellings}
        if len(told) > _MOST_REMEMBERED:
            told = outbox.known(connection, verdict.book.problems)
        self._memory[seen.source] = _Memory(stamp, verdict.book, told)

    def _remembered(self, connection: Connection, source: str) -> _Memory:
        known = self._memory.get(source)
        stamp = judged.book_stamp(connection, source)
        if known is None or known.stamp != stamp:
            stored = judged.read_book(connection, source)
            book = Book(source) if stored is None else Book.from_plain(stored.plain)
            known = _Memory(stamp, book, outbox.known(connection, book.problems))
            self._memory[source] = known
        return known

    def _step_seconds(self, connection: Connection, source: str) -> float:
        if source not in self._steps:
            self._steps[source] = judged.step_ms_of(connection, source)
        return self._steps[source] / 1000


def _people(connection: Connection, seen: Observation) -> People:
    silences = tuple(
        replace(Silence.from_plain(one.plain), end_ms=one.end_ms)
        for one in said.read_silences(connection, after_ms=min(seen.time_ms, seen.issued_ms))
    )
    seen_by = said.read_acknowledgements(connection, seen.source)
    return People(silences, {episode: Acknowledgement(*word) for episode, word in seen_by.items()})


def _keep(connection: Connection, source: str, verdict: Verdict) -> None:
    changes = [one for one in verdict.transitions if one.change not in _NOT_KEPT]
    judged.write_changes(connection, source, [one.as_plain() for one in changes])
    for problem in verdict.problems:
        judged.write_problem(connection, problem.as_plain())
    said.take_back(connection, _over(changes))


def _over(changes: list[Transition]) -> tuple[str, ...]:
    """Nobody is at an alert any more that is over; the timeline of its problem says who was."""
    return tuple(one.episode for one in changes if one.change == "resolved")


def _put(connection: Connection, source: str, tellings: list[Telling], now_ms: int) -> None:
    outbox.put(connection, tellings)
    carried: Mapping[str, None] = dict.fromkeys(one.receiver for one in tellings if one.state == "carried")
    for receiver in carried:
        outbox.wake(connection, source, receiver, now_ms)
