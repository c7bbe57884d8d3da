"""The outbox: what is to be told to whom, claimed by one process at a time; and the log of every attempt.

A row is claimed for a span of time with a token. Whoever settles it proves with the token that nobody else has claimed
it since: a process that dies in between leaves a row that is claimed again once the span is over.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from tft_dash.store.alerts.judged import dumped, parts
from tft_dash.store.schema import ALERT_DELIVERIES, ALERT_PROBLEMS, ALERT_TELLINGS

Plain = Mapping[str, Any]
State = Literal["waiting", "carried", "sent", "gave-up", "silenced", "past"]
UNSETTLED: Final = ("waiting", "carried")
CLAIM_MS: Final = 90_000
LOOKED_AT: Final = 500
NEVER: Final = 2**62
"""Due at no time until it is woken."""

SYNC: Final = "sync"
"""The event of a row that stands for all that a receiver is to know; it is due again and again."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A row of the outbox.

    :param id: the same whoever writes it, and however often it is sent.
    :param event: firing, resolved, or :data:`SYNC`.
    :param subject: what it is about: a problem, or one alert's episode.
    :param state: waiting = to be sent; carried = goes with the receiver's sync; silenced and past = only logged.
    :param claim: token of whoever is sending it; "" = nobody.
    :param wakes: how often there was news for it; tells a sync whether there was some while it was sent.
    """

    id: str
    source: str
    receiver: str
    event: str
    subject: str
    problem: str
    state: State
    created_ms: int
    due_ms: int = 0
    attempts: int = 0
    wakes: int = 0
    claim: str = ""
    until_ms: int = 0
    done_ms: int | None = None
    words: str = ""
    body: Plain | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An attempt to tell, as it is logged.

    :param outcome: sent, failed, gave-up, refused, silenced, past, test.
    :param status: of HTTP; None = there was no answer.
    """

    telling: str
    source: str
    receiver: str
    problem: str
    event: str
    at_ms: int
    attempt: int
    outcome: str
    status: int | None
    took_ms: int
    words: str


def put(connection: Connection, tellings: Iterable[Telling]) -> None:
    """Keep new rows; the caller knows that there are none of these ids yet."""
    rows = [_columns(one) for one in tellings]
    if rows:
        connection.execute(insert(ALERT_TELLINGS), rows)


def known(connection: Connection, problems: Iterable[str]) -> dict[str, State]:
    """Id → state of all rows about these problems."""
    found: dict[str, State] = {}
    for some in parts(problems):
        wanted = select(ALERT_TELLINGS.c.id, ALERT_TELLINGS.c.state).where(ALERT_TELLINGS.c.problem.in_(some))
        found |= {row.id: row.state for row in connection.execute(wanted)}
    return found


def sync_id(source: str, receiver: str) -> str:
    """The id of a receiver's sync for a source."""
    return f"{SYNC}.{receiver}.{source}"


def wake(connection: Connection, source: str, receiver: str, now_ms: int) -> None:
    """There is news for a receiver's sync. It goes at once, or when a receiver that failed is tried again."""
    table = ALERT_TELLINGS.c
    place = table.id == sync_id(source, receiver)
    failed = (table.attempts > 0) & (table.claim == "")
    news = {"wakes": table.wakes + 1, "due_ms": case((failed, table.due_ms), else_=now_ms)}
    if not connection.execute(update(ALERT_TELLINGS).where(place).values(**news)).rowcount:
        first = Telling(sync_id(source, receiver), source, receiver, SYNC, "", "", "waiting", now_ms, due_ms=now_ms)
        put(connection, [first])


def due_receivers(connection: Connection, source: str, now_ms: int) -> set[str]:
    """The receivers for which something of a source is due, by name."""
    table = ALERT_TELLINGS.c
    set_back = (table.event == SYNC) & (table.done_ms > now_ms)
    mine = table.source == source, table.state == "waiting", (table.due_ms <= now_ms) | set_back
    return set(connection.execute(select(table.receiver).where(*mine).distinct()).scalars())


def _is_due(row: Row[Any], now_ms: int) -> bool:
    """Whether it is time; a sync that was last sent later than now was sent before the store's clock was set back."""
    return bool(row.due_ms <= now_ms or (row.event == SYNC and row.done_ms is not None and row.done_ms > now_ms))


def claim(connection: Connection, source: str, receiver: str, now_ms: int) -> Telling | None:
    """The next row that is due, claimed; None = none is, or others are at it.

    What is told of one problem goes in order: the news that it is over never comes before the news of it. While a
    receiver that failed is left alone, nothing goes to it, be it newer than what failed.
    """
    mine = ALERT_TELLINGS.c.receiver == receiver, ALERT_TELLINGS.c.source == source
    wanted = select(ALERT_TELLINGS).where(*mine, ALERT_TELLINGS.c.state == "waiting")
    ordered = wanted.order_by(ALERT_TELLINGS.c.created_ms, ALERT_TELLINGS.c.event).limit(LOOKED_AT)
    waits: set[str] = set()
    for row in connection.execute(ordered):
        if row.event != SYNC and row.attempts and not row.claim and row.due_ms > now_ms:
            return None
        free = not row.claim or row.until_ms <= now_ms or row.until_ms > now_ms + 2 * CLAIM_MS
        if free and _is_due(row, now_ms) and row.subject not in waits:
            return _claimed(connection, row, now_ms)
        waits.add(row.subject)
    return None


def _claimed(connection: Connection, row: Row[Any], now_ms: int) -> Telling:
    held = {"claim": uuid.uuid4().hex, "until_ms": now_ms + CLAIM_MS, "attempts": row.attempts + 1}
    connection.execute(update(ALERT_TELLINGS).where(ALERT_TELLINGS.c.id == row.id).values(**held))
    return _telling({**row._mapping, **held})  # noqa: SLF001 - SQLAlchemy's own public name for it


def settle(connection: Connection, telling: Telling, state: State, now_ms: int, words: str = "") -> bool:
    """A claimed row is done with; False = somebody else has claimed it meanwhile, and settles it."""
    values = {"state": state, "done_ms": now_ms, "claim": "", "until_ms": 0, "words": words}
    return bool(connection.execute(_held(telling).values(**values)).rowcount)


def retry(connection: Connection, telling: Telling, due_ms: int, words: str) -> bool:
    """A claimed row is to be sent again, and nothing else to that receiver before; False = somebody else has it."""
    values = {"due_ms": due_ms, "claim": "", "until_ms": 0, "words": words}
    if not connection.execute(_held(telling).values(**values)).rowcount:
        return False
    table = ALERT_TELLINGS.c
    mine = (table.receiver == telling.receiver, table.source == telling.source, table.state == "waiting")
    early = update(ALERT_TELLINGS).where(*mine, table.claim == "", table.due_ms < due_ms)
    connection.execute(early.values(due_ms=due_ms))
    return True


def settle_sync(connection: Connection, telling: Telling, due_ms: int, now_ms: int) -> bool:
    """A sync went well, and is due again; at once where there was news while it was sent."""
    news = connection.execute(select(ALERT_TELLINGS.c.wakes).where(ALERT_TELLINGS.c.id == telling.id)).scalar_one()
    due = due_ms if news == telling.wakes else now_ms
    values = {"due_ms": due, "claim": "", "until_ms": 0, "attempts": 0, "done_ms": now_ms, "words": ""}
    return bool(connection.execute(_held(telling).values(**values)).rowcount)


def _held(telling: Telling) -> Any:  # noqa: ANN401 - SQLAlchemy's own type has a parameter that it does not export
    return update(ALERT_TELLINGS).where(ALERT_TELLINGS.c.id == telling.id, ALERT_TELLINGS.c.claim == telling.claim)


def carried(connection: Connection, source: str, receiver: str, since_ms: int) -> list[Telling]:
    """What goes with a receiver's sync: what it has not been told yet, and what it was told since, in order."""
    table = ALERT_TELLINGS.c
    mine = (table.receiver == receiver, table.source == source, table.event != SYNC)
    recent = (table.state == "carried") | ((table.state == "sent") & (table.done_ms >= since_ms))
    rows = connection.execute(select(ALERT_TELLINGS).where(*mine, recent).order_by(table.created_ms, table.event))
    return [_telling(row._mapping) for row in rows]  # noqa: SLF001


def told_subjects(connection: Connection, source: str, receiver: str, subjects: Iterable[str]) -> set[str]:
    """Of these subjects those of which a receiver was told, or is to be told, that they fire."""
    found: set[str] = set()
    table = ALERT_TELLINGS.c
    for some in parts(subjects):
        mine = (table.receiver == receiver, table.source == source, table.event == "firing")
        wanted = select(table.subject).where(*mine, table.subject.in_(some), table.state.in_(("carried", "sent")))
        found |= set(connection.execute(wanted).scalars())
    return found


def settle_carried(connection: Connection, ids: Iterable[str], state: State, now_ms: int) -> None:
    """Rows that went with a sync are done with."""
    for some in parts(ids):
        place = ALERT_TELLINGS.c.id.in_(some), ALERT_TELLINGS.c.state == "carried"
        connection.execute(update(ALERT_TELLINGS).where(*place).values(state=state, done_ms=now_ms))


def log(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Keep what was attempted."""
    rows = [{name: getattr(one, name) for name in Delivery.__dataclass_fields__} for one in deliveries]
    if rows:
        connection.execute(insert(ALERT_DELIVERIES), rows)


def read_tellings(
    connection: Connection, *, source: str | None = None, problem: str | None = None, limit: int = 200
) -> list[Telling]:
    """Rows of the outbox, the newest first; without the syncs."""
    wanted = select(ALERT_TELLINGS).where(ALERT_TELLINGS.c.event != SYNC)
    if source is not None:
        wanted = wanted.where(ALERT_TELLINGS.c.source == source)
    if problem is not None:
        wanted = wanted.where(ALERT_TELLINGS.c.problem == problem)
    rows = connection.execute(wanted.order_by(ALERT_TELLINGS.c.created_ms.desc(), ALERT_TELLINGS.c.id).limit(limit))
    return [_telling(row._mapping) for row in rows]  # noqa: SLF001


def read_deliveries(
    connection: Connection,
    *,
    source: str | None = None,
    problem: str | None = None,
    receiver: str | None = None,
    limit: int = 200,
) -> list[Delivery]:
    """What was attempted, the newest first."""
    given = {"source": source, "problem": problem, "receiver": receiver}
    wanted = select(ALERT_DELIVERIES)
    for name, value in given.items():
        if value is not None:
            wanted = wanted.where(ALERT_DELIVERIES.c[name] == value)
    rows = connection.execute(wanted.order_by(ALERT_DELIVERIES.c.number.desc()).limit(limit))
    return [Delivery(**{name: getattr(row, name) for name in Delivery.__dataclass_fields__}) for row in rows]


def undelivered(connection: Connection, source: str) -> int:
    """How many rows a source has that are still to be sent."""
    mine = ALERT_TELLINGS.c.source == source, ALERT_TELLINGS.c.event != SYNC, ALERT_TELLINGS.c.state.in_(UNSETTLED)
    return int(connection.execute(select(func.count()).select_from(ALERT_TELLINGS).where(*mine)).scalar_one())


def forget_told(connection: Connection, source: str, before_ms: int) -> int:
    """Drop what was settled before a time, unless its problem still stands; how many rows."""
    standing = select(ALERT_PROBLEMS.c.id).where(ALERT_PROBLEMS.c.life != "resolved")
    table = ALERT_TELLINGS.c
    last = func.coalesce(table.done_ms, table.created_ms)
    old = (table.source == source, table.event != SYNC, last < before_ms, table.problem.not_in(standing))
    gone = connection.execute(delete(ALERT_TELLINGS).where(*old)).rowcount
    logged = ALERT_DELIVERIES.c.source == source, ALERT_DELIVERIES.c.at_ms < before_ms
    return int(gone + connection.execute(delete(ALERT_DELIVERIES).where(*logged)).rowcount)


_NAMES: Final = tuple(Telling.__dataclass_fields__)


def _columns(one: Telling) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in _NAMES}
    return {**values, "body": "" if one.body is None else dumped(one.body)}


def _telling(row: Any) -> Telling:  # noqa: ANN401 - any mapping of columns
    values = {name: row[name] for name in _NAMES}
    return Telling(**{**values, "body": json.loads(row["body"]) if row["body"] else None})
