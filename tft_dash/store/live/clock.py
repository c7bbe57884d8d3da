"""The database's own clock: the one that all hosts share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, text

_STATEMENTS: Final = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')",
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(3)",
    "mariadb": "SELECT UTC_TIMESTAMP(3)",
}
_OTHERS: Final = "SELECT CURRENT_TIMESTAMP"


def database_now_ms(connection: Connection) -> int:
    """Milliseconds since 1970, UTC, as the database's clock shows them at this moment, even within a transaction."""
    said: Any = connection.execute(text(_STATEMENTS.get(connection.dialect.name, _OTHERS))).scalar_one()
    when = said if isinstance(said, datetime) else datetime.fromisoformat(str(said))
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return round(aware.timestamp() * 1000)


def instant(milliseconds: int | None) -> np.datetime64 | None:
    """Milliseconds since 1970 as a time."""
    return None if milliseconds is None else np.datetime64(int(milliseconds), "ms")


def milliseconds(time: np.datetime64) -> int:
    """A time as milliseconds since 1970."""
    return int(time.astype("datetime64[ms]").astype(np.int64))
