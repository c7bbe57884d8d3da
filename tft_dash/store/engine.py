"""The store: what must outlive a process. SQLite by default, any other database by its SQLAlchemy URL."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, ProgrammingError, SQLAlchemyError

from tft_dash.errors import RevisionError, SettingError, StorageError, shorten
from tft_dash.settings import Settings
from tft_dash.store.failures import shown, storage_errors
from tft_dash.store.migrations.revisions import Revisions
from tft_dash.store.opening import opened
from tft_dash.store.sqlite import BEGIN

logger = logging.getLogger(__name__)

_FILE_NAME: Final = "store.sqlite"
_EXAMPLES: Final = "sqlite:////srv/tft/store.sqlite or postgresql+psycopg://user:password@host/name"


def store_url(settings: Settings) -> str:
    """The URL of the store: as set, else of a SQLite file in the data folder."""
    if settings.store:
        return settings.store
    path = str(settings.data / _FILE_NAME)
    url = URL.create("sqlite", database=path).render_as_string()
    if make_url(url).database != path:
        raise SettingError(f"TFT_DASH_DATA is '{shorten(path)}'; a store's path cannot hold '?'. Choose another.")
    return url


def bring_forward(settings: Settings) -> None:
    """Migrate the store before a server begins and its workers fork.

    :raises SettingError: the settings name no store.
    :raises RevisionError: a newer version of the app has migrated it, or it cannot be migrated.
    """
    store = Store(store_url(settings))
    try:
        store.open()
    except RevisionError:
        raise
    except StorageError as error:
        # Recordings are shown without a store too; whoever needs it is told, and finds it once it can be reached.
        logger.warning("%s Until then recordings are shown without it.", error)
    finally:
        store.close()


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
    """A database that is opened, and brought to the newest revision of its tables, at first use.

    A forked process opens its own: connections must not cross a fork.

    :param revisions: how its tables came to be.
    :raises SettingError: the URL is none, or its driver is not installed.
    """

    def __init__(self, url: str, revisions: Revisions | None = None) -> None:
        self._url = _checked(url)
        self._revisions = revisions or Revisions()
        # What a parent opened stays here untouched in a forked child: closing it there would disturb the parent.
        self._processes: dict[int, _Process] = {}

    def open(self) -> None:
        """Open the store now: whoever starts a server wants to know before it is asked.

        :raises RevisionError: a newer version of the app has migrated it, or it cannot be migrated.
        :raises StorageError: it cannot be reached.
        """
        with storage_errors(self._url):
            self._engine()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store.

        Whether another version of the app has migrated it meanwhile matters to a reader only when its statement fails.

        :raises StorageError: the store cannot be reached or read.
        """
        with storage_errors(self._url):
            engine = self._engine()
            try:
                with engine.connect() as plain:
                    connection = (
                        plain if self._is_sqlite() else plain.execution_options(isolation_level="REPEATABLE READ")
                    )
                    with connection.begin():
                        yield connection
            except (OperationalError, ProgrammingError) as error:
                if not error.connection_invalidated:
                    self._demand_newest(engine)
                raise

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that no other writer shares, in any process: what it has read stays true until it ends.

        It is kept when the body ends well, else undone.

        :raises StorageError: the store cannot be reached or written.
        """
        with storage_errors(self._url), self._engine().connect() as plain:
            connection = plain.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                self._revisions.demand(connection, self._url)
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

    def _demand_newest(self, engine: Engine) -> None:
        with contextlib.suppress(SQLAlchemyError), engine.connect() as connection:
            self._revisions.demand(connection, self._url)

    @property
    def is_shared(self) -> bool:
        """Whether other hosts can have it, too: a server, not a file."""
        return not self._is_sqlite()

    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def _engine(self) -> Engine:
        here = self._processes.setdefault(os.getpid(), _Process())
        with here.lock:
            if here.engine is None:
                here.engine, here.file = opened(self._url, self._revisions), self._file()
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
