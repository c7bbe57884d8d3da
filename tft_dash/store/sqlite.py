"""What SQLite needs to be told that other databases do by themselves."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, event

BEGIN: Final = "tft_dash_begin"
"""The execution option that says how SQLite begins a transaction; empty = it does not."""


def set_up(engine: Engine) -> None:
    """Have transactions begin where they are asked for, those that change tables included, and foreign keys hold."""
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)


def keep_a_log(engine: Engine) -> None:
    """Let readers go on while one writes; the file remembers it."""
    with engine.connect().execution_options(**{BEGIN: ""}) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def rebuild_tables(connection: Connection) -> None:
    """Make the next transaction of a connection one in which a table may be replaced by a copy of it.

    With foreign keys enforced, to drop the old table would delete what refers to it; within a transaction they can not
    be turned off.
    """
    connection.execution_options(**{BEGIN: ""})
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.commit()
    connection.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})


def orphans(connection: Connection) -> list[str]:
    """The tables with rows that refer to nothing."""
    return sorted({str(row[0]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})


def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # the driver would begin transactions late, and only for writes
    connection.execute("PRAGMA foreign_keys=ON")


def _begun(connection: Connection) -> None:
    how = connection.get_execution_options().get(BEGIN, "BEGIN")
    if how:
        connection.exec_driver_sql(how)
