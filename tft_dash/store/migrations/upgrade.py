"""Bringing a store to the newest revision, with Alembic. Imported only where there is something to migrate."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from tft_dash.errors import RevisionError, shorten
from tft_dash.store import sqlite
from tft_dash.store.failures import reason_of, shown
from tft_dash.store.migrations.revisions import Revisions
from tft_dash.store.schema import LAYOUT

_NOTHING: Final = "an empty database"
_AFTERWARDS: Final = (
    "Report this with the versions of the app and of the database. The version of the app that used this store before "
    "can go on with it; or point TFT_DASH_STORE to another"
)


def upgrade(connection: Connection, url: URL, revisions: Revisions) -> None:
    """Run the revisions that a store lacks, within the transaction of ``connection``, which nobody else migrates in.

    :raises RevisionError: one of them failed; the transaction is to be undone.
    """
    start = _NOTHING
    try:
        script = ScriptDirectory(str(Path(__file__).parent), version_locations=[str(revisions.folder)])
        context = _context(connection, script, revisions)
        if context.get_current_revision() is None and _is_of_before(connection, url):
            context.stamp(script, revisions.first)
        start = f"revision '{found}'" if (found := context.get_current_revision()) else _NOTHING
        with Operations.context(context):
            context.run_migrations()
        _check(connection)
        # Versions from before there were revisions know a newer store by this number, and leave it alone.
        connection.execute(update(LAYOUT).values(version=int(revisions.newest.partition("_")[0])))
    except RevisionError:
        raise
    except Exception as error:  # a revision's own code may fail in any way; this is the edge that reports it
        reason = reason_of(error, _AFTERWARDS) if isinstance(error, SQLAlchemyError) else _told(error)
        raise RevisionError(
            f"The {shown(url)} could not be brought from {start} to revision '{revisions.newest}', and was left as it "
            f"was: {reason}."
        ) from error


def _context(connection: Connection, script: ScriptDirectory, revisions: Revisions) -> MigrationContext:
    def steps(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        lacking = script.iterate_revisions(revisions.newest, heads or "base")
        return [MigrationStep.upgrade_from_script(script.revision_map, each) for each in reversed([*lacking])]

    return MigrationContext.configure(connection, opts={"fn": steps, "transactional_ddl": True})


def _is_of_before(connection: Connection, url: URL) -> bool:
    """Whether the tables of the first revision are there, made by a version from before there were revisions."""
    if not inspect(connection).has_table(LAYOUT.name):
        return False
    found = connection.execute(select(LAYOUT.c.version)).scalars().all()
    if [*found] != [1]:
        raise RevisionError(
            f"The {shown(url)} has tables of the layout {shorten(str([*found]), 40)} and names no revision; this "
            "version of the app knows only layout 1 without one. Put a backup in its place, or use another store."
        )
    return True


def _check(connection: Connection) -> None:
    orphans = sqlite.orphans(connection) if connection.dialect.name == "sqlite" else []
    if orphans:
        raise ValueError(f"rows of {', '.join(orphans)} would refer to nothing")


def _told(error: Exception) -> str:
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"{shorten(f'{type(error).__name__}: {said}', 300).rstrip('.')}. {_AFTERWARDS}"
