"""What everybody reads of live sources, and what their leaders write."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, delete, func, select

from tft_dash.schema import FloatArray
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms, instant, milliseconds
from tft_dash.store.live.leases import Lease
from tft_dash.store.live.recording import COUNTS, NO_HOOKS, NOTHING_NEW, Hooks, Poll, write_records
from tft_dash.store.live.states import LiveState, state_of
from tft_dash.store.pushed.taking import forget_pushed
from tft_dash.store.schema import LIVE_JUDGED, LIVE_ROSTERS, LIVE_SOURCES, LIVE_TICKS
from tft_dash.ticks import FLEET_SCALARS, Counts, Roster, TickRecord, unpack

ROSTERS_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class FleetHistory:
    """The fleet's figures of the kept ticks of a span; all (kept,), in order.

    :param ticks: numbers; not every number is there where ticks were thinned out.
    :param figures: figure → as issued at that tick, float32, NaN = nothing to say.
    :param means: the same over all ticks that it stands for; equal to ``figures`` where it stands for itself alone.
    :param maxima: likewise the highest.
    :param stands_for: how many ticks each stands for; 1 = only itself.
    """

    ticks: NDArray[np.int64]
    times: NDArray[np.datetime64]
    issued: NDArray[np.datetime64]
    figures: dict[str, FloatArray]
    means: dict[str, FloatArray]
    maxima: dict[str, FloatArray]
    reporting: NDArray[np.int64]
    stands_for: NDArray[np.int64]


class LiveStore:
    """The live sources of the whole portal. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rosters: dict[tuple[str, int], Roster] = {}
        self._remembering = threading.Lock()

    def states(self) -> tuple[LiveState, ...]:
        """Every source that was ever collected, by name."""
        with self._store.read() as connection:
            now = database_now_ms(connection)
            rows = connection.execute(select(LIVE_SOURCES).order_by(LIVE_SOURCES.c.name)).all()
        return tuple(state_of(row, now) for row in rows)

    def state(self, name: str) -> LiveState | None:
        """What is known of a source; None = it was never collected."""
        with self._store.read() as connection:
            now = database_now_ms(connection)
            row = connection.execute(select(LIVE_SOURCES).where(LIVE_SOURCES.c.name == name)).one_or_none()
        return None if row is None else state_of(row, now)

    def now(self) -> np.datetime64:
        """The store's clock."""
        with self._store.read() as connection:
            found = instant(database_now_ms(connection))
        assert found is not None  # noqa: S101 - a number was given
        return found

    def record(
        self, lease: Lease, records: Sequence[TickRecord], poll: Poll = NOTHING_NEW, hooks: Hooks = NO_HOOKS
    ) -> None:
        """Record ticks after the newest one, and what the poll that brought them was like: all or nothing.

        :raises LostLeadError: somebody else leads, or has recorded one of them already; nothing was written.
        """
        with self._store.write() as connection:
            write_records(connection, lease, records, poll, hooks)

    def tick(self, name: str, number: int) -> TickRecord | None:
        """A tick as it was issued; None = it is not kept, or was never recorded."""
        wanted = select(LIVE_TICKS).where(LIVE_TICKS.c.source == name, LIVE_TICKS.c.tick == number)
        with self._store.read() as connection:
            row = connection.execute(wanted).one_or_none()
            return None if row is None else self._record(connection, row)

    def ticks(self, name: str, first: int, last: int) -> tuple[TickRecord, ...]:
        """The kept ones of the ticks ``first`` to ``last``, in order, as they were issued."""
        wanted = select(LIVE_TICKS).where(*_span(name, first, last)).order_by(LIVE_TICKS.c.tick)
        with self._store.read() as connection:
            rows = connection.execute(wanted).all()
            return tuple(self._record(connection, row) for row in rows)

    def kept(self, name: str, tick: int) -> int | None:
        """The kept tick that stands for ``tick``: itself, else the next one that is kept, else the last before it."""
        mine, number = LIVE_TICKS.c.source == name, LIVE_TICKS.c.tick
        with self._store.read() as connection:
            after = connection.execute(select(func.min(number)).where(mine, number >= tick)).scalar()
            if after is not None:
                return int(after)
            before = connection.execute(select(func.max(number)).where(mine, number < tick)).scalar()
        return None if before is None else int(before)

    def oldest(self, name: str) -> int | None:
        """The oldest kept tick."""
        with self._store.read() as connection:
            found = connection.execute(select(func.min(LIVE_TICKS.c.tick)).where(LIVE_TICKS.c.source == name)).scalar()
        return None if found is None else int(found)

    def whole_since(self, name: str) -> int | None:
        """The tick from which on every one is kept: the newest that stands for others, else the oldest there is."""
        mine, number = LIVE_TICKS.c.source == name, LIVE_TICKS.c.tick
        with self._store.read() as connection:
            thinned = connection.execute(select(func.max(number)).where(mine, LIVE_TICKS.c.stands_for > 1)).scalar()
        return self.oldest(name) if thinned is None else int(thinned)

    def tick_at(self, name: str, time: np.datetime64) -> int | None:
        """The last kept tick at or before an instant."""
        grid = select(LIVE_SOURCES.c.origin_ms, LIVE_SOURCES.c.step_ms).where(LIVE_SOURCES.c.name == name)
        with self._store.read() as connection:
            row = connection.execute(grid).one_or_none()
            if row is None or row.origin_ms is None:
                return None
            last = (milliseconds(time) - row.origin_ms) // row.step_ms
            earlier = LIVE_TICKS.c.source == name, LIVE_TICKS.c.tick <= last
            found = connection.execute(select(func.max(LIVE_TICKS.c.tick)).where(*earlier)).scalar()
        return None if found is None else int(found)

    def history(self, name: str, first: int, last: int, *, newest: int | None = None) -> FleetHistory:
        """The fleet's figures of the kept ticks ``first`` to ``last``.

        :param newest: only so many, the newest of them.
        """
        found = _figures().where(*_span(name, first, last)).order_by(LIVE_TICKS.c.tick.desc()).limit(newest)
        with self._store.read() as connection:
            rows = connection.execute(found).all()
        return _history(rows[::-1])

    def roster(self, name: str, number: int) -> Roster | None:
        """A roster by its number."""
        known = self._rosters.get((name, number))
        if known is not None:
            return known
        with self._store.read() as connection:
            return self._roster(connection, name, number)

    def forget(self, name: str) -> bool:
        """Drop a source with its whole history; whether there was one.

        A collector that is at work on it loses its lease, and does not record it any more.
        """
        with self._store.write() as connection:
            return forget_live(connection, name)

    def _record(self, connection: Connection, row: Row[Any]) -> TickRecord:
        roster = self._roster(connection, row.source, row.roster)
        if roster is None:
            raise ValueError(f"'{row.source}': the roster {row.roster} of tick {row.tick} is not in the store")
        return _record(row, roster)

    def _roster(self, connection: Connection, name: str, number: int) -> Roster | None:
        """A roster, from the store or remembered: it never changes under its number."""
        known = self._rosters.get((name, number))
        if known is not None:
            return known
        wanted = select(LIVE_ROSTERS).where(LIVE_ROSTERS.c.source == name, LIVE_ROSTERS.c.number == number)
        row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        roster = Roster(number, tuple(json.loads(row.servers)), tuple(json.loads(row.profiles)))
        with self._remembering:  # threads of a page share this store
            while len(self._rosters) >= ROSTERS_KEPT:
                del self._rosters[next(iter(self._rosters))]
            self._rosters[name, number] = roster
        return roster


def forget_live(connection: Connection, name: str) -> bool:
    """Drop a source with its whole history, within a transaction; whether there was one. Else nothing is dropped."""
    there = select(LIVE_SOURCES.c.name).where(LIVE_SOURCES.c.name == name).with_for_update()
    if connection.execute(there).one_or_none() is None:
        return False
    for table, column in (
        (LIVE_TICKS, LIVE_TICKS.c.source), (LIVE_ROSTERS, LIVE_ROSTERS.c.source), (LIVE_SOURCES, LIVE_SOURCES.c.name),
        (LIVE_JUDGED, LIVE_JUDGED.c.source),
    ):  # fmt: skip
        connection.execute(delete(table).where(column == name))
    forget_pushed(connection, name)
    return True


def _span(name: str, first: int, last: int) -> tuple[Any, ...]:
    return LIVE_TICKS.c.source == name, LIVE_TICKS.c.tick >= first, LIVE_TICKS.c.tick <= last


def _record(row: Row[Any], roster: Roster) -> TickRecord:
    scalars: dict[str, Any] = {name: _float(getattr(row, name)) for name in FLEET_SCALARS}
    return TickRecord(
        source=row.source,
        tick=row.tick,
        time=np.datetime64(row.time_ms, "ms"),
        issued=np.datetime64(row.issued_ms, "ms"),
        model=row.model,
        roster=roster,
        reporting=row.reporting,
        counts=Counts(*(getattr(row, name) for name in COUNTS)),
        **scalars,
        **unpack(row.payload, len(roster.servers)),
    )


def _float(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _figures() -> Select[Any]:
    rollups = [LIVE_TICKS.c[f"{name}_{how}"] for name in FLEET_SCALARS for how in ("mean", "max")]
    figures = [LIVE_TICKS.c[name] for name in FLEET_SCALARS]
    about = [LIVE_TICKS.c[name] for name in ("tick", "time_ms", "issued_ms", "reporting", "stands_for")]
    return select(*about, *figures, *rollups)


def _history(rows: Sequence[Row[Any]]) -> FleetHistory:
    columns = {name: [getattr(row, name) for row in rows] for name in (rows[0]._fields if rows else ())}
    stands_for = np.array(columns.get("stands_for", []), np.int64)
    figures = {name: np.array(columns.get(name, []), np.float32) for name in FLEET_SCALARS}

    def rolled(name: str, how: str) -> FloatArray:
        stored = np.array(columns.get(f"{name}_{how}", []), np.float32)
        return np.where(stands_for > 1, stored, figures[name])

    return FleetHistory(
        ticks=np.array(columns.get("tick", []), np.int64),
        times=np.array(columns.get("time_ms", []), "datetime64[ms]"),
        issued=np.array(columns.get("issued_ms", []), "datetime64[ms]"),
        figures=figures,
        means={name: rolled(name, "mean") for name in FLEET_SCALARS},
        maxima={name: rolled(name, "max") for name in FLEET_SCALARS},
        reporting=np.array(columns.get("reporting", []), np.int64),
        stands_for=stands_for,
    )
