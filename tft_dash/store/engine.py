"""The store: what must outlive a process. SQLite by default, any other database by its SQLAlchemy URL."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from tft_dash.artefacts import exclusive
from tft_dash.errors import SettingError, StorageError, shorten
from tft_dash.settings import Settings
from tft_dash.store.failures import disk_error, shown, storage_errors
from tft_dash.store.schema import LAYOUT, LAYOUT_VERSION, METADATA

BUSY_SECONDS: Final = 10.0
"""How long one writer waits for another."""

_FILE_NAME: Final = "store.sqlite"
_EXAMPLES: Final = "sqlite:////srv/tft/store.sqlite or postgresql+psycopg://user:password@host/name"
_BEGIN: Final = "tft_dash_begin"
"""The execution option that says how SQLite begins a transaction; empty = it does not."""


def store_url(settings: Settings) -> str:
    """The URL of the store: as set, else of a SQLite file in the data folder."""
    if settings.store:
        return settings.store
    path = str(settings.data / _FILE_NAME)
    url = URL.create("sqlite", database=path).render_as_string()
    if make_url(url).database != path:
        raise SettingError(f"TFT_DASH_DATA is '{shorten(path)}'; a store's path cannot hold '?'. Choose another.")
    return url


_File = tuple[int, int] | None
"""Which file a path leads to at a moment; None = to none, or there is no file but a server."""


class _Process:
    """What one process has opened."""

    __slots__ = ("engine", "file", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.engine: Engine | None = None
        self.file: _File = None


class Store:
    """A database that is opened, and given its tables, at first use.

    A forked process opens its own: connections must not cross a fork.

    :raises SettingError: the URL is none, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        # What a parent opened stays here untouched in a forked child: closing it there would disturb the parent.
        self._processes: dict[int, _Process] = {}

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store.

        :raises StorageError: the store cannot be reached or read.
        """
        with storage_errors(self._url), self._engine().connect() as plain:
            connection = plain if self._is_sqlite() else plain.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that no other writer shares, in any process: what it has read stays true until it ends.

        It is kept when the body ends well, else undone.

        :raises StorageError: the store cannot be reached or written.
        """
        with storage_errors(self._url), self._engine().connect() as plain:
            connection = plain.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                connection.execute(select(LAYOUT.c.version).with_for_update())
                yield connection

    def close(self) -> None:
        """Let go of this process's connections. Closing twice is fine; a later use opens the store again."""
        here = self._processes.get(os.getpid())
        if here is None:
            return
        with here.lock:
            if here.engine is not None:
                here.engine.dispose()
            here.engine = None

    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def _engine(self) -> Engine:
        here = self._processes.setdefault(os.getpid(), _Process())
        with here.lock:
            if here.engine is None:
                here.engine, here.file = _opened(self._url), self._file()
            if here.file != self._file():
                # What is written to a file that was removed would be lost without a word; and the log of the one that
                # was opened must not be taken for that of another.
                raise StorageError(
                    f"The {shown(self._url)} was removed or replaced while the app ran; nothing can be saved. Put it "
                    "back as it was, or restart the app to go on with what is there now."
                )
            return here.engine

    def _file(self) -> _File:
        if not self._is_sqlite():
            return None
        try:
            found = Path(self._url.database or "").stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except NoSuchModuleError:
        name = shorten(text.partition(":")[0], 40)
        raise SettingError(f"TFT_DASH_STORE names an unknown kind of database, '{name}'. Use {_EXAMPLES}.") from None
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise SettingError(f"TFT_DASH_STORE is no database URL. Write it like {_EXAMPLES}.") from None
    except ImportError as error:
        raise SettingError(
            f"TFT_DASH_STORE is a {shorten(url.drivername, 40)} database; that needs the Python package "
            f"'{error.name}', which is not installed. Install it with pip, or leave TFT_DASH_STORE empty for SQLite."
        ) from error
    if dialect.is_async:
        raise SettingError(f"TFT_DASH_STORE uses the asynchronous driver '{url.drivername}'. Use {_EXAMPLES}.")
    return _checked_sqlite(url) if url.get_backend_name() == "sqlite" else url


def _checked_sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:") or url.query:
        raise SettingError(
            "TFT_DASH_STORE must name a file, without options: each worker needs to find the same store. "
            "Write it like sqlite:////srv/tft/store.sqlite."
        )
    return url.set(database=str(Path(url.database).expanduser().absolute()))


def _opened(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}} if sqlite else {"pool_pre_ping": True}
    engine = create_engine(url, pool_timeout=BUSY_SECONDS, **options)
    try:
        if sqlite:
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            _prepare_file(engine, url)
        else:
            _make_tables(engine, url)
    except OSError as error:
        engine.dispose()
        raise disk_error(url, error) from error
    except (SQLAlchemyError, StorageError):
        engine.dispose()
        raise
    return engine


def _prepare_file(engine: Engine, url: URL) -> None:
    path = Path(url.database or "")
    if _is_ready(engine, url, path):
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One process makes the file and its tables; the others wait for it.
    with exclusive(path.with_name(f"{path.name}.lock")):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        _keep_a_log(engine)
        _make_tables(engine, url)


def _is_ready(engine: Engine, url: URL, path: Path) -> bool:
    """Whether the tables are there; nothing is locked or written to find out."""
    if not path.exists() or not path.stat().st_size:
        return False
    with engine.connect() as connection:
        return _has_tables(connection, url)


def _make_tables(engine: Engine, url: URL) -> None:
    try:
        with engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}) as connection, connection.begin():
            if not _has_tables(connection, url):
                METADATA.create_all(connection)
                connection.execute(insert(LAYOUT).values(version=LAYOUT_VERSION))
    except DBAPIError:
        # Where no lock keeps others out, another process may have made them at this moment: then all is well.
        with engine.connect() as connection:
            made = _has_tables(connection, url)
        if not made:
            raise


def _has_tables(connection: Connection, url: URL) -> bool:
    if not inspect(connection).has_table(LAYOUT.name):
        return False
    found = connection.execute(select(LAYOUT.c.version)).scalar()
    if found is not None and found > LAYOUT_VERSION:
        raise StorageError(
            f"The {shown(url)} was written by a newer version of the app (layout {found}; this one knows "
            f"{LAYOUT_VERSION}). Update the app, or use another store."
        )
    return found is not None


def _keep_a_log(engine: Engine) -> None:
    """Let readers go on while one writes; the file remembers it."""
    with engine.connect().execution_options(**{_BEGIN: ""}) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # the driver would begin transactions late, and only for writes
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    how = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if how:
        connection.exec_driver_sql(how)
