"""A database's own errors, mapped once to words that say what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tft_dash.errors import StorageError, shorten

_ELSEWHERE: Final = "point TFT_DASH_STORE (or TFT_DASH_DATA) to another place"
_CHECK: Final = "Check that the database runs and that TFT_DASH_STORE names it"
_SQLITE_ADVICE: Final[Mapping[str, str]] = {
    "SQLITE_FULL": "the disk is full. Free some space; nothing that was saved before is lost",
    "SQLITE_READONLY": f"it is read-only. Mend its permissions and its folder's, or {_ELSEWHERE}",
    "SQLITE_CANTOPEN": f"it cannot be opened. Check the permissions of it and its folder, or {_ELSEWHERE}",
    "SQLITE_PERM": f"access is denied. Mend its permissions, or {_ELSEWHERE}",
    "SQLITE_NOTADB": f"it is no SQLite file. Move that file away, or {_ELSEWHERE}",
    "SQLITE_CORRUPT": "it is damaged. Put a backup in its place",
    "SQLITE_BUSY": "another process has held it for too long. Try again",
    "SQLITE_LOCKED": "another process has held it for too long. Try again",
    "SQLITE_IOERR": "the disk fails to read or write. Check the disk and its free space",
}
_SQLSTATE_ADVICE: Final[Mapping[str, str]] = {
    "55P03": "another process has held its tables for too long. Try again",
    "42501": "its user may not change the tables. Let that user own them and their schema",
    "53100": "the server's disk is full. Free some space; nothing that was saved before is lost",
    "25006": "the server is read-only at the moment. Point TFT_DASH_STORE to the one that takes writes",
}


def shown(url: URL) -> str:
    """A store's place without user, password or options."""
    place = f"{url.host}/" if url.host else ""
    return shorten(f"{url.get_backend_name()} store {place}{url.database or ''}", 200)


@contextlib.contextmanager
def storage_errors(url: URL) -> Iterator[None]:
    """Turn the errors of the database at ``url``, and of the disk under it, into one :class:`StorageError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(f"The {shown(url)} cannot be used: {reason_of(error)}.") from error


def disk_error(url: URL, error: OSError) -> StorageError:
    """What to say when the store's file or folder cannot be made."""
    reason = error.strerror or type(error).__name__
    return StorageError(
        f"The {shown(url)} cannot be made: {reason}. Mend the folder's permissions or free some space, or {_ELSEWHERE}."
    )


def reason_of(error: SQLAlchemyError, otherwise: str = _CHECK) -> str:
    """What happened and what to do, in words that show nothing of what users wrote.

    :param otherwise: what to do about an error that is not known here.
    """
    driver = error.orig if isinstance(error, DBAPIError) else None
    code = str(getattr(driver, "sqlite_errorname", ""))
    for start, advice in _SQLITE_ADVICE.items():
        if code.startswith(start):
            return advice
    state = str(getattr(driver, "sqlstate", ""))
    if state in _SQLSTATE_ADVICE:
        return _SQLSTATE_ADVICE[state]
    # A statement's parameters may hold what users wrote: only the driver's first line is shown.
    said = (str(driver or type(error).__name__).strip() or type(error).__name__).splitlines()[0]
    return f"{shorten(said, 200).rstrip('.')}. {otherwise}"
