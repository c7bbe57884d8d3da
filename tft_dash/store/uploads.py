"""Uploads that are no datasets yet, as every host of a portal knows them. Each method is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, delete, insert, or_, select, update

from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.schema import SHARED_UPLOADS
from tft_dash.store.shared import REMEMBERED_MS

DEAD_MS: Final = 30_000
"""A host that works on an upload and was not heard of for so long has ended."""


@dataclass(frozen=True, slots=True)
class SharedUpload:
    """One upload.

    :param version: higher after every change.
    :param body: what its host has written of it.
    :param worker: the host that works on it; empty = none.
    :param is_alive: whether that host was heard of lately.
    :param removed: whether it was discarded.
    """

    version: int
    body: str
    worker: str
    is_alive: bool
    removed: bool


class SharedUploadTable:
    """The uploads of all hosts of a portal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ids(self) -> frozenset[str]:
        """Those there are."""
        with self._store.read() as connection:
            asked = select(SHARED_UPLOADS.c.id).where(SHARED_UPLOADS.c.removed.is_(False))
            return frozenset(connection.execute(asked).scalars())

    def get(self, upload_id: str) -> SharedUpload | None:
        """One of them; None = there is none of that id."""
        with self._store.read() as connection:
            now = database_now_ms(connection)
            row = connection.execute(select(SHARED_UPLOADS).where(SHARED_UPLOADS.c.id == upload_id)).one_or_none()
        if row is None:
            return None
        alive = bool(row.worker) and now - row.beat_ms < DEAD_MS
        return SharedUpload(row.version, row.body, row.worker, alive, row.removed)

    def add(self, upload_id: str, body: str) -> None:
        """Add one, unless it is there."""
        with self._store.write() as connection:
            now = database_now_ms(connection)
            old = and_(SHARED_UPLOADS.c.removed.is_(True), SHARED_UPLOADS.c.beat_ms < now - REMEMBERED_MS)
            connection.execute(delete(SHARED_UPLOADS).where(old))
            asked = select(SHARED_UPLOADS.c.id).where(SHARED_UPLOADS.c.id == upload_id)
            if connection.execute(asked).one_or_none() is None:
                values = {"version": 1, "body": body, "worker": "", "beat_ms": now, "removed": False}
                connection.execute(insert(SHARED_UPLOADS).values(id=upload_id, **values))

    def beat(self, upload_id: str, host: str) -> None:
        """The host that works on one lives."""
        with self._store.write() as connection:
            mine = and_(SHARED_UPLOADS.c.id == upload_id, SHARED_UPLOADS.c.worker == host)
            alive = {"beat_ms": database_now_ms(connection)}
            connection.execute(update(SHARED_UPLOADS).where(mine).values(**alive))

    def save(self, upload_id: str, body: str, *, host: str, works: bool) -> int | None:
        """Write one anew; its version. None = it is gone, or another host works on it.

        :param works: whether this host works on it from now on.
        """
        with self._store.write() as connection:
            now = database_now_ms(connection)
            saved = (
                update(SHARED_UPLOADS)
                .where(_is_free(upload_id, host, now))
                .values(version=SHARED_UPLOADS.c.version + 1, body=body, worker=host if works else "", beat_ms=now)
            )
            if not connection.execute(saved).rowcount:
                return None
            asked = select(SHARED_UPLOADS.c.version).where(SHARED_UPLOADS.c.id == upload_id)
            return int(connection.execute(asked).scalar_one())

    def claim(self, upload_id: str, host: str) -> bool:
        """Begin to work on one; False = another host does, or it is gone."""
        with self._store.write() as connection:
            now = database_now_ms(connection)
            mine = update(SHARED_UPLOADS).where(_is_free(upload_id, host, now))
            return bool(connection.execute(mine.values(worker=host, beat_ms=now)).rowcount)

    def remove(self, upload_id: str) -> None:
        """Discard one on every host; nothing happens where there is none."""
        with self._store.write() as connection:
            gone = {"removed": True, "body": "", "worker": "", "beat_ms": database_now_ms(connection)}
            connection.execute(update(SHARED_UPLOADS).where(SHARED_UPLOADS.c.id == upload_id).values(**gone))


def _is_free(upload_id: str, host: str, now: int) -> Any:  # noqa: ANN401 - SQLAlchemy's own form of a condition
    """No other host works on it."""
    free = or_(SHARED_UPLOADS.c.worker.in_(("", host)), SHARED_UPLOADS.c.beat_ms < now - DEAD_MS)
    return and_(SHARED_UPLOADS.c.id == upload_id, SHARED_UPLOADS.c.removed.is_(False), free)
