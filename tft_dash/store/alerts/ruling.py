"""Documents that alerts are judged by, read within the transaction that judges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from tft_dash.store.schema import DOCUMENTS

RULES: Final = "alert-rules"
KEY: Final = "default"
"""Of each kind the document under this key is in force."""


def in_force(connection: Connection, kind: str) -> tuple[int, Mapping[str, Any]] | None:
    """Version and body of the document in force; None = nobody has saved one, or it was put away."""
    table = DOCUMENTS.c
    there = (table.kind == kind, table.key == KEY, table.deleted.is_(False), table.archived.is_(False))
    row = connection.execute(select(table.version, table.body).where(*there)).one_or_none()
    return None if row is None else (row.version, json.loads(row.body))
