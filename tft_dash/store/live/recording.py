"""Recording: the ticks of a live source are written once, in order, by the leader alone."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from tft_dash.errors import LostLeadError, shorten
from tft_dash.schema import METRIC_NAMES
from tft_dash.store.live.clock import database_now_ms, milliseconds
from tft_dash.store.live.leases import Lease, demand_lead
from tft_dash.store.schema import LIVE_ROSTERS, LIVE_SOURCES, LIVE_TICKS
from tft_dash.ticks import FLEET_SCALARS, NO_COUNTS, Counts, Roster, TickRecord, pack

logger = logging.getLogger(__name__)

OnTick = Callable[[Connection, TickRecord], None]
"""Called with every record, in order, within the transaction that records it: what it writes is kept with the record or
not at all. An error of the database undoes both; any other error undoes what it wrote, is told, and the tick is kept
all the same: alerts must not stop the recording."""
OnSilence = Callable[[Connection, str, np.datetime64, str], None]
"""Called likewise when a source did not answer: its name, when it was asked by the store's clock, and why."""

Rejections = tuple[tuple[str, int, tuple[str, ...]], ...]
"""Rule, how many samples, and the first of them in words."""

COUNTS: Final = ("late", "duplicate", "future", "rejected")


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll of a source has brought, beside ticks.

    :param problem: why it brought nothing; "" = it went well.
    :param answered: whether the source answered.
    :param counts: samples that are in no tick.
    :param rejections: those that were not acceptable.
    :param clock: what the clock showed that closed the ticks; None = as it was. Without a tick it tells nothing: one
        that was set back must not make an old tick look new.
    """

    problem: str = ""
    answered: bool = True
    counts: Counts = NO_COUNTS
    rejections: Rejections = ()
    clock: np.datetime64 | None = None


NOTHING_NEW: Final = Poll()


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is done within the transactions of a collector."""

    on_tick: OnTick | None = None
    on_silence: OnSilence | None = None


NO_HOOKS: Final = Hooks()


def write_records(
    connection: Connection, lease: Lease, records: Sequence[TickRecord], poll: Poll, hooks: Hooks
) -> None:
    """Record ticks after the newest one, and what the poll that brought them was like.

    :raises LostLeadError: somebody else leads, or has recorded one of them already.
    """
    row = demand_lead(connection, lease)
    failures: list[str] = []
    latest, roster = row.latest, row.latest_roster
    for record in records:
        _demand_next(lease.source, record, latest)
        if record.roster.number != roster:
            _put_roster(connection, lease.source, record.roster)
        connection.execute(insert(LIVE_TICKS).values(**_columns(record)))
        if hooks.on_tick is not None:
            with _apart(connection, f"tick {record.tick} of '{record.source}'", failures):
                hooks.on_tick(connection, record)
        latest, roster = record.tick, record.roster.number
    now = database_now_ms(connection)
    if not poll.answered and hooks.on_silence is not None:
        with _apart(connection, f"the silence of '{lease.source}'", failures):
            hooks.on_silence(connection, lease.source, np.datetime64(now, "ms"), poll.problem)
    changes = _changes(row, poll, now)
    if records:
        changes |= {"latest": latest, "latest_roster": roster, "model": records[-1].model}
        changes |= _newest(row, records)
    if failures and not poll.problem:
        changes["problem"] = failures[-1]
    connection.execute(update(LIVE_SOURCES).where(LIVE_SOURCES.c.name == lease.source).values(**changes))


def _demand_next(source: str, record: TickRecord, latest: int) -> None:
    if record.tick <= latest or record.source != source:
        raise LostLeadError(f"'{source}': tick {record.tick} comes after tick {latest}, which is recorded already.")


@contextlib.contextmanager
def _apart(connection: Connection, what: str, failures: list[str]) -> Iterator[None]:
    """A part of a transaction that may fail without the rest; an error of the database is none of its own."""
    nested = connection.begin_nested()
    try:
        yield
    except SQLAlchemyError:
        raise
    except Exception as error:
        nested.rollback()
        logger.exception("alerts were not judged at %s", what)
        failures.append(f"Alerts were not judged at {what}: {shorten(f'{type(error).__name__}: {error}', 200)}")
    else:
        nested.commit()


def _put_roster(connection: Connection, name: str, roster: Roster) -> None:
    place = LIVE_ROSTERS.c.source == name, LIVE_ROSTERS.c.number == roster.number
    if connection.execute(select(LIVE_ROSTERS.c.number).where(*place)).one_or_none() is None:
        texts = {"servers": json.dumps(roster.servers), "profiles": json.dumps(roster.profiles)}
        connection.execute(insert(LIVE_ROSTERS).values(source=name, number=roster.number, **texts))


def _columns(record: TickRecord) -> dict[str, Any]:
    payload = pack(record)
    counts = {name: getattr(record.counts, name) for name in COUNTS}
    return {
        "source": record.source,
        "tick": record.tick,
        "time_ms": milliseconds(record.time),
        "issued_ms": milliseconds(record.issued),
        "model": record.model,
        "roster": record.roster.number,
        **dict(zip(FLEET_SCALARS, map(_number, record.scalars), strict=True)),
        "reporting": record.reporting,
        **counts,
        "stands_for": 1,
        "size": len(payload),
        "payload": payload,
    }


def _number(value: float) -> float | None:
    """As stored: what is missing is null in every database."""
    return None if np.isnan(value) else float(value)


def _changes(row: Row[Any], poll: Poll, now: int) -> dict[str, Any]:
    changes: dict[str, Any] = {"polled_ms": now, "problem": poll.problem}
    if poll.answered:
        changes["answered_ms"] = now
    changes |= {name: getattr(row, name) + getattr(poll.counts, name) for name in COUNTS}
    if poll.clock is not None:
        changes["clock_ms"] = milliseconds(poll.clock) - now
    if poll.rejections:
        changes["rejections"] = json.dumps(poll.rejections)
    return changes


def _newest(row: Row[Any], records: Sequence[TickRecord]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if row.origin_ms is None:
        step = np.timedelta64(row.step_ms, "ms")
        changes["origin_ms"] = milliseconds(records[0].time - records[0].tick * step)
    there = {*row.metrics.split(), *(name for record in records for name in record.metrics)}
    changes["metrics"] = " ".join(name for name in METRIC_NAMES if name in there)
    seen = [record.time for record in records if record.reporting]
    if seen:
        changes["newest_ms"] = milliseconds(seen[-1])
    return changes
