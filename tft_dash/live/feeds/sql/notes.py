"""What a table can be told to be, for whoever sets it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Final

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from tft_dash.errors import shorten
from tft_dash.live.feeds.sql.bounds import Form
from tft_dash.live.feeds.sql.configuration import Configuration
from tft_dash.live.feeds.sql.table import Table

_LISTED: Final = 12


def notes_of(connection: Connection, configuration: Configuration, table: Table, form: Form | None) -> tuple[str, ...]:
    """Sentences about a table."""
    return (*_columns(configuration, table), *_times(table, form), *_index(connection, table))


def _columns(configuration: Configuration, table: Table) -> Iterator[str]:
    how = "the contract's own names" if configuration.mapping is None else f"mapping '{configuration.mapping.name}'"
    yield f"{configuration.place[0].upper()}{configuration.place[1:]}, by {how}, layout {table.spec.layout}."
    left = [name for name in table.columns if name not in table.names]
    if left:
        more = len(left) - _LISTED
        shown = ", ".join(shorten(name, 40) for name in left[:_LISTED])
        yield f"Columns that are not read: {shown}{f' and {more:,} more' if more > 0 else ''}."


def _times(table: Table, form: Form | None) -> Iterator[str]:
    if form is None:
        yield f"The column {shorten(table.time, 60)} has no value at all: the table is empty."
    elif form.word in ("naive", "text") and form.zone is UTC:
        yield (
            f"Times in {shorten(table.time, 60)} are read as UTC where they name no zone. If they are those of another "
            "one, say so in the mapping: spec.timestamp.zone."
        )
    elif form.word == "number":
        units = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
        yield f"Times in {shorten(table.time, 60)} are read as {units[form.factor]} since 1970 in UTC."


def _index(connection: Connection, table: Table) -> Iterator[str]:
    """Whether a span of time can be found without reading all of the table."""
    try:
        inspector = inspect(connection)
        if table.name not in inspector.get_table_names(table.schema):
            return  # a view has none of its own
        keys = [one["column_names"] for one in inspector.get_indexes(table.name, schema=table.schema)]
        keys.append(list(inspector.get_pk_constraint(table.name, schema=table.schema)["constrained_columns"]))
    except (SQLAlchemyError, NotImplementedError, KeyError):
        return
    if not any(names and names[0] == table.time for names in keys):
        yield (
            f"No index begins with {shorten(table.time, 60)}: every poll reads the whole table. "
            f"CREATE INDEX ON it ({shorten(table.time, 60)}) makes it cheap."
        )
