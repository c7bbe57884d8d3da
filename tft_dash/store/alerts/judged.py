"""What is judged: a book for each source, problems, and what changed about alerts."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from tft_dash.store.schema import (
    ALERT_ACKNOWLEDGEMENTS,
    ALERT_BOOKS,
    ALERT_CHANGES,
    ALERT_DELIVERIES,
    ALERT_PROBLEMS,
    ALERT_REMARKS,
    ALERT_TELLINGS,
    LIVE_SOURCES,
)

Plain = Mapping[str, Any]
_LEVEL: Final = 1
AT_ONCE: Final = 400
"""So many values stand in one statement; no database takes any number."""


@dataclass(frozen=True, slots=True)
class StoredBook:
    """A book as it is kept.

    :param stamp: another one after every write; whoever has the body of a stamp need not read it again.
    :param rules: by which it was judged last.
    """

    stamp: str
    rules: Plain
    body: bytes

    @property
    def plain(self) -> Plain:
        """What is in it."""
        found: Plain = json.loads(zlib.decompress(self.body))
        return found


def book_stamp(connection: Connection, source: str) -> str | None:
    """The stamp of a source's book; None = it has none yet."""
    found: str | None = connection.execute(
        select(ALERT_BOOKS.c.stamp).where(ALERT_BOOKS.c.source == source)
    ).scalar_one_or_none()
    return found


def read_book(connection: Connection, source: str) -> StoredBook | None:
    """A source's book; None = it has none yet."""
    wanted = select(ALERT_BOOKS.c.stamp, ALERT_BOOKS.c.rules, ALERT_BOOKS.c.body)
    row = connection.execute(wanted.where(ALERT_BOOKS.c.source == source)).one_or_none()
    return None if row is None else StoredBook(row.stamp, json.loads(row.rules), row.body)


def book_sources(connection: Connection) -> tuple[str, ...]:
    """The sources that have a book, sorted."""
    return tuple(connection.execute(select(ALERT_BOOKS.c.source).order_by(ALERT_BOOKS.c.source)).scalars())


def write_book(connection: Connection, source: str, plain: Plain, rules: Plain) -> str:
    """Keep a source's book; its new stamp."""
    stamp = uuid.uuid4().hex
    body = zlib.compress(dumped(plain).encode(), _LEVEL)
    values = {"stamp": stamp, "rules": dumped(rules), "body": body}
    done = connection.execute(update(ALERT_BOOKS).where(ALERT_BOOKS.c.source == source).values(**values))
    if not done.rowcount:
        connection.execute(insert(ALERT_BOOKS).values(source=source, **values))
    return stamp


def write_problem(connection: Connection, plain: Plain) -> None:
    """Keep a problem as it is now."""
    columns = ("source", "life", "severity", "opened_ms", "changed_ms", "resolved_ms")
    values = {**{name: plain[name] for name in columns}, "body": dumped(plain)}
    place = ALERT_PROBLEMS.c.id == plain["id"]
    if not connection.execute(update(ALERT_PROBLEMS).where(place).values(**values)).rowcount:
        connection.execute(insert(ALERT_PROBLEMS).values(id=plain["id"], **values))


def write_changes(connection: Connection, source: str, changes: Sequence[Plain]) -> None:
    """Keep what changed about a source's alerts."""
    rows = [
        {
            "source": source,
            "time_ms": one["time_ms"],
            "change": one["change"],
            "problem": one["problem"],
            "body": dumped(one),
        }
        for one in changes
    ]
    if rows:
        connection.execute(insert(ALERT_CHANGES), rows)


def read_problems(
    connection: Connection,
    *,
    sources: Sequence[str] | None = None,
    standing: bool = False,
    first_ms: int | None = None,
    last_ms: int | None = None,
    limit: int = 200,
) -> list[Plain]:
    """Problems, the newest first.

    :param standing: only those that are not over.
    :param first_ms: only those that were not over before.
    :param last_ms: only those that were opened by then.
    """
    wanted = select(ALERT_PROBLEMS.c.body)
    if sources is not None:
        wanted = wanted.where(ALERT_PROBLEMS.c.source.in_(sources))
    if standing:
        wanted = wanted.where(ALERT_PROBLEMS.c.life != "resolved")
    if first_ms is not None:
        over = ALERT_PROBLEMS.c.resolved_ms
        wanted = wanted.where(over.is_(None) | (over >= first_ms))
    if last_ms is not None:
        wanted = wanted.where(ALERT_PROBLEMS.c.opened_ms <= last_ms)
    ordered = wanted.order_by(ALERT_PROBLEMS.c.opened_ms.desc(), ALERT_PROBLEMS.c.id).limit(limit)
    return [json.loads(body) for body in connection.execute(ordered).scalars()]


def read_problem(connection: Connection, identity: str) -> Plain | None:
    """One problem; None = there is none of that id."""
    wanted = select(ALERT_PROBLEMS.c.body).where(ALERT_PROBLEMS.c.id == identity)
    body = connection.execute(wanted).scalar_one_or_none()
    return None if body is None else json.loads(body)


def read_changes(
    connection: Connection,
    *,
    source: str | None = None,
    problem: str | None = None,
    first_ms: int = 0,
    last_ms: int = 2**62,
    limit: int = 2000,
) -> list[Plain]:
    """What changed about alerts in a span of time, in order; of more than ``limit`` the newest."""
    at = ALERT_CHANGES.c.time_ms
    wanted = select(ALERT_CHANGES.c.body).where(at >= first_ms, at <= last_ms)
    if source is not None:
        wanted = wanted.where(ALERT_CHANGES.c.source == source)
    if problem is not None:
        wanted = wanted.where(ALERT_CHANGES.c.problem == problem)
    ordered = wanted.order_by(at.desc(), ALERT_CHANGES.c.number.desc()).limit(limit)
    return [json.loads(body) for body in connection.execute(ordered).scalars()][::-1]


def forget_before(connection: Connection, source: str, before_ms: int) -> int:
    """Drop a source's problems that were over by then, and changes of before; how many rows.

    A problem of which people have said something stays: without it nobody could say what their word was about.
    """
    table = ALERT_PROBLEMS.c
    said = table.id.in_(select(ALERT_REMARKS.c.problem))
    old = (table.source == source, table.life == "resolved", table.resolved_ms < before_ms, ~said)
    gone = connection.execute(delete(ALERT_PROBLEMS).where(*old)).rowcount
    mine = (ALERT_CHANGES.c.source == source, ALERT_CHANGES.c.time_ms < before_ms)
    return int(gone + connection.execute(delete(ALERT_CHANGES).where(*mine)).rowcount)


def forget_source(connection: Connection, source: str) -> None:
    """Drop everything about a source but what people said of its problems."""
    for table in (
        ALERT_BOOKS, ALERT_PROBLEMS, ALERT_CHANGES, ALERT_ACKNOWLEDGEMENTS, ALERT_TELLINGS, ALERT_DELIVERIES,
    ):  # fmt: skip
        connection.execute(delete(table).where(table.c.source == source))


def step_ms_of(connection: Connection, source: str) -> int:
    """The step of a live source that is collected."""
    found: int = connection.execute(select(LIVE_SOURCES.c.step_ms).where(LIVE_SOURCES.c.name == source)).scalar_one()
    return found


def dumped(plain: Plain) -> str:
    """As text in ASCII: every database keeps it as it is, whatever its encoding."""
    return json.dumps(plain, allow_nan=False, ensure_ascii=True, separators=(",", ":"))


def parts(values: Iterable[str]) -> list[list[str]]:
    """Values in lists that fit into one statement each."""
    known = list(values)
    return [known[start : start + AT_ONCE] for start in range(0, len(known), AT_ONCE)]
