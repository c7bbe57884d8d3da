"""Handing pushed samples to the collector: what it was handed once is complete, and nothing is added to it later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, select, update

from tft_dash.schema import METRIC_NAMES, FloatArray
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.pushed.taking import CROWDED_SECONDS, drop_before, source_row
from tft_dash.store.schema import LIVE_SOURCES, PUSH_SAMPLES, PUSH_SOURCES

REPEAT_MS: Final = 300_000
"""Recorded samples are kept so long: one that is pushed again, because an answer got lost, is then known."""
ROWS_AT_ONCE: Final = 20_000
SETTLE_MS: Final = 2_000
MOST_SETTLE_MS: Final = 60_000
NOTHING: Final = "[]"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is known of a source as its samples are handed over.

    :param newest_ms: time of its newest sample; None = there is none.
    :param pushed_ms: when anything was pushed to it; None = never.
    :param begun: whether a tick was recorded.
    :param settling: whether old samples are coming in at this moment: a gap is being filled, and is not complete.
    :param rejections: rule, count, examples.
    """

    now_ms: int
    newest_ms: int | None = None
    pushed_ms: int | None = None
    begun: bool = False
    settling: bool = False
    late: int = 0
    duplicate: int = 0
    future: int = 0
    rejections: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Some samples; all (rows,)."""

    times: NDArray[np.int64]
    servers: list[str]
    profiles: list[str]
    states: NDArray[np.int8]
    metrics: dict[str, FloatArray]


def look(store: Store, source: str) -> Handed:
    """What is known of a source; nothing is changed."""
    with store.read() as connection:
        now = database_now_ms(connection)
        row = connection.execute(select(PUSH_SOURCES).where(PUSH_SOURCES.c.source == source)).one_or_none()
        return Handed(now) if row is None else _handed(connection, row, now, None)


def hand_over(store: Store, source: str, start_ms: int, end_ms: int) -> Handed:
    """Close a source up to an instant: what comes for it from now on is late.

    Nothing is closed before its tick is over, nor as long as nothing newer than ``start`` was pushed. The counts are
    told once, with the second tick at first: whoever looks for the first one asks without recording.
    """
    with store.write() as connection:
        now = database_now_ms(connection)
        row = source_row(connection, source, now)
        live = connection.execute(select(LIVE_SOURCES).where(LIVE_SOURCES.c.name == source)).one_or_none()
        found = _handed(connection, row, now, live)
        if live is None or found.settling or found.newest_ms is None or found.newest_ms <= start_ms:
            return found
        closed = min(end_ms, now - live.delay_ms)
        if found.newest_ms < closed:  # what nobody has pushed for yet is not answered, and stays open
            closed = _tick_end(found.newest_ms, live)
        told = {"late": 0, "duplicate": 0, "future": 0, "rejections": NOTHING} if found.begun else {}
        changes = told | {"handed_ms": max(closed, row.handed_ms or closed)}
        connection.execute(update(PUSH_SOURCES).where(PUSH_SOURCES.c.source == source).values(**changes))
        return found


def drop_recorded(store: Store, source: str) -> int:
    """Drop a part of what was recorded a while ago; how many samples went."""
    with store.write() as connection:
        live = connection.execute(select(LIVE_SOURCES).where(LIVE_SOURCES.c.name == source)).one_or_none()
        if live is None or live.origin_ms is None:
            return 0
        recorded = live.origin_ms + live.latest * live.step_ms
        return drop_before(connection, source, min(recorded, database_now_ms(connection) - REPEAT_MS))


def samples_between(store: Store, source: str, start_ms: int, end_ms: int) -> Iterator[Block]:
    """The samples with ``start < time ≤ end``, in order, some at a time."""
    wanted = select(PUSH_SAMPLES).where(
        PUSH_SAMPLES.c.source == source, PUSH_SAMPLES.c.time_ms > start_ms, PUSH_SAMPLES.c.time_ms <= end_ms
    )
    ordered = wanted.order_by(PUSH_SAMPLES.c.time_ms, PUSH_SAMPLES.c.server)
    with store.read() as connection:
        result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(ordered)
        for rows in result.partitions():
            yield _block(rows)


def _handed(connection: Connection, row: Row[Any], now: int, live: Row[Any] | None) -> Handed:
    mine = select(func.max(PUSH_SAMPLES.c.time_ms)).where(PUSH_SAMPLES.c.source == row.source)
    return Handed(
        now,
        connection.execute(mine).scalar(),
        row.pushed_ms or None,
        live is not None and live.origin_ms is not None,
        _settles(row, now, 0 if live is None else live.delay_ms),
        row.late,
        row.duplicate,
        row.future,
        tuple((rule, count, tuple(examples)) for rule, count, examples in json.loads(row.rejections)),
    )


def _settles(row: Row[Any], now: int, delay_ms: int) -> bool:
    """Whether old samples came a moment ago; for a minute they are waited for, then what is there is taken."""
    if row.history_ms is None:
        return False
    wait = min(max(SETTLE_MS, delay_ms), round(CROWDED_SECONDS * 1000))
    return bool(0 <= now - row.history_ms < wait and now - row.history_since_ms < MOST_SETTLE_MS)


def _tick_end(time_ms: int, live: Row[Any]) -> int:
    origin = live.origin_ms or 0
    return int(origin - (origin - time_ms) // live.step_ms * live.step_ms)


def _block(rows: Any) -> Block:  # noqa: ANN401 - rows of the table
    columns = list(zip(*rows, strict=True))
    metrics = {}
    for place, name in enumerate(METRIC_NAMES, start=5):
        values = np.array(columns[place], np.float64)  # None becomes NaN
        if not np.isnan(values).all():
            metrics[name] = values.astype(np.float32)
    return Block(
        np.array(columns[1], np.int64), list(columns[2]), list(columns[3]), np.array(columns[4], np.int8), metrics
    )
