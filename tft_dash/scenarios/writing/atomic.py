"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tft_dash.errors import StorageError, shorten

ABANDONED_AFTER_SECONDS: Final = 3600.0
"""A file that is being written is touched all the time; one that was not for so long belongs to nobody."""

_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "the file would be larger than this system allows; make a smaller drill",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "you may not write there; choose another folder or change its permissions",
    errno.EPERM: "you may not write there; choose another folder or change its permissions",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
    errno.EEXIST: "there is a file of that name, not a folder; choose another folder",
    errno.EISDIR: "there is a folder where a file should go; rename it or choose another name",
    errno.ENOENT: "the folder cannot be made there; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


class FileSet:
    """Several files of one folder, written beside their places until :meth:`publish`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = contextlib.ExitStack()
        self._aside: dict[Path, Path] = {}

    def begin(self, name: str) -> BinaryIO:
        """A new file that will be called ``name``; removes what a killed process left of an earlier one."""
        for left in self._folder.glob(f".{name}.*.part"):
            with contextlib.suppress(FileNotFoundError):  # another process has just given it its name
                if time.time() - left.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                    left.unlink()
        aside = self._folder / f".{name}.{secrets.token_hex(6)}.part"
        file = self._open.enter_context(aside.open("xb"))
        self._aside[aside] = self._folder / name
        return file

    def write(self, name: str, text: str) -> None:
        """The whole file ``name`` as UTF-8."""
        self.begin(name).write(text.encode())

    def publish(self) -> None:
        """Give the files their names, in the order in which they were begun: the last may vouch for the others."""
        self._open.close()
        for aside, place in self._aside.items():
            aside.replace(place)

    def discard(self) -> None:
        """Let go of whatever has not got its name."""
        with contextlib.suppress(OSError):
            self._open.close()
        for aside in self._aside:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def file_set(folder: Path) -> Iterator[FileSet]:
    """Files that appear together in ``folder``, which is made if need be, when the body ends well; else none does.

    :raises StorageError: the folder cannot be made or written to, or the disk is full.
    """
    files = FileSet(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield files
        files.publish()
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or "the system refused")
        raise StorageError(f"Cannot write to the folder '{shorten(str(folder), 200)}': {advice}.") from error
    finally:
        files.discard()
