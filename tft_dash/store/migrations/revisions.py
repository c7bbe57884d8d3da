"""Which revisions this version of the app knows, and at which one a store is. Nothing here needs Alembic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, String, column, inspect, select, table
from sqlalchemy.engine import URL

from tft_dash.errors import RevisionError, shorten
from tft_dash.store.failures import shown

AT_REVISION: Final = table("alembic_version", column("version_num", String))
"""Alembic's own table. One row: the revision that the store is at. Whoever writes to the store holds it."""

_FOLDER: Final = Path(__file__).parent / "versions"


class Revisions:
    """The revisions in a folder, in their order.

    :param folder: one file for each, named by the revision.
    """

    def __init__(self, folder: Path = _FOLDER) -> None:
        self.folder = folder

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All of them, the first one first.

        :raises RevisionError: there are none.
        """
        found = tuple(sorted(path.stem for path in self.folder.glob("[0-9]*.py")))
        if not found:
            raise RevisionError(f"The folder {self.folder} holds no revision of the store. Install the app anew.")
        return found

    @property
    def first(self) -> str:
        """The one that a store without the name of a revision is at."""
        return self.names[0]

    @property
    def newest(self) -> str:
        """The one that this version of the app works with."""
        return self.names[-1]

    def is_newest(self, connection: Connection, url: URL) -> bool:
        """Whether the store can be used as it is; else it is to be migrated.

        :raises RevisionError: the store is at a revision that is not among these.
        """
        if not inspect(connection).has_table(AT_REVISION.name):
            return False
        found = connection.execute(select(AT_REVISION.c.version_num)).scalars().all()
        unknown = [name for name in found if name not in self.names]
        if unknown or len(found) > 1:
            raise RevisionError(
                f"The {shown(url)} was made by a newer version of the app: it is at revision {_named(found)}, this "
                f"version knows those up to '{self.newest}'. Nothing was changed. Update the app on this host, or "
                "point TFT_DASH_STORE to another store."
            )
        return [*found] == [self.newest]

    def demand(self, connection: Connection, url: URL) -> None:
        """Hold the row that every writer holds, and make sure that the store is still as it was when it was opened.

        :raises RevisionError: another version of the app has migrated it meanwhile.
        """
        found = connection.execute(select(AT_REVISION.c.version_num).with_for_update()).scalars().all()
        if [*found] != [self.newest]:
            raise RevisionError(
                f"The {shown(url)} was brought to revision {_named(found)} by another version of the app while this "
                f"one ran, which works with '{self.newest}'. Nothing was saved. Start this host again with the "
                "version of the app that the others have."
            )


def _named(found: Sequence[str]) -> str:
    return " and ".join(f"'{shorten(str(name), 40)}'" for name in found) or "none"
