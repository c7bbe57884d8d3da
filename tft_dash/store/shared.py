"""Files that every host of a portal has: which there are, and their bytes. Each method is one short transaction.

Bytes come in parts: one large transaction would keep every other writer of the portal waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, delete, insert, or_, select, update

from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.schema import SHARED_FILES, SHARED_PARTS, SHARED_UPLOADS

PART_BYTES: Final = 1 << 20
RECEIVED_PLACE: Final = "received"
"""Of what was received for an upload; it goes with that."""
WRITING: Final = "writing"
WHOLE: Final = "whole"
REMOVED: Final = "removed"

STALE_MS: Final = 60_000
"""What is being written and has not grown for so long belongs to a dead process."""
REMEMBERED_MS: Final = 90 * 86_400_000
"""A host that was away for longer may bring back what was removed meanwhile."""
GIVEN_UP_MS: Final = 86_400_000
"""What was begun and has not grown for so long is finished by nobody."""
_PARTS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file, or a folder of files, that every host has.

    :param stamp: another one after every change.
    :param serial: a higher one after every change.
    :param state: :data:`WRITING`, :data:`WHOLE` or :data:`REMOVED`.
    :param idle_ms: since it was changed, or has grown, last.
    :param watched_ms: when somebody last looked at it, on any host; milliseconds since 1970, 0 = nobody has.
    """

    place: str
    name: str
    stamp: str
    serial: int
    state: str
    idle_ms: int
    bytes: int
    watched_ms: int

    @property
    def is_stale(self) -> bool:
        """Whether it is being written, and whoever does so has not been heard of for long."""
        return self.state == WRITING and self.idle_ms > STALE_MS


class SharedTable:
    """The files that the hosts of a portal share."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self, places: Collection[str]) -> tuple[SharedFile, ...]:
        """What there is in some places, with what was removed from them."""
        with self._store.read() as connection:
            now = database_now_ms(connection)
            rows = connection.execute(select(*_SHOWN).where(SHARED_FILES.c.place.in_(places))).all()
        return tuple(_shared(row, now) for row in rows)

    def find(self, place: str, name: str) -> SharedFile | None:
        """One of them."""
        with self._store.read() as connection:
            now = database_now_ms(connection)
            row = connection.execute(select(*_SHOWN).where(_is(place, name))).one_or_none()
        return None if row is None else _shared(row, now)

    def files(self, place: str, name: str, stamp: str) -> str | None:
        """What its files are, as they were handed to :meth:`finish`; None = it has changed since."""
        asked = select(SHARED_FILES.c.files).where(_is(place, name), SHARED_FILES.c.stamp == stamp)
        with self._store.read() as connection:
            found: str | None = connection.execute(asked.where(SHARED_FILES.c.state == WHOLE)).scalar_one_or_none()
        return found

    def begin(self, place: str, name: str, stamp: str, *, instead_of: str | None, serial: int = 0) -> int:
        """Begin to write; the serial that it gets, 0 = another host's is there, or is being written.

        :param instead_of: the stamp of the one that it may replace; None = it is new.
        :param serial: what this host knows it by, if it is given again as it was.
        """
        with self._store.write() as connection:
            now = database_now_ms(connection)
            row = connection.execute(select(*_SHOWN).where(_is(place, name))).one_or_none()
            serial = max(serial, 1 if row is None else row.serial + 1)
            values = {
                "stamp": stamp, "serial": serial, "state": WRITING, "bytes": 0, "files": "",
                "changed_ms": now,
            }  # fmt: skip
            if row is None:
                connection.execute(insert(SHARED_FILES).values(place=place, name=name, watched_ms=0, **values))
                return serial
            known = _shared(row, now)
            if (known.state == WHOLE and known.stamp != instead_of) or (known.state == WRITING and not known.is_stale):
                return 0
            connection.execute(update(SHARED_FILES).where(_is(place, name)).values(**values))
        self._drop_parts(row.stamp)
        return serial

    def put(self, place: str, name: str, stamp: str, number: int, payload: bytes) -> bool:
        """Write one part; False = it was taken over or removed meanwhile."""
        with self._store.write() as connection:
            mine = and_(_is(place, name), SHARED_FILES.c.stamp == stamp, SHARED_FILES.c.state == WRITING)
            alive = update(SHARED_FILES).where(mine).values(changed_ms=database_now_ms(connection))
            if not connection.execute(alive).rowcount:
                return False
            connection.execute(insert(SHARED_PARTS).values(stamp=stamp, number=number, payload=payload))
        return True

    def finish(self, place: str, name: str, stamp: str, size: int, files: str) -> bool:
        """All parts are written: from now on every host may have it; False = it was taken over or removed meanwhile.

        :param files: what its files are, for :meth:`files`.
        """
        with self._store.write() as connection:
            mine = and_(_is(place, name), SHARED_FILES.c.stamp == stamp, SHARED_FILES.c.state == WRITING)
            values = {"state": WHOLE, "bytes": size, "files": files, "changed_ms": database_now_ms(connection)}
            return bool(connection.execute(update(SHARED_FILES).where(mine).values(**values)).rowcount)

    def give_up(self, place: str, name: str, stamp: str) -> None:
        """Have the next writer take over at once."""
        with self._store.write() as connection:
            mine = and_(_is(place, name), SHARED_FILES.c.stamp == stamp, SHARED_FILES.c.state == WRITING)
            stale = database_now_ms(connection) - STALE_MS - 1
            connection.execute(update(SHARED_FILES).where(mine).values(changed_ms=stale))

    def part(self, stamp: str, number: int) -> bytes | None:
        """One part; None = it is not there, or not any more."""
        asked = select(SHARED_PARTS.c.payload).where(SHARED_PARTS.c.stamp == stamp, SHARED_PARTS.c.number == number)
        with self._store.read() as connection:
            found = connection.execute(asked).scalar_one_or_none()
        return None if found is None else bytes(found)

    def remove(self, place: str, name: str) -> None:
        """Take it away from every host; nothing happens where there is none."""
        with self._store.write() as connection:
            asked = select(SHARED_FILES.c.stamp).where(_is(place, name), SHARED_FILES.c.state != REMOVED)
            found = connection.execute(asked).scalar_one_or_none()
            if found is None:
                return
            values = {
                "state": REMOVED, "serial": SHARED_FILES.c.serial + 1, "bytes": 0, "files": "",
                "changed_ms": database_now_ms(connection),
            }  # fmt: skip
            connection.execute(update(SHARED_FILES).where(_is(place, name)).values(**values))
        self._drop_parts(found)

    def watched(self, place: str, marks: Mapping[str, int]) -> None:
        """Note when somebody last looked at some of them, by name; milliseconds since 1970."""
        with self._store.write() as connection:
            for name, mark in marks.items():
                older = and_(_is(place, name), SHARED_FILES.c.watched_ms < mark)
                connection.execute(update(SHARED_FILES).where(older).values(watched_ms=mark))

    def sweep(self) -> None:
        """Forget what was removed long ago, what nobody finishes or wants, and the parts that belong to nothing."""
        with self._store.write() as connection:
            now = database_now_ms(connection)
            gone = and_(SHARED_FILES.c.state == REMOVED, SHARED_FILES.c.changed_ms < now - REMEMBERED_MS)
            given_up = and_(SHARED_FILES.c.state == WRITING, SHARED_FILES.c.changed_ms < now - GIVEN_UP_MS)
            connection.execute(delete(SHARED_FILES).where(or_(gone, given_up)))
            uploads = select(SHARED_UPLOADS.c.id).where(SHARED_UPLOADS.c.removed.is_(False))
            old = SHARED_FILES.c.changed_ms < now - GIVEN_UP_MS
            unwanted = and_(SHARED_FILES.c.place == RECEIVED_PLACE, SHARED_FILES.c.name.not_in(uploads), old)
            connection.execute(delete(SHARED_FILES).where(unwanted))
        kept = select(SHARED_FILES.c.stamp).where(SHARED_FILES.c.state != REMOVED)
        with self._store.read() as connection:
            lost = connection.execute(
                select(SHARED_PARTS.c.stamp).where(SHARED_PARTS.c.stamp.not_in(kept)).distinct()
            ).scalars()
            stamps = list(lost)
        for stamp in stamps:
            self._drop_parts(stamp)

    def _drop_parts(self, stamp: str) -> None:
        """Few at a time: others want to write, too."""
        while True:
            numbers = (
                select(SHARED_PARTS.c.number)
                .where(SHARED_PARTS.c.stamp == stamp)
                .order_by(SHARED_PARTS.c.number.desc())
                .limit(_PARTS_AT_ONCE)
            )
            with self._store.write() as connection:
                found = connection.execute(numbers).scalars().all()
                if not found:
                    return
                least = and_(SHARED_PARTS.c.stamp == stamp, SHARED_PARTS.c.number >= found[-1])
                connection.execute(delete(SHARED_PARTS).where(least))


_SHOWN: Final = (
    SHARED_FILES.c.place,
    SHARED_FILES.c.name,
    SHARED_FILES.c.stamp,
    SHARED_FILES.c.serial,
    SHARED_FILES.c.state,
    SHARED_FILES.c.bytes,
    SHARED_FILES.c.changed_ms,
    SHARED_FILES.c.watched_ms,
)


def _is(place: str, name: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own form of a condition
    return and_(SHARED_FILES.c.place == place, SHARED_FILES.c.name == name)


def _shared(row: Any, now: int) -> SharedFile:  # noqa: ANN401
    idle = now - row.changed_ms
    return SharedFile(row.place, row.name, row.stamp, row.serial, row.state, idle, row.bytes, row.watched_ms)
