"""Every error this package raises on purpose, in one tree.

::

    TftDashError
    ├── DataError                exit 1   the data or the model is not acceptable
    │   ├── TableError                    a table breaks the data contract
    │   ├── DocumentError                 a scenario document is invalid; carries every problem with its path
    │   ├── ModelRefusedError             a model's folder is not what it says it is, or not for this program
    │   └── ExpectationError              a drill does not do what its document expects
    ├── UsageError               exit 2   the caller asked for something that cannot be
    │   ├── NotThereError                 what was asked for is not there
    │   │   └── UnknownNameError          a name that is not registered; lists the known ones
    │   ├── SettingError                  a setting has an impossible value
    │   ├── ConflictError                 somebody else has changed it meanwhile; nothing was overwritten
    │   ├── LimitError                    more than the settings allow; names the setting
    │   └── MissingExtraError             an optional dependency is not installed
    ├── UnreachableError         exit 3   a file, folder or server cannot be reached
    │   ├── SourceMissingError            a source's file is not there or cannot be read
    │   └── StorageError                  something could not be written
    │       └── RevisionError             the store is of another version of the app, or cannot be brought to this one's
    ├── CancelledError           exit 1   somebody stopped the work; says how far it was
    └── NotReadyError            exit 3   the answer is being prepared; carries the progress

A message says what failed, which name and value, and what to do. It is fit for a user's eyes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final


class TftDashError(Exception):
    """Base of all errors of this package.

    :cvar exit_status: what a command exits with when this error ends it.
    """

    exit_status: int = 1


class DataError(TftDashError):
    """The data or the model is not acceptable."""


class TableError(DataError):
    """A table breaks the data contract so badly that it cannot be opened."""


class DocumentError(DataError):
    """A scenario document is invalid.

    :param source: where the document came from, for the first line.
    :param problems: one ``(path, message)`` for every mistake, in document order.
    """

    def __init__(self, source: str, problems: Sequence[tuple[str, str]]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{source}: {count} {'mistake' if count == 1 else 'mistakes'} in the scenario document."
        super().__init__("\n".join([head, *(f"  {path}: {message}" for path, message in self.problems)]))


class ModelRefusedError(DataError):
    """A model's folder is not what it says it is, or not for this program; nothing of it is used.

    :param path: the file or folder at fault.
    :param differs: what is wrong with it, as a sentence without its full stop.
    :param advice: what to do.
    """

    def __init__(self, path: object, differs: str, advice: str) -> None:
        super().__init__(f"The model in {shorten(str(path), 200)} is refused: {differs}. {advice}")


class ExpectationError(DataError):
    """A generated drill does not do what its document's ``expect`` section says."""


class UsageError(TftDashError):
    """The caller asked for something that cannot be."""

    exit_status = 2


class NotThereError(UsageError):
    """What was asked for is not there: an address, a tick."""


NAMES_LISTED: Final = 12
"""So many known names stand in a message."""


class UnknownNameError(NotThereError):
    """A name that nothing is registered under.

    :param kind: what was looked for, e.g. ``"risk model"``.
    :param name: the name that was asked for.
    :param known: the names there are.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = difflib.get_close_matches(name, self.known, n=1, cutoff=0.5)
        guess = f" Did you mean '{near[0]}'?" if near else ""
        more = len(self.known) - NAMES_LISTED
        listed = ", ".join(self.known[:NAMES_LISTED]) or "none"
        listed += f" and {more:,} more" if more > 0 else ""
        super().__init__(f"There is no {kind} '{shorten(name)}'.{guess} Known: {listed}.")


class SettingError(UsageError):
    """A setting has an impossible value."""


class ConflictError(UsageError):
    """Somebody else has changed what was to be saved; nothing was overwritten.

    :param version: the version that is in force now.
    """

    def __init__(self, message: str, version: int) -> None:
        self.version = version
        super().__init__(message)


class LimitError(UsageError):
    """More than the settings allow; the message names the setting."""


class MissingExtraError(UsageError):
    """An optional dependency is not installed.

    :param what: what was asked for.
    :param extra: the extra of this package that brings it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed. Run: pip install 'tft-dash[{extra}]'")


class UnreachableError(TftDashError):
    """A file, folder or server cannot be reached."""

    exit_status = 3


class SourceMissingError(UnreachableError):
    """A source's file is not there or cannot be read."""


class StorageError(UnreachableError):
    """Something could not be written: folder read-only, disk full, port taken."""


class RevisionError(StorageError):
    """The store is of another version of the app, or cannot be brought to this one's; it was left as it is."""


class CancelledError(TftDashError):
    """Somebody stopped the work.

    :param progress: share that was done, 0–1.
    """

    def __init__(self, message: str, progress: float) -> None:
        self.progress = progress
        super().__init__(message)


class NotReadyError(TftDashError):
    """The answer is being prepared in the background.

    :param what: what is being prepared, for a user's eyes.
    :param progress: share that is done, 0–1.
    """

    exit_status = 3

    def __init__(self, what: str, progress: float) -> None:
        self.what, self.progress = what, progress
        super().__init__(f"{what}: {progress:.0%} done. It continues by itself; ask again in a moment.")


def shorten(text: str, limit: int = 80) -> str:
    """``text`` fit for a message: printable, at most ``limit`` characters, cut in the middle."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in text)
    if len(clean) <= limit:
        return clean
    half = (limit - 1) // 2
    return f"{clean[:half]}…{clean[-half:]}"
