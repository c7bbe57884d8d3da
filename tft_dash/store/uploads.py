"""Uploads that are no datasets yet, as every host of a portal knows them. Each method is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, or_, select, update

from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms
from tft_dash.store.schema import SHARED_UPLOADS

DEAD_MS: Final = 30_000
"""A host that works on an upload and was not heard of for so long has ended."""


@dataclass(frozen=True, slots=True)
class SharedUpload:
    """One upload.

    :param version: higher after every change.
    :param body: what its host has written of it.
    :param worker: the host that works on it; empty = none.
    :param is_alive: whether that host was heard of lately.
    """

    version: int
    body: str
    worker: str
    is_alive: bool


class SharedUploadTable:
    """The uploads of all hosts of a portal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ids(self) -> frozenset[str]:
        """Those there are."""
        with self._store.read() as connection:
            return frozenset(connection.execute(select(SHARED_UPLOADS.c.id)).scalars())

    def get(self, upload_id: str) -> SharedUpload | None:
        """One of them; None = there is none of that id."""
        with self._store.read() as connection:
            now = database_now_ms(connection)
            row = connection.execute(select(SHARED_UPLOADS).where(SHARED_UPLOADS.c.id == upload_id)).one_or_none()
        if row is None:
            return None
        return SharedUpload(row.version, row.body, row.worker, bool(row.worker) and now - row.beat_ms < DEAD_MS)

    def add(self, upload_id: str, body: str) -> int:
        """Add one; its version."""
        with self._store.write() as connection:
            values = {"version": 1, "body": body, "worker": "", "beat_ms": database_now_ms(connection)}
            connection.execute(insert(SHARED_UPLOADS).values(id=upload_id, **values))
        return 1

    def save(self, upload_id: str, body: str, *, host: str, works: bool) -> int | None:
        """Write one anew; its version. None = it is gone, or another host works on it.

        :param works: whether this host works on it from now on.
        """
        with self._store.write() as connection:
            now = database_now_ms(connection)
            free = or_(SHARED_UPLOADS.c.worker.in_(("", host)), SHARED_UPLOADS.c.beat_ms < now - DEAD_MS)
            saved = (
                update(SHARED_UPLOADS)
                .where(SHARED_UPLOADS.c.id == upload_id, free)
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
            free = or_(SHARED_UPLOADS.c.worker.in_(("", host)), SHARED_UPLOADS.c.beat_ms < now - DEAD_MS)
            mine = update(SHARED_UPLOADS).where(SHARED_UPLOADS.c.id == upload_id, free)
            return bool(connection.execute(mine.values(worker=host, beat_ms=now)).rowcount)

    def remove(self, upload_id: str) -> None:
        """Remove one; nothing happens where there is none."""
        with self._store.write() as connection:
            connection.execute(delete(SHARED_UPLOADS).where(SHARED_UPLOADS.c.id == upload_id))
