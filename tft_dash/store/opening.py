"""Opening a store: its file, its connections, and the way of its tables to the newest revision."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from tft_dash.artefacts import exclusive
from tft_dash.errors import StorageError
from tft_dash.store import sqlite
from tft_dash.store.failures import disk_error
from tft_dash.store.migrations.revisions import Revisions

BUSY_SECONDS: Final = 10.0
"""How long one writer waits for another."""

_ADVISORY_KEY: Final = 7_462_108_351
"""Names the lock of PostgreSQL that whoever migrates a store holds; any number that nobody else would choose."""
_PATIENCE: Final = "10min"
"""How long a process waits for the one that migrates. One whose host is gone holds its lock for a while."""
_TABLE_PATIENCE: Final = "30s"
"""How long a migration waits for those who use a table: whoever comes meanwhile waits behind it."""

_POSTGRESQL: Final[Mapping[str, str | int]] = {
    "connect_timeout": round(BUSY_SECONDS),  # a server begins without its store, too
    # A host that is gone without a word is noticed: whoever waits for it would wait for a quarter of an hour.
    "tcp_user_timeout": round(1000 * BUSY_SECONDS),
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # So is a process that stands still within a transaction: others wait for its locks.
    "options": "-c idle_in_transaction_session_timeout=60s",
}

_ONE_AT_A_TIME: Final = threading.Lock()
"""Alembic's operations belong to the process, not to a thread."""


def opened(url: URL, revisions: Revisions) -> Engine:
    """The engine of a store that is at the newest revision; an older one is migrated by one process, others wait.

    :raises StorageError: the store cannot be made or migrated, or belongs to a newer version of the app.
    :raises SQLAlchemyError: it cannot be reached.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(
        url, pool_timeout=BUSY_SECONDS, pool_pre_ping=not is_sqlite, connect_args=connect_arguments(url)
    )
    try:
        if is_sqlite:
            sqlite.set_up(engine)
        if not _is_ready(engine, url, revisions):
            with _ONE_AT_A_TIME:
                _make_ready(engine, url, revisions)
    except OSError as error:
        engine.dispose()
        raise disk_error(url, error) from error
    except (SQLAlchemyError, StorageError):
        engine.dispose()
        raise
    return engine


def connect_arguments(url: URL) -> dict[str, Any]:
    """What a connection is told beside its URL: how long it waits. What the URL says itself stays."""
    if url.get_backend_name() == "sqlite":
        return {"timeout": BUSY_SECONDS}
    if url.get_driver_name() not in ("psycopg", "psycopg2"):
        return {}
    return {name: value for name, value in _POSTGRESQL.items() if name not in url.query}


def _is_ready(engine: Engine, url: URL, revisions: Revisions) -> bool:
    """Whether there is nothing to migrate; nothing is locked or written to find out."""
    if engine.dialect.name == "sqlite":
        path = Path(url.database or "")
        if not path.exists() or not path.stat().st_size:
            return False
    with engine.connect() as connection:
        return revisions.is_newest(connection, url)


def _make_ready(engine: Engine, url: URL, revisions: Revisions) -> None:
    if engine.dialect.name != "sqlite":
        _migrate(engine, url, revisions)
        return
    path = Path(url.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One process makes the file and its tables; the others wait for it.
    with exclusive(path.with_name(f"{path.name}.lock")):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sqlite.keep_a_log(engine)
        _migrate(engine, url, revisions)


def _migrate(engine: Engine, url: URL, revisions: Revisions) -> None:
    with _alone(engine) as connection:
        if revisions.is_newest(connection, url):  # another process has done it while this one waited
            return
        from tft_dash.store.migrations.upgrade import upgrade  # noqa: PLC0415 - only who migrates pays for Alembic

        upgrade(connection, url, revisions)


@contextlib.contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction in which this process alone, of all hosts, changes tables; kept whole or not at all."""
    with engine.connect() as connection:
        connection.detach()  # its settings must not reach whoever would get it from the pool
        if engine.dialect.name == "sqlite":
            sqlite.rebuild_tables(connection)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_KEY})")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_TABLE_PATIENCE}'")
            yield connection
