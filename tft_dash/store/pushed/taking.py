"""Taking what is pushed: each sample once, by server and instant, whichever worker of whichever host it came to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, tuple_, update

from tft_dash.schema import METRIC_NAMES
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.pushed.values import (
    DUPLICATE,
    FUTURE,
    LATE,
    TAKEN,
    Key,
    Limits,
    PushedRows,
    Taken,
    Values,
    joined,
)
from tft_dash.store.schema import PUSH_SAMPLES, PUSH_SOURCES

KEYS_AT_ONCE: Final = 400
BURST_SECONDS: Final = 30.0
"""A source that was silent may send so much at once: what it has kept for us while we were away."""
CROWDED_SECONDS: Final = 30.0
PRUNE_EVERY_MS: Final = 60_000
PRUNED_AT_ONCE: Final = 20_000
EXAMPLES_KEPT: Final = 5


def take(store: Store, source: str, deliveries: Sequence[PushedRows], limits: Limits) -> list[Taken]:
    """Keep deliveries to a source, all in one transaction; what became of each.

    :raises StorageError: nothing of them was kept.
    """
    with store.write() as connection:
        now = database_now_ms(connection)
        row = source_row(connection, source, now)
        allowance = _allowance(row, limits, now)
        if _held(connection) >= limits.most_rows and not _prune(connection, row, limits, now):
            return [_refused(CROWDED_SECONDS, True, now) for _ in deliveries]
        batch = _Batch(row, limits, now)
        found = []
        for rows in deliveries:
            if allowance <= 0:
                found.append(_refused((1 - allowance) / limits.rows_per_second, False, now))
                continue
            allowance -= len(rows)
            batch.know(connection, source, rows)
            found.append(batch.add(rows))
        changes = batch.write(connection, source)
        spent = {"allowance": allowance, "allowed_ms": now, "pushed_ms": now, **changes}
        connection.execute(update(PUSH_SOURCES).where(PUSH_SOURCES.c.source == source).values(**spent))
        if now - row.pruned_ms >= PRUNE_EVERY_MS or now < row.pruned_ms:
            _prune(connection, row, limits, now)
    return found


def source_row(connection: Connection, source: str, now: int) -> Row[Any]:
    """What is known of a source's deliveries; entered if it is new."""
    wanted = select(PUSH_SOURCES).where(PUSH_SOURCES.c.source == source)
    row = connection.execute(wanted).one_or_none()
    if row is not None:
        return row
    zero = dict.fromkeys(("held", "late", "duplicate", "future", "allowed_ms", "pushed_ms"), 0)
    new = {"source": source, "pruned_ms": now, "allowance": 0.0, "rejections": "[]", **zero}
    connection.execute(insert(PUSH_SOURCES).values(**new))
    return connection.execute(wanted).one()


def forget_pushed(connection: Connection, source: str) -> None:
    """Drop everything that was pushed to a source."""
    connection.execute(delete(PUSH_SAMPLES).where(PUSH_SAMPLES.c.source == source))
    connection.execute(delete(PUSH_SOURCES).where(PUSH_SOURCES.c.source == source))


@dataclass(slots=True)
class _Batch:
    """Deliveries to one source, and those samples of them that are kept already."""

    row: Row[Any]
    limits: Limits
    now: int
    known: dict[Key, Values] = field(default_factory=dict)
    looked: set[Key] = field(default_factory=set)
    new: set[Key] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)
    counts: dict[int, int] = field(default_factory=lambda: dict.fromkeys((DUPLICATE, LATE, FUTURE), 0))
    rejections: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    history: bool = False

    def know(self, connection: Connection, source: str, rows: PushedRows) -> None:
        """Look up which samples of a delivery are there."""
        keys = {*zip(rows.times.tolist(), rows.servers, strict=True)} - self.looked
        self.known |= _kept(connection, source, sorted(keys))
        self.looked |= keys

    def add(self, rows: PushedRows) -> Taken:
        """Take a delivery in."""
        fates = np.fromiter((self._fate(key, values) for key, values in rows.items()), np.int8, len(rows))
        for fate in self.counts:
            self.counts[fate] += int((fates == fate).sum())
        for rule, count, examples in rows.rejections:
            before, told = self.rejections.get(rule, (0, []))
            self.rejections[rule] = before + count, [*told, *examples][:EXAMPLES_KEPT]
        return Taken(fates, now_ms=self.now)

    def write(self, connection: Connection, source: str) -> dict[str, Any]:
        """Keep what is new; what changes in the source's row."""
        if self.new:
            connection.execute(insert(PUSH_SAMPLES), [self._columns(source, key) for key in sorted(self.new)])
        if self.changed:
            this = PUSH_SAMPLES.c.time_ms == bindparam("b_time"), PUSH_SAMPLES.c.server == bindparam("b_server")
            statement = update(PUSH_SAMPLES).where(PUSH_SAMPLES.c.source == source, *this)
            connection.execute(statement, [self._changes(key) for key in sorted(self.changed)])
        row = self.row
        changes: dict[str, Any] = {"held": PUSH_SOURCES.c.held + len(self.new)}
        names = {DUPLICATE: "duplicate", LATE: "late", FUTURE: "future"}
        changes |= {names[fate]: getattr(row, names[fate]) + count for fate, count in self.counts.items()}
        if self.rejections:
            changes["rejections"] = json.dumps(_more_rejections(json.loads(row.rejections), self.rejections))
        if self.history:
            goes_on = row.history_ms is not None and self.now - row.history_ms < CROWDED_SECONDS * 1000
            changes |= {"history_ms": self.now, "history_since_ms": row.history_since_ms if goes_on else self.now}
        return changes

    def _fate(self, key: Key, values: Values) -> int:
        time, _ = key
        if time > self.now + self.limits.step_ms:
            return FUTURE
        held = self.known.get(key)
        values = values if held is None else joined(held, values)
        if values == held:
            return DUPLICATE
        handed = self.row.handed_ms
        if time < self.now - self.limits.keep_ms or (handed is not None and time <= handed):
            return LATE
        self.known[key] = values
        if held is None:
            self.new.add(key)
        elif key not in self.new:
            self.changed.add(key)
        self.history = self.history or self._is_overdue(time)
        return TAKEN

    def _is_overdue(self, time: int) -> bool:
        """Whether a sample would have been late, had anybody pushed for its tick in time: it fills a gap."""
        step = self.limits.step_ms
        return self.now > -(-time // step) * step + self.limits.delay_ms

    def _columns(self, source: str, key: Key) -> dict[str, Any]:
        return {"source": source, "time_ms": key[0], "server": key[1], **_told(self.known[key])}

    def _changes(self, key: Key) -> dict[str, Any]:
        return {"b_time": key[0], "b_server": key[1], **_told(self.known[key])}


def _told(values: Values) -> dict[str, Any]:
    profile, state, metrics = values
    return {"profile": profile, "state": state, **dict(zip(METRIC_NAMES, metrics, strict=True))}


def _kept(connection: Connection, source: str, keys: Sequence[Key]) -> dict[Key, Values]:
    """Those of ``keys`` that are in the store, with their values."""
    found: dict[Key, Values] = {}
    columns = [PUSH_SAMPLES.c[name] for name in ("time_ms", "server", "profile", "state", *METRIC_NAMES)]
    mine = select(*columns).where(PUSH_SAMPLES.c.source == source)
    for first in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[first : first + KEYS_AT_ONCE]
        times = {time for time, _ in some}
        # A fleet that is measured together shares an instant, which an index finds much faster than pairs.
        wanted = (
            mine.where(PUSH_SAMPLES.c.time_ms == some[0][0], PUSH_SAMPLES.c.server.in_([server for _, server in some]))
            if len(times) == 1
            else mine.where(tuple_(PUSH_SAMPLES.c.time_ms, PUSH_SAMPLES.c.server).in_(some))
        )
        for row in connection.execute(wanted):
            found[row[0], row[1]] = row[2], row[3], tuple(row[4:])
    return found


def _allowance(row: Row[Any], limits: Limits, now: int) -> float:
    """Rows that a source may send now; a delivery may overdraw it, the next one waits."""
    most = limits.rows_per_second * BURST_SECONDS
    elapsed = max(0, now - row.allowed_ms) / 1000.0
    return float(min(most, row.allowance + elapsed * limits.rows_per_second))


def _refused(seconds: float, crowded: bool, now: int) -> Taken:
    return Taken(np.zeros(0, np.int8), math.ceil(max(1.0, seconds)), crowded, now)


def _held(connection: Connection) -> int:
    return int(connection.execute(select(func.sum(PUSH_SOURCES.c.held))).scalar() or 0)


def _prune(connection: Connection, row: Row[Any], limits: Limits, now: int) -> int:
    """Drop a part of what nobody collected in time, of this source and of those to which nobody pushes any more."""
    edge = now - limits.keep_ms
    silent = select(PUSH_SOURCES.c.source).where(PUSH_SOURCES.c.pushed_ms < edge)
    for source in connection.execute(silent.where(PUSH_SOURCES.c.source != row.source)).scalars().all():
        forget_pushed(connection, source)
    gone = drop_before(connection, row.source, edge)
    done = {"pruned_ms": now if gone < PRUNED_AT_ONCE else row.pruned_ms}
    connection.execute(update(PUSH_SOURCES).where(PUSH_SOURCES.c.source == row.source).values(**done))
    return gone


def drop_before(connection: Connection, source: str, before_ms: int) -> int:
    """Drop a part of a source's samples before an instant, the oldest; how many went."""
    old = PUSH_SAMPLES.c.source == source, PUSH_SAMPLES.c.time_ms < before_ms
    times = select(PUSH_SAMPLES.c.time_ms).where(*old).order_by(PUSH_SAMPLES.c.time_ms).limit(PRUNED_AT_ONCE)
    last = connection.execute(select(func.max(times.subquery().c.time_ms))).scalar()
    if last is None:
        return 0
    gone = connection.execute(delete(PUSH_SAMPLES).where(*old, PUSH_SAMPLES.c.time_ms <= last)).rowcount
    this = update(PUSH_SOURCES).where(PUSH_SOURCES.c.source == source)
    connection.execute(this.values(held=PUSH_SOURCES.c.held - gone))
    return gone


def _more_rejections(before: Iterable[Any], more: Mapping[str, tuple[int, list[str]]]) -> list[Any]:
    found = {rule: (count, list(examples)) for rule, count, examples in before}
    for rule, (count, examples) in more.items():
        counted, told = found.get(rule, (0, []))
        found[rule] = counted + count, [*told, *examples][:EXAMPLES_KEPT]
    return [[rule, count, examples] for rule, (count, examples) in found.items()]
