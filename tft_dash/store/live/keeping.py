"""How long ticks are kept: every one at first, then one for every five minutes, then none.

A tick that stays when its neighbours go is not changed: it says what was issued at its moment. Beside that it gets the
means and maxima of the fleet's figures over all the ticks that it stands for from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, delete, func, select, update

from tft_dash.store.engine import Store
from tft_dash.store.live.leases import Lease, demand_lead
from tft_dash.store.schema import LIVE_ROSTERS, LIVE_TICKS
from tft_dash.ticks import FLEET_SCALARS

SPAN_MS: Final = 300_000
AT_ONCE: Final = 500
"""So many ticks are read and removed within one transaction: others wait for it."""
ROW_BYTES: Final = 300
"""What a tick takes beside its payload, about."""


def thin(store: Store, lease: Lease, before_ms: int) -> int:
    """Thin out a part of the ticks before an instant, the oldest first; how many went. 0 = nothing is left to thin.

    :raises LostLeadError: somebody else leads.
    """
    source, tick = lease.source, LIVE_TICKS.c.tick
    edge = before_ms // SPAN_MS * SPAN_MS  # a span is thinned whole or not at all
    columns = [LIVE_TICKS.c[name] for name in ("tick", "time_ms", *FLEET_SCALARS)]
    with store.write() as connection:
        # By numbers, which are the key, and not by times: whatever is kept, only what is new is looked at.
        old = LIVE_TICKS.c.source == source, tick <= _last_before(demand_lead(connection, lease), edge)
        done = select(tick).where(*old, LIVE_TICKS.c.stands_for > 1).order_by(tick.desc()).limit(1)
        after = connection.execute(done).scalar()
        wanted = select(*columns).where(*old, tick > (-1 if after is None else after), LIVE_TICKS.c.stands_for == 1)
        rows = connection.execute(wanted.order_by(tick).limit(AT_ONCE)).all()
        spans = _whole_spans(rows, edge)
        gone = 0
        for span in spans:
            gone += _roll_up(connection, source, span)
        return gone


def forget_before(store: Store, lease: Lease, before_ms: int) -> int:
    """Drop a part of the ticks before an instant; how many went."""
    return _drop(store, lease, AT_ONCE, before_ms)


def forget_oldest(store: Store, lease: Lease, count: int) -> int:
    """Drop so many of the oldest ticks of a source, as many as go at once; how many went."""
    return _drop(store, lease, min(count, AT_ONCE))


@dataclass(frozen=True, slots=True)
class Used:
    """What the ticks of a source take in the store, about."""

    ticks: int
    bytes: int


def used(store: Store) -> Mapping[str, Used]:
    """What each source takes."""
    counts = select(LIVE_TICKS.c.source, func.count(), func.sum(LIVE_TICKS.c.size)).group_by(LIVE_TICKS.c.source)
    with store.read() as connection:
        rows = connection.execute(counts).all()
    return {source: Used(int(ticks), int(size) + int(ticks) * ROW_BYTES) for source, ticks, size in rows}


def _whole_spans(rows: Sequence[Row[Any]], edge: int) -> list[list[Row[Any]]]:
    """The ticks of each five minutes; the last span may go on after what was read, and is then left for later."""
    spans: dict[int, list[Row[Any]]] = {}
    for row in rows:
        spans.setdefault(-(-row.time_ms // SPAN_MS), []).append(row)
    if len(rows) == AT_ONCE and len(spans) > 1 and max(spans) * SPAN_MS <= edge:
        spans.pop(max(spans))
    return list(spans.values())


def _roll_up(connection: Connection, source: str, span: Sequence[Row[Any]]) -> int:
    kept = span[-1]
    if len(span) > 1:
        figures: dict[str, Any] = {"stands_for": len(span)}
        for name in FLEET_SCALARS:
            values = [value for row in span if (value := getattr(row, name)) is not None]
            figures |= {
                f"{name}_mean": float(np.mean(values)) if values else None,
                f"{name}_max": max(values, default=None),
            }
        this = LIVE_TICKS.c.source == source, LIVE_TICKS.c.tick == kept.tick
        connection.execute(update(LIVE_TICKS).where(*this).values(**figures))
        connection.execute(
            delete(LIVE_TICKS).where(
                LIVE_TICKS.c.source == source, LIVE_TICKS.c.tick >= span[0].tick, LIVE_TICKS.c.tick < kept.tick
            )
        )
    return len(span) - 1


def _last_before(row: Row[Any], time_ms: int) -> int:
    """The last tick of a source at or before an instant; -1 = none."""
    return -1 if row.origin_ms is None else (time_ms - row.origin_ms) // row.step_ms


def _drop(store: Store, lease: Lease, count: int, before_ms: int | None = None) -> int:
    source = lease.source
    with store.write() as connection:
        row = demand_lead(connection, lease)
        end = row.latest - 1  # the newest one stays: the pages show it
        if before_ms is not None:
            end = min(end, _last_before(row, before_ms - 1))
        old = select(LIVE_TICKS.c.tick).where(LIVE_TICKS.c.source == source, LIVE_TICKS.c.tick <= end)
        ticks = connection.execute(old.order_by(LIVE_TICKS.c.tick).limit(count)).scalars().all()
        if not ticks:
            return 0
        this = LIVE_TICKS.c.source == source, LIVE_TICKS.c.tick <= ticks[-1]
        connection.execute(delete(LIVE_TICKS).where(*this))
        used = select(LIVE_TICKS.c.roster).where(LIVE_TICKS.c.source == source).distinct()
        unused = LIVE_ROSTERS.c.source == source, LIVE_ROSTERS.c.number.not_in(used)
        connection.execute(delete(LIVE_ROSTERS).where(*unused))
    return len(ticks)
