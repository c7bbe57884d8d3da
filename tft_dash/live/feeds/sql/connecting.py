"""Connections that can only read, and only for so long; and a database's errors in words."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from tft_dash.errors import SourceUnreachableError, shorten
from tft_dash.live.feeds.sql.configuration import Configuration

_STEPS_BETWEEN_LOOKS: Final = 20_000
"""Instructions of SQLite's machine after which the clock is looked at: a few milliseconds."""
_TOO_LONG: Final = frozenset({"57014", "3024", "1969", "70100"})
_ADVICE: Final[Mapping[str, str]] = {
    "42501": "Its user may not read it: GRANT SELECT on the table, and USAGE on its schema",
    "28P01": "Give the user's password with password_file",
    "28000": "Give another user, or its password with password_file",
    "3D000": "Check the name of the database",
    "42P01": "Check the names of the table and its schema",
    "SQLITE_CANTOPEN": "Check the path, and that the user that collects may read the file and its folder",
    "SQLITE_NOTADB": "It is no SQLite file; check the path",
    "SQLITE_CORRUPT": "It is damaged; put a backup in its place",
    "SQLITE_BUSY": "Another process has held it for too long",
}


def reading_engine(configuration: Configuration) -> Engine:
    """An engine whose connections can only read. Nothing is asked yet."""
    dialect = configuration.dialect
    if dialect == "sqlite":
        engine = create_engine(_read_only_file(configuration.url), poolclass=NullPool)
    else:
        arguments = _ARGUMENTS.get(dialect, _no_arguments)(configuration)
        engine = create_engine(
            configuration.url, poolclass=QueuePool, pool_size=1, pool_pre_ping=True, connect_args=arguments
        )
    _listen(engine, configuration)
    return engine


def _read_only_file(url: URL) -> URL:
    return URL.create("sqlite", database=Path(url.database or "").as_uri(), query={"mode": "ro", "uri": "true"})


def _postgresql_arguments(configuration: Configuration) -> dict[str, Any]:
    if configuration.url.get_driver_name() not in ("psycopg", "psycopg2"):
        return {}
    seconds = configuration.timeout_seconds
    chosen = {
        "connect_timeout": max(2, math.ceil(min(seconds, 10.0))),
        "tcp_user_timeout": math.ceil(seconds * 1000) + 5000,
        "application_name": "tft-dash",
    }
    return {name: value for name, value in chosen.items() if name not in configuration.url.query}


def _mysql_arguments(configuration: Configuration) -> dict[str, Any]:
    if configuration.url.get_driver_name() != "pymysql":
        return {}
    seconds = math.ceil(configuration.timeout_seconds)
    return {"connect_timeout": min(seconds, 10), "read_timeout": seconds + 5}


def _no_arguments(_configuration: Configuration) -> dict[str, Any]:
    return {}


_ARGUMENTS: Final[Mapping[str, Callable[[Configuration], dict[str, Any]]]] = {
    "postgresql": _postgresql_arguments,
    "mysql": _mysql_arguments,
    "mariadb": _mysql_arguments,
}


def _listen(engine: Engine, configuration: Configuration) -> None:
    if configuration.password is not None:
        password = configuration.password

        def give_password(_dialect: Any, _record: Any, _positional: Any, named: dict[str, Any]) -> None:  # noqa: ANN401
            named["password"] = password.read()

        event.listen(engine, "do_connect", give_password)
    if configuration.dialect == "sqlite":
        event.listen(engine, "connect", _limited(configuration.timeout_seconds))


def _limited(seconds: float) -> Callable[[Any, Any], None]:
    """Ends a statement of SQLite that takes too long: its connections live for one call."""

    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        until = time.monotonic() + seconds
        connection.execute(f"PRAGMA busy_timeout={round(seconds * 1000)}")
        connection.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS_BETWEEN_LOOKS)

    return connected


@contextlib.contextmanager
def reading(engine: Engine, configuration: Configuration) -> Iterator[Connection]:
    """A transaction that can only read, and whose statements end in time.

    :raises SourceUnreachableError: the database cannot be reached, or not be read.
    """
    with database_errors(configuration), engine.connect() as plain:
        connection = plain
        if configuration.dialect == "postgresql":
            connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        for statement in _first_statements(configuration):
            connection.exec_driver_sql(statement)
        yield connection
        connection.rollback()


def _first_statements(configuration: Configuration) -> tuple[str, ...]:
    thousandths = math.ceil(configuration.timeout_seconds * 1000)
    if configuration.dialect == "postgresql":
        return (f"SET LOCAL statement_timeout = {thousandths}", "SET LOCAL TIME ZONE 'UTC'")
    if configuration.dialect == "mysql":
        return (
            "SET SESSION time_zone = '+00:00'",
            f"SET SESSION max_execution_time = {thousandths}",
            "SET SESSION TRANSACTION READ ONLY",
        )
    if configuration.dialect == "mariadb":
        return (
            "SET SESSION time_zone = '+00:00'",
            f"SET SESSION max_statement_time = {configuration.timeout_seconds:g}",
            "SET SESSION TRANSACTION READ ONLY",
        )
    return ()


@contextlib.contextmanager
def database_errors(configuration: Configuration) -> Iterator[None]:
    """Turn a database's errors into one :class:`SourceUnreachableError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise SourceUnreachableError(_words(error, configuration)) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceUnreachableError(f"The {configuration.place} cannot be read: {reason}.") from error


def _words(error: SQLAlchemyError, configuration: Configuration) -> str:
    driver = error.orig if isinstance(error, DBAPIError) else None
    state = str(getattr(driver, "sqlstate", None) or getattr(driver, "sqlite_errorname", None) or "")
    number = str(driver.args[0]) if driver is not None and driver.args else ""
    if state in _TOO_LONG or number in _TOO_LONG or state.startswith("SQLITE_INTERRUPT"):
        return (
            f"The {configuration.place} did not answer within {configuration.timeout_seconds:g} s. Does the column of "
            "times have an index? A longer time-out is given with ?timeout=60s."
        )
    said = (str(driver or error).strip() or type(error).__name__).splitlines()[0]
    advice = _ADVICE.get(state, "Check that the database runs, and the address")
    return (
        f"The {configuration.place} cannot be read: {shorten(_hidden(said, configuration), 240).rstrip('.')}. {advice}."
    )


def _hidden(text: str, configuration: Configuration) -> str:
    """Without the password, should a driver ever repeat it."""
    secrets = [configuration.url.password, configuration.password and configuration.password.known]
    for secret in secrets:
        if secret:
            text = text.replace(str(secret), "***")
    return text
