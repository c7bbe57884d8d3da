"""Documents with versions: nothing that was ever saved is lost, and nobody overwrites what they have not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from tft_dash.errors import ConflictError, UnknownNameError, shorten
from tft_dash.store.engine import Store
from tft_dash.store.schema import DOCUMENT_VERSIONS, DOCUMENTS

KEY_LENGTH: Final = 64
AUTHOR_LENGTH: Final = 120
_NUMBER_ROOM: Final = 8
"""Characters that ``-2``, ``-3``, … may take at the end of a key."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One version of a document.

    :param key: what it is called in addresses; never changes.
    :param version: counts from 1 with every save.
    :param created: when the document was added.
    :param updated: when this version was saved.
    """

    kind: str
    key: str
    version: int
    body: Mapping[str, Any]
    author: str
    created: datetime
    updated: datetime
    archived: bool
    deleted: bool


class Documents:
    """The documents of one kind, e.g. ``"scenario"``. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self.kind = kind

    def all(self, *, deleted: bool = False, limit: int | None = None) -> tuple[StoredDocument, ...]:
        """Those that are not deleted, the archived included; or only the deleted. The newest change first."""
        wanted = select(DOCUMENTS).where(DOCUMENTS.c.kind == self.kind, DOCUMENTS.c.deleted.is_(deleted))
        ordered = wanted.order_by(DOCUMENTS.c.updated.desc(), DOCUMENTS.c.key).limit(limit)
        with self._store.read() as connection:
            rows = connection.execute(ordered).all()
        return tuple(_document(row) for row in rows)

    def stamp(self) -> str:
        """What all documents are at the moment, as a short text: another one whenever any of them has changed."""
        wanted = select(DOCUMENTS.c.key, DOCUMENTS.c.version, DOCUMENTS.c.archived, DOCUMENTS.c.deleted)
        with self._store.read() as connection:
            rows = connection.execute(wanted.where(DOCUMENTS.c.kind == self.kind).order_by(DOCUMENTS.c.key)).all()
        return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()[:16]

    def get(self, key: str) -> StoredDocument | None:
        """The version in force, of a deleted document too; None when there never was one."""
        with self._store.read() as connection:
            row = self._row(connection, key)
        return None if row is None else _document(row)

    def add(
        self, wish: str, body: Mapping[str, Any], author: str = "", *, taken: Collection[str] = ()
    ) -> StoredDocument:
        """A new document under the key ``wish``, or ``wish-2``, ``wish-3``, … where that is taken.

        A deleted document keeps its key.

        :param taken: keys that are not free for another reason.
        """
        now = datetime.now(UTC)
        with self._store.write() as connection:
            key = self._free_key(connection, wish, taken)
            place = {"kind": self.kind, "key": key, "version": 1}
            written = {"body": _text(body), "author": shorten(author, AUTHOR_LENGTH)}
            state = {"created": now, "updated": now, "archived": False, "deleted": False}
            connection.execute(insert(DOCUMENTS).values(**place, **written, **state))
            connection.execute(insert(DOCUMENT_VERSIONS).values(**place, **written, saved=now))
            return _document(self._known(connection, key))

    def save(self, key: str, body: Mapping[str, Any], *, version: int, author: str = "") -> StoredDocument:
        """The next version of a document.

        :param version: the version that ``body`` was made from.
        :raises UnknownNameError: there is no such document.
        :raises ConflictError: another version is in force by now, or the document was deleted; nothing was changed.
        """
        with self._store.write() as connection:
            row = self._known(connection, key)
            self._demand(row, version)
            # A clock that was set back must not hide the newest change behind an older one.
            now = max(datetime.now(UTC), row.updated)
            written = {"version": version + 1, "body": _text(body), "author": shorten(author, AUTHOR_LENGTH)}
            connection.execute(update(DOCUMENTS).where(*self._is(key)).values(**written, updated=now))
            connection.execute(insert(DOCUMENT_VERSIONS).values(kind=self.kind, key=key, **written, saved=now))
            return _document(self._known(connection, key))

    def mark(self, key: str, *, archived: bool | None = None, deleted: bool | None = None) -> StoredDocument:
        """Put a document away, delete it, or take either back; its version and text stay.

        :raises UnknownNameError: there is no such document.
        """
        marks = {name: mark for name, mark in (("archived", archived), ("deleted", deleted)) if mark is not None}
        with self._store.write() as connection:
            self._known(connection, key)
            if marks:
                connection.execute(update(DOCUMENTS).where(*self._is(key)).values(**marks))
            return _document(self._known(connection, key))

    def history(self, key: str) -> tuple[StoredDocument, ...]:
        """Every version that was ever saved, the newest first; of a deleted document too.

        :raises UnknownNameError: there is no such document.
        """
        wanted = select(DOCUMENT_VERSIONS).where(DOCUMENT_VERSIONS.c.kind == self.kind, DOCUMENT_VERSIONS.c.key == key)
        with self._store.read() as connection:
            head = self._known(connection, key)
            rows = connection.execute(wanted.order_by(DOCUMENT_VERSIONS.c.version.desc())).all()
        return tuple(
            StoredDocument(
                row.kind, row.key, row.version, json.loads(row.body), row.author, head.created, row.saved,
                head.archived, head.deleted,
            )
            for row in rows
        )  # fmt: skip

    def _is(self, key: str) -> tuple[Any, ...]:
        return DOCUMENTS.c.kind == self.kind, DOCUMENTS.c.key == key

    def _row(self, connection: Connection, key: str) -> Row[Any] | None:
        if len(key) > KEY_LENGTH or not key.isprintable():  # not every database takes such text
            return None
        return connection.execute(select(DOCUMENTS).where(*self._is(key))).one_or_none()

    def _known(self, connection: Connection, key: str) -> Row[Any]:
        row = self._row(connection, key)
        if row is None:
            known = select(DOCUMENTS.c.key).where(DOCUMENTS.c.kind == self.kind, DOCUMENTS.c.deleted.is_(False))
            raise UnknownNameError(self.kind, key, connection.execute(known).scalars())
        return row

    def _demand(self, row: Row[Any], version: int) -> None:
        who = f" by {row.author}" if row.author else ""
        if row.deleted:
            raise ConflictError(
                f"The {self.kind} '{row.key}' was deleted meanwhile. Restore it first, or save yours as a new one.",
                row.version,
            )
        if row.version != version:
            raise ConflictError(
                f"The {self.kind} '{row.key}' was changed meanwhile{who}: version {row.version} is in force, yours was "
                f"made from version {version}. Compare the two, then save yours over it or as a new one.",
                row.version,
            )

    def _free_key(self, connection: Connection, wish: str, taken: Collection[str]) -> str:
        start = wish[: KEY_LENGTH - _NUMBER_ROOM]
        near = select(DOCUMENTS.c.key).where(
            DOCUMENTS.c.kind == self.kind, DOCUMENTS.c.key.startswith(start, autoescape=True)
        )
        used = {*connection.execute(near).scalars(), *taken}
        key, number = wish[:KEY_LENGTH], 2
        while key in used:
            key, number = f"{start}-{number}", number + 1
        return key


def _text(body: Mapping[str, Any]) -> str:
    # ASCII alone: every database keeps it as it is, whatever its encoding.
    return json.dumps(body, allow_nan=False, ensure_ascii=True, separators=(",", ":"))


def _document(row: Row[Any]) -> StoredDocument:
    return StoredDocument(
        row.kind, row.key, row.version, json.loads(row.body), row.author, row.created, row.updated,
        row.archived, row.deleted,
    )  # fmt: skip
