"""The table of runs: what waits, who makes what, how far it is. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select, update

from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.schema import RUNS

QUEUED: Final = "queued"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"

STALE_SECONDS: Final = 15.0
"""A run that was not heard of for so long has lost its process."""
MOST_ATTEMPTS: Final = 3
RUNS_KEPT: Final = 500
_ID_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A row of the table.

    :param position: its place in the queue, from 1; None = it does not wait.
    :param cancel: whether somebody has asked to stop it.
    """

    id: str
    title: str
    scenario: str
    source: str
    rows: int
    author: str
    state: str
    progress: float
    message: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    position: int | None
    cancel: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this process is to make.

    :param runner: proves that the run is still this process's.
    :param body: the document's text.
    :param others: rows that the other runs of the moment make.
    """

    id: str
    runner: str
    body: str
    rows: int
    others: int


class RunTable:
    """The runs of the whole portal. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, run_id: str, facts: Mapping[str, Any], *, most_waiting: int) -> StoredRun | None:
        """Put a run at the end of the queue, or return the one that waits for, or makes, the same recording.

        :param facts: title, scenario, source, body, rows, author.
        :returns: None = ``most_waiting`` wait already; nothing was added.
        """
        same = (RUNS.c.source == facts["source"], RUNS.c.state.in_((QUEUED, RUNNING)), RUNS.c.cancel.is_(False))
        with self._store.write() as connection:
            known = connection.execute(_runs().where(*same).limit(1)).one_or_none()
            if known is not None:
                return _run(known)
            waiting = select(func.count()).where(RUNS.c.state == QUEUED)
            if connection.execute(waiting).scalar_one() >= most_waiting:
                return None
            return self._insert(connection, run_id, facts, QUEUED)

    def add_done(self, run_id: str, facts: Mapping[str, Any]) -> StoredRun:
        """Note a run whose recording was there already."""
        with self._store.write() as connection:
            return self._insert(connection, run_id, facts, DONE)

    def get(self, run_id: str) -> StoredRun | None:
        """A run by its id."""
        if len(run_id) > _ID_LENGTH or not run_id.isprintable():
            return None
        with self._store.read() as connection:
            row = connection.execute(_runs().where(RUNS.c.id == run_id)).one_or_none()
        return None if row is None else _run(row)

    def recent(self, limit: int) -> tuple[StoredRun, ...]:
        """The newest runs first."""
        with self._store.read() as connection:
            rows = connection.execute(_runs().order_by(RUNS.c.number.desc()).limit(limit)).all()
        return tuple(_run(row) for row in rows)

    def unfinished(self) -> tuple[int, int]:
        """How many runs can be claimed by anybody (they wait, or have lost their process), and how many are made."""
        with self._store.read() as connection:
            states = select(RUNS.c.state, RUNS.c.heartbeat).where(RUNS.c.state.in_((QUEUED, RUNNING)))
            rows = connection.execute(states).all()
            limit = _now(connection) - timedelta(seconds=STALE_SECONDS)
        alive = sum(row.state == RUNNING and row.heartbeat >= limit for row in rows)
        return len(rows) - alive, alive

    def claim(self, runner: str, *, at_once: int) -> Claim | None:
        """The next run for this process; None = nothing waits, or ``at_once`` are being made in the portal."""
        with self._store.write() as connection:
            now = _now(connection)
            self._take_back(connection, now)
            running = connection.execute(select(RUNS.c.rows).where(RUNS.c.state == RUNNING)).scalars().all()
            wanted = select(RUNS).where(RUNS.c.state == QUEUED).order_by(RUNS.c.number).limit(1)
            row = connection.execute(wanted).one_or_none() if len(running) < at_once else None
            if row is None:
                return None
            change = {"state": RUNNING, "runner": runner, "started": now, "heartbeat": now, "progress": 0.0}
            change["attempts"] = row.attempts + 1
            connection.execute(update(RUNS).where(RUNS.c.id == row.id).values(**change))
            return Claim(row.id, runner, row.body, row.rows, sum(running))

    def beat(self, claim: Claim, progress: float) -> bool:
        """Show how far a run is and that its process lives; whether it is still this process's, and wanted."""
        with self._store.write() as connection:
            alive = {"progress": progress, "heartbeat": _now(connection)}
            connection.execute(update(RUNS).where(*_is_ours(claim)).values(**alive))
            return connection.execute(select(RUNS.c.cancel).where(*_is_ours(claim))).scalar() is False

    def finish(self, claim: Claim, state: str, message: str = "") -> None:
        """Note how a run ended, if it is still this process's."""
        end: dict[str, Any] = {"state": state, "message": message}
        if state == DONE:
            end["progress"] = 1.0
        with self._store.write() as connection:
            end["finished"] = _now(connection)
            connection.execute(update(RUNS).where(*_is_ours(claim)).values(**end))

    def give_back(self, claim: Claim) -> None:
        """Return a run to its place in the queue: this process ends in good order."""
        back = {"state": QUEUED, "progress": 0.0, "runner": "", "attempts": RUNS.c.attempts - 1}
        with self._store.write() as connection:
            connection.execute(update(RUNS).where(*_is_ours(claim)).values(**back))

    def cancel(self, run_id: str) -> None:
        """Stop a run that waits, or ask the process that makes it to stop; a finished one stays as it is."""
        with self._store.write() as connection:
            now = _now(connection)
            this = RUNS.c.id == run_id
            stopped = {"state": CANCELLED, "finished": now, "message": "Cancelled before it began."}
            connection.execute(update(RUNS).where(this, RUNS.c.state == QUEUED).values(**stopped))
            connection.execute(update(RUNS).where(this, RUNS.c.state == RUNNING).values(cancel=True))
            self._take_back(connection, now)

    def _insert(self, connection: Connection, run_id: str, facts: Mapping[str, Any], state: str) -> StoredRun:
        now = _now(connection)
        done = state == DONE
        begin = {"state": state, "progress": float(done), "message": "", "runner": "", "attempts": 0, "cancel": False}
        times = {"created": now, "started": now if done else None, "finished": now if done else None}
        connection.execute(insert(RUNS).values(id=run_id, **facts, **begin, **times))
        self._forget(connection)
        return _run(connection.execute(_runs().where(RUNS.c.id == run_id)).one())

    def _forget(self, connection: Connection) -> None:
        """Drop the oldest finished runs beyond :data:`RUNS_KEPT`."""
        edge = select(RUNS.c.number).order_by(RUNS.c.number.desc()).offset(RUNS_KEPT).limit(1)
        last = connection.execute(edge).scalar()
        if last is not None:
            connection.execute(delete(RUNS).where(RUNS.c.number <= last, RUNS.c.state.not_in((QUEUED, RUNNING))))

    def _take_back(self, connection: Connection, now: datetime) -> None:
        """Runs that have lost their process: cancelled if that was wished, given up after several, else they wait."""
        lost = and_(RUNS.c.state == RUNNING, RUNS.c.heartbeat < now - timedelta(seconds=STALE_SECONDS))
        stopped = {"state": CANCELLED, "finished": now, "message": "Cancelled."}
        connection.execute(update(RUNS).where(lost, RUNS.c.cancel.is_(True)).values(**stopped))
        why = (
            f"The process that made it ended {MOST_ATTEMPTS} times. Make a smaller drill, or look at the server's log."
        )
        failed = {"state": FAILED, "finished": now, "message": why}
        connection.execute(update(RUNS).where(lost, RUNS.c.attempts >= MOST_ATTEMPTS).values(**failed))
        again = {"state": QUEUED, "progress": 0.0, "runner": ""}
        connection.execute(update(RUNS).where(lost).values(**again))


def _now(connection: Connection) -> datetime:
    """By the store's clock: those of hosts may differ by more than a run may be silent."""
    return datetime.fromtimestamp(database_now_ms(connection) / 1000, UTC)


def _runs() -> Select[Any]:
    """Every run, with its place among those that wait."""
    ahead = RUNS.alias("ahead")
    place = select(func.count()).where(ahead.c.state == QUEUED, ahead.c.number <= RUNS.c.number).scalar_subquery()
    return select(RUNS, place.label("place"))


def _is_ours(claim: Claim) -> tuple[Any, ...]:
    return RUNS.c.id == claim.id, RUNS.c.runner == claim.runner, RUNS.c.state == RUNNING


def _run(row: Row[Any]) -> StoredRun:
    return StoredRun(
        row.id, row.title, row.scenario, row.source, row.rows, row.author, row.state, row.progress, row.message,
        row.created, row.started, row.finished, row.place if row.state == QUEUED else None, row.cancel,
    )  # fmt: skip
