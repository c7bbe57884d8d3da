"""What people do with alerts: look at problems, say what they know, silence, acknowledge, change rules, try receivers.

Nothing here judges or tells by itself: the collector does, and takes up what was said at the next tick.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from tft_dash.alerting.kept import Kept, KeptSilence
from tft_dash.alerting.ruling import InForce, Ruling
from tft_dash.alerts.alert import Acknowledgement, AlertState, Transition
from tft_dash.alerts.judging import Book
from tft_dash.alerts.problem import Problem, Remarks, with_comment, with_outcome
from tft_dash.alerts.rulebook import as_mapping, parse_rules
from tft_dash.alerts.rules import RuleSet
from tft_dash.alerts.silences import Silence, make_silence
from tft_dash.errors import ConflictError, NotThereError, UsageError, shorten
from tft_dash.settings import Settings
from tft_dash.store.alerts import judged, outbox, said
from tft_dash.store.alerts.outbox import Delivery, Telling
from tft_dash.store.alerts.ruling import KEY, RULES
from tft_dash.store.documents import Documents, StoredDocument
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms

LONGEST_NAME: Final = 120
LONGEST_SILENCE_MS: Final = 366 * 86_400_000
"""A silence that never ends is one that everybody has forgotten."""


__all__ = ["AlertDesk", "Kept", "KeptSilence"]


class AlertDesk:
    """Alerts as people meet them. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._rulebook = Documents(store, RULES)

    def now_ms(self) -> int:
        """The store's clock."""
        with self._store.read() as connection:
            return database_now_ms(connection)

    def sources(self) -> tuple[str, ...]:
        """The sources that alerts were ever judged of."""
        with self._store.read() as connection:
            return judged.book_sources(connection)

    def book(self, source: str) -> Book:
        """What is remembered of a source: where its alerts stand."""
        with self._store.read() as connection:
            return _book(connection, source)

    def alerts(self, source: str | None = None) -> tuple[AlertState, ...]:
        """Every alert that is pending, firing, recovering or was resolved a little while ago, by source."""
        with self._store.read() as connection:
            names = judged.book_sources(connection) if source is None else (source,)
            return tuple(state for name in names for state in _book(connection, name).states.values())

    def waiting(self, source: str) -> int:
        """How much of a source receivers were not told yet."""
        with self._store.read() as connection:
            return outbox.undelivered(connection, source)

    def problems(
        self,
        sources: Sequence[str] | None = None,
        *,
        standing: bool = False,
        first_ms: int | None = None,
        last_ms: int | None = None,
        limit: int = 200,
    ) -> tuple[Kept, ...]:
        """Problems, the newest first.

        :param standing: only those that are not over.
        :param first_ms: only those that were not over before.
        :param last_ms: only those that were opened by then.
        """
        with self._store.read() as connection:
            plain = judged.read_problems(
                connection, sources=sources, standing=standing, first_ms=first_ms, last_ms=last_ms, limit=limit
            )
            remarks = said.read_remarks(connection, tuple(one["id"] for one in plain))
        return tuple(Kept(Problem.from_plain(one), _remarks(remarks.get(one["id"]))) for one in plain)

    def problem(self, identity: str) -> Kept:
        """One problem.

        :raises NotThereError: there is none of that id.
        """
        with self._store.read() as connection:
            plain = _known(connection, identity)
            remarks = said.read_remarks(connection, (identity,)).get(identity)
        return Kept(plain, _remarks(remarks))

    def changes(
        self, source: str | None = None, *, problem: str | None = None, first_ms: int = 0, last_ms: int = 2**62
    ) -> tuple[Transition, ...]:
        """What changed about alerts in a span of time, in order; without what nobody was ever told of."""
        with self._store.read() as connection:
            found = judged.read_changes(connection, source=source, problem=problem, first_ms=first_ms, last_ms=last_ms)
        return tuple(Transition.from_plain(one) for one in found)

    def say_outcome(self, identity: str, outcome: str | None, by: str) -> Remarks:
        """Keep ``by``'s word on whether there was a problem indeed; None takes it back.

        :raises UsageError: it is no such word, or nobody says it.
        """
        return self._remark(identity, lambda remarks, now: with_outcome(remarks, outcome, _who(by), now))

    def comment(self, identity: str, text: str, by: str) -> Remarks:
        """Keep a comment on a problem.

        :raises UsageError: it is empty or too long, or nobody writes it.
        """
        return self._remark(identity, lambda remarks, now: with_comment(remarks, text, _who(by), now))

    def acknowledge(self, identity: str, by: str, comment: str = "") -> int:
        """Somebody is at a problem: at every alert of it that stands; how many.

        :raises UsageError: nobody says so, or it is over.
        """
        with self._store.write() as connection:
            problem = _known(connection, identity)
            episodes = _episodes(connection, problem)
            if not episodes:
                raise UsageError("The problem is over; there is nothing to acknowledge any more.")
            words = {"by": _who(by), "at_ms": database_now_ms(connection), "comment": comment.strip()[:1000]}
            if not words["by"]:
                raise UsageError("Say who is at it.")
            said.acknowledge(connection, dict.fromkeys(episodes, identity), source=problem.source, **words)  # type: ignore[arg-type]
        return len(episodes)

    def acknowledged(self, identity: str) -> Acknowledgement | None:
        """The newest word on who is at a problem, also before a tick was judged by it; None = nobody.

        :raises NotThereError: there is no such problem.
        """
        with self._store.read() as connection:
            problem = _known(connection, identity)
            words = said.read_acknowledgements(connection, problem.source)
            found = [words[one] for one in _episodes(connection, problem) if one in words]
        return Acknowledgement(*max(found, key=lambda one: one[1])) if found else None

    def take_back(self, identity: str) -> None:
        """Nobody is at a problem after all."""
        with self._store.write() as connection:
            said.take_back(connection, _episodes(connection, _known(connection, identity)))

    def silences(self, after_ms: int = 0) -> tuple[KeptSilence, ...]:
        """Those that end after a time; the last to end first."""
        with self._store.read() as connection:
            found = said.read_silences(connection, after_ms=after_ms)
        return tuple(
            KeptSilence(replace(Silence.from_plain(one.plain), end_ms=one.end_ms), one.made_ms, one.ended_by)
            for one in found
        )

    def add_silence(
        self,
        matchers: Sequence[str],
        *,
        start_ms: int | None = None,
        end_ms: int,
        by: str,
        reason: str,
        maintenance: bool = False,
    ) -> Silence:
        """Keep a new silence.

        :param start_ms: now where it is None.
        :raises UsageError: tells everything that is wrong with it.
        """
        with self._store.write() as connection:
            now = database_now_ms(connection)
            silence = make_silence(
                uuid.uuid4().hex[:12],
                matchers,
                start_ms=now if start_ms is None else start_ms,
                end_ms=end_ms,
                by=_who(by),
                reason=reason[:1000],
                maintenance=maintenance,
            )
            if end_ms <= now or end_ms - silence.start_ms > LONGEST_SILENCE_MS:
                raise UsageError("The silence cannot be made. It must end after now, and within a year of its start.")
            if silence.start_ms - now > LONGEST_SILENCE_MS:
                raise UsageError("The silence cannot be made. It must begin within a year from now.")
            said.write_silence(connection, silence.as_plain(), now)
        return silence

    def end_silence(self, identity: str, by: str) -> None:
        """End a silence before its time.

        :raises NotThereError: there is none of that id that has not ended.
        :raises UsageError: nobody says so.
        """
        if not _who(by):
            raise UsageError("Say who ends it.")
        with self._store.write() as connection:
            if not said.end_silence(connection, identity, database_now_ms(connection), _who(by)):
                raise NotThereError(f"There is no silence '{shorten(identity)}' that could be ended; it may be over.")

    def rules(self) -> InForce:
        """The rules in force.

        :raises TftDashError: the settings name a file that cannot be used.
        """
        with self._store.read() as connection:
            return Ruling(self._settings).read(connection)

    def save_rules(self, rules: RuleSet, *, version: int, author: str = "") -> StoredDocument:
        """Put other rules in force, from the next tick on.

        :param version: the version that they were made from; 0 = nobody had saved any.
        :raises UsageError: the rules stand in a file.
        :raises AlertDocumentError: they could not be read back; nothing is kept.
        :raises ConflictError: somebody else has saved others meanwhile.
        """
        if self._settings.alert_rules:
            shown = shorten(self._settings.alert_rules, 200)
            raise UsageError(f"The rules stand in {shown}. Change that file, or take TFT_DASH_ALERT_RULES away.")
        body = as_mapping(parse_rules(as_mapping(rules), "the rules"))
        known = self._rulebook.get(KEY)
        if known is None:
            if version:
                raise ConflictError("The saved rules are not there any more. Look at those in force.", 0)
            return self._rulebook.add(KEY, body, author)
        if known.deleted or known.archived:
            self._rulebook.mark(KEY, deleted=False, archived=False)
            version = version or known.version
        return self._rulebook.save(KEY, body, version=version, author=author)

    def rule_versions(self) -> tuple[StoredDocument, ...]:
        """Every version of the rules that was ever saved, the newest first."""
        return () if self._rulebook.get(KEY) is None else self._rulebook.history(KEY)

    def tellings(self, *, source: str | None = None, problem: str | None = None) -> tuple[Telling, ...]:
        """What is, was, or is to be told, the newest first."""
        with self._store.read() as connection:
            return tuple(outbox.read_tellings(connection, source=source, problem=problem))

    def deliveries(
        self, *, source: str | None = None, problem: str | None = None, receiver: str | None = None, limit: int = 200
    ) -> tuple[Delivery, ...]:
        """The log: every attempt to tell, the newest first."""
        with self._store.read() as connection:
            found = outbox.read_deliveries(connection, source=source, problem=problem, receiver=receiver, limit=limit)
        return tuple(found)

    def log(self, delivery: Delivery) -> None:
        """Note an attempt that was none of a problem: a test."""
        with self._store.write() as connection:
            outbox.log(connection, [delivery])

    def _remark(self, identity: str, change: Callable[[Remarks, int], Remarks]) -> Remarks:
        with self._store.write() as connection:
            _known(connection, identity)
            now = database_now_ms(connection)
            remarks = change(_remarks(said.read_remarks(connection, (identity,)).get(identity)), now)
            said.write_remarks(connection, identity, remarks.as_plain(), now)
        return remarks


def _who(by: str) -> str:
    return shorten(by.strip(), LONGEST_NAME)


def _book(connection: Connection, source: str) -> Book:
    stored = judged.read_book(connection, source)
    return Book(source) if stored is None else Book.from_plain(stored.plain)


def _known(connection: Connection, identity: str) -> Problem:
    plain = judged.read_problem(connection, identity) if identity.isalnum() and len(identity) <= 16 else None
    if plain is None:
        raise NotThereError(
            f"There is no problem '{shorten(identity)}'. It may be so old that it is not kept any more."
        )
    return Problem.from_plain(plain)


def _episodes(connection: Connection, problem: Problem) -> tuple[str, ...]:
    states = _book(connection, problem.source).states.values()
    return tuple(one.episode for one in states if one.active and one.problem == problem.id)


def _remarks(plain: said.Plain | None) -> Remarks:
    return Remarks() if plain is None else Remarks.from_plain(plain)
