"""One leader for every live source, by a lease in the store: it survives a crash of its holder by running out.

All times are the database's own, which all hosts share. A lease that ends later than one can last was taken before the
clock was set back: it counts as run out. Taking a lease raises its epoch; whoever records proves with the epoch that
nobody else has taken it since, within the transaction that records (fencing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from tft_dash.errors import LostLeadError, UsageError, shorten
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.schema import LIVE_SOURCES

LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0
_LEASE_MS: Final = round(LEASE_SECONDS * 1000)
_SLACK_MS: Final = 1000
"""Databases round their clocks."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to record a source.

    :param holder: who has it, for people: host, process.
    :param epoch: proves that nobody else has taken it since.
    """

    source: str
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What a source is, as its collector knows it.

    :param identity: equal for equal addresses, secrets left out.
    :param place: the address without its secrets.
    """

    name: str
    identity: str
    kind: str
    place: str
    step_seconds: float
    delay_seconds: float


class Leases:
    """The leases of all live sources. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def acquire(self, facts: LiveFacts, holder: str) -> Lease | None:
        """The lease of a source, unless another holder has it; a source that is new is entered.

        :raises UsageError: the source was collected at another step before.
        """
        with self._store.write() as connection:
            row = _row(connection, facts.name)
            if row is None:
                row = _enter(connection, facts)
            elif row.origin_ms is not None and row.step_ms != _ms(facts.step_seconds):
                raise _other_step(facts, row.step_ms / 1000)
            now = database_now_ms(connection)
            if row.holder not in ("", holder) and _runs(row, now):
                return None
            epoch = row.epoch if row.holder == holder else row.epoch + 1
            known = {"identity": facts.identity, "kind": facts.kind, "place": facts.place}
            steps = {"step_ms": _ms(facts.step_seconds), "delay_ms": _ms(facts.delay_seconds)}
            held = {"holder": holder, "epoch": epoch, "until_ms": now + _LEASE_MS}
            connection.execute(_this(facts.name).values(**known, **steps, **held))
        return Lease(facts.name, holder, epoch)

    def renew(self, lease: Lease) -> bool:
        """Hold a lease for another :data:`LEASE_SECONDS`; False = it is somebody else's by now."""
        with self._store.write() as connection:
            until = database_now_ms(connection) + _LEASE_MS
            mine = LIVE_SOURCES.c.holder == lease.holder, LIVE_SOURCES.c.epoch == lease.epoch
            done = connection.execute(_this(lease.source).where(*mine).values(until_ms=until))
            return done.rowcount == 1

    def release(self, lease: Lease) -> None:
        """Let another take over at once; does nothing where that has happened already."""
        with self._store.write() as connection:
            mine = LIVE_SOURCES.c.holder == lease.holder, LIVE_SOURCES.c.epoch == lease.epoch
            connection.execute(_this(lease.source).where(*mine).values(holder="", until_ms=0))


def demand_lead(connection: Connection, lease: Lease) -> Row[Any]:
    """The source's row, proven to be ours to write until the transaction ends.

    :raises LostLeadError: somebody else has taken the lease.
    """
    row = _row(connection, lease.source)
    if row is None or row.holder != lease.holder or row.epoch != lease.epoch:
        who = shorten(row.holder) if row is not None and row.holder else "nobody"
        raise LostLeadError(f"'{lease.source}' is collected by {who} by now, no longer by {lease.holder}.")
    return row


def _row(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(LIVE_SOURCES).where(LIVE_SOURCES.c.name == name)).one_or_none()


def _enter(connection: Connection, facts: LiveFacts) -> Row[Any]:
    zero = dict.fromkeys(("late", "duplicate", "future", "rejected", "latest_roster", "epoch", "until_ms"), 0)
    empty: Mapping[str, Any] = {
        "latest": -1,
        "metrics": "",
        "model": "",
        "problem": "",
        "rejections": "[]",
        "holder": "",
        **zero,
    }
    known = {"name": facts.name, "identity": facts.identity, "kind": facts.kind, "place": facts.place}
    steps = {"step_ms": _ms(facts.step_seconds), "delay_ms": _ms(facts.delay_seconds)}
    connection.execute(insert(LIVE_SOURCES).values(**known, **steps, **empty))
    return connection.execute(select(LIVE_SOURCES).where(LIVE_SOURCES.c.name == facts.name)).one()


def _runs(row: Row[Any], now: int) -> bool:
    return bool(now < row.until_ms <= now + _LEASE_MS + _SLACK_MS)


def _this(name: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own type has a parameter that it does not export
    return update(LIVE_SOURCES).where(LIVE_SOURCES.c.name == name)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _other_step(facts: LiveFacts, before: float) -> UsageError:
    return UsageError(
        f"'{facts.name}' was collected with a step of {before:g} s until now, and its history cannot go on with "
        f"{facts.step_seconds:g} s. Go back to step={before:g}s, give the source another name (name=URL), or drop its "
        f"history: tft-dash collect --forget {facts.name}."
    )
