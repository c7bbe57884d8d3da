"""What people say: silences, acknowledgements, remarks on problems. Written by people alone, read by the collector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from tft_dash.store.alerts.judged import dumped, parts
from tft_dash.store.schema import ALERT_ACKNOWLEDGEMENTS, ALERT_REMARKS, ALERT_SILENCES

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredSilence:
    """A silence as it is kept.

    :param end_ms: the end in force.
    :param ended_by: who ended it before its time; "" = nobody.
    """

    plain: Plain
    end_ms: int
    made_ms: int
    ended_by: str


def write_silence(connection: Connection, plain: Plain, made_ms: int) -> None:
    """Keep a new silence."""
    times = {"start_ms": plain["start_ms"], "end_ms": plain["end_ms"], "made_ms": made_ms}
    connection.execute(insert(ALERT_SILENCES).values(id=plain["id"], **times, ended_by="", body=dumped(plain)))


def end_silence(connection: Connection, identity: str, now_ms: int, by: str) -> bool:
    """End a silence now; False = there is none of that id, or it is over."""
    place = ALERT_SILENCES.c.id == identity, ALERT_SILENCES.c.end_ms > now_ms
    return bool(connection.execute(update(ALERT_SILENCES).where(*place).values(end_ms=now_ms, ended_by=by)).rowcount)


def read_silences(connection: Connection, *, after_ms: int = 0, limit: int = 1000) -> list[StoredSilence]:
    """The silences that end after a time, by their end, the last first."""
    wanted = select(ALERT_SILENCES).where(ALERT_SILENCES.c.end_ms > after_ms)
    rows = connection.execute(wanted.order_by(ALERT_SILENCES.c.end_ms.desc(), ALERT_SILENCES.c.id).limit(limit))
    return [StoredSilence(json.loads(row.body), row.end_ms, row.made_ms, row.ended_by) for row in rows]


def acknowledge(
    connection: Connection, episodes: Mapping[str, str], *, source: str, by: str, at_ms: int, comment: str
) -> None:
    """Keep that somebody is at these alerts: episode → problem. A later word takes the place of an earlier one."""
    take_back(connection, tuple(episodes))
    values = {"source": source, "by": by, "at_ms": at_ms, "comment": comment}
    rows = [{"episode": episode, "problem": problem, **values} for episode, problem in episodes.items()]
    if rows:
        connection.execute(insert(ALERT_ACKNOWLEDGEMENTS), rows)


def take_back(connection: Connection, episodes: tuple[str, ...]) -> None:
    """Forget that somebody is at these alerts."""
    for some in parts(episodes):
        place = ALERT_ACKNOWLEDGEMENTS.c.episode.in_(some)
        connection.execute(delete(ALERT_ACKNOWLEDGEMENTS).where(place))


def read_acknowledgements(connection: Connection, source: str) -> dict[str, tuple[str, int, str]]:
    """Episode → who, when, comment."""
    wanted = select(ALERT_ACKNOWLEDGEMENTS).where(ALERT_ACKNOWLEDGEMENTS.c.source == source)
    return {row.episode: (row.by, row.at_ms, row.comment) for row in connection.execute(wanted)}


def read_remarks(connection: Connection, problems: tuple[str, ...]) -> dict[str, Plain]:
    """Problem → what people say of it; nothing where nobody has said anything."""
    found: dict[str, Plain] = {}
    for some in parts(problems):
        wanted = select(ALERT_REMARKS.c.problem, ALERT_REMARKS.c.body).where(ALERT_REMARKS.c.problem.in_(some))
        found |= {row.problem: json.loads(row.body) for row in connection.execute(wanted)}
    return found


def write_remarks(connection: Connection, problem: str, plain: Plain, now_ms: int) -> None:
    """Keep what people say of a problem."""
    values = {"body": dumped(plain), "changed_ms": now_ms}
    place = ALERT_REMARKS.c.problem == problem
    if not connection.execute(update(ALERT_REMARKS).where(place).values(**values)).rowcount:
        connection.execute(insert(ALERT_REMARKS).values(problem=problem, **values))
