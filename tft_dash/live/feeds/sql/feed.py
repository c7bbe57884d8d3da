"""A live source that is a table or view of a database, asked for the rows of one span of time after the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Engine

from tft_dash.errors import TableError, TftDashError
from tft_dash.live.feeds.sql.bounds import Form
from tft_dash.live.feeds.sql.configuration import Configuration, configured
from tft_dash.live.feeds.sql.connecting import database_errors, reading, reading_engine
from tft_dash.live.feeds.sql.notes import notes_of
from tft_dash.live.feeds.sql.reading import Fetched, samples_of
from tft_dash.live.feeds.sql.table import Table
from tft_dash.live.samples import Samples, joined, no_samples

_CLOCKS: Final[Mapping[str, str]] = {
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "mysql": "SELECT utc_timestamp(3)",
    "mariadb": "SELECT utc_timestamp(3)",
    "mssql": "SELECT sysutcdatetime()",
    "oracle": "SELECT sys_extract_utc(systimestamp) FROM dual",
}


def open_sql(url: str, options: Mapping[str, str]) -> SqlFeed:
    """The feed for a SQLAlchemy URL; nothing is asked yet.

    :raises UsageError: an option is impossible, or the driver is not installed.
    """
    return SqlFeed(configured(url, options))


class SqlFeed:
    """See :class:`tft_dash.live.adapters.Feed`.

    :ivar form: how the column of times writes them; None = not known yet.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.step_seconds = configuration.step_seconds
        self.table: Table | None = None
        self.form: Form | None = None
        self._engine: Engine | None = None

    def fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """See :meth:`tft_dash.live.adapters.Feed.fetch`."""
        if self._engine is None:
            with database_errors(self.configuration):  # a driver's option may be none
                self._engine = reading_engine(self.configuration)
        try:
            with reading(self._engine, self.configuration) as connection:
                return self._fetched(connection, start, end)
        except Exception:
            self.table = self.form = None  # whatever it was, the table may be another one when it is asked again
            raise

    def notes(self) -> tuple[str, ...]:
        """See :meth:`tft_dash.live.probing.probe.Explaining.notes`."""
        if self._engine is None or self.table is None:
            return ()
        try:
            with reading(self._engine, self.configuration) as connection:
                return notes_of(connection, self.configuration, self.table, self.form)
        except TftDashError as error:
            return (str(error),)

    def close(self) -> None:
        """See :meth:`tft_dash.live.adapters.Feed.close`."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _fetched(self, connection: Connection, start: np.datetime64, end: np.datetime64) -> Samples:
        nothing = no_samples(now=self._now(connection))
        if self.table is None:
            self.table = Table.found(connection, self.configuration)
        if self.form is None:
            self.form = self.table.form(connection)
        if self.form is None:
            return nothing
        pieces = self.table.rows(connection, self.form.bounds(start, end))
        first = next(pieces, None)
        if first is None:
            return nothing
        fetched = Fetched(self.table.columns, _after(first, pieces))
        try:
            return joined([nothing, *samples_of(fetched, self.table.spec, start, end)])
        except TableError as error:
            raise TableError(f"The {self.configuration.place}: {error}") from error

    def _now(self, connection: Connection) -> np.datetime64 | None:
        statement = _CLOCKS.get(self.configuration.dialect)
        value: Any = None if statement is None else connection.exec_driver_sql(statement).scalar()
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if not isinstance(value, datetime):
            return None
        plain = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return np.datetime64(plain, "ms")


def _after(first: Any, rest: Any) -> Any:  # noqa: ANN401 - pieces of rows
    yield first
    yield from rest
