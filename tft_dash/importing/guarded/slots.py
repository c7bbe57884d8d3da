"""How many uploads are read at a time, whichever worker began it: the others wait."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

PLACES: Final[Mapping[str, int]] = {"admit": 2, "preview": 4}
"""Task → how many of it are done at a time in a portal."""
_LOOK_SECONDS: Final = 0.1


@contextlib.contextmanager
def slot(uploads: Path, task: str, is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """Hold one of the places of ``task``; waits until one is free, or nobody wants it any more.

    A place is the lock on a file, which a process that dies lets go of.
    """
    folder = uploads / ".incoming"
    while not is_cancelled():
        for number in range(PLACES[task]):
            descriptor = os.open(folder / f".{task}-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                continue
            try:
                yield
            finally:
                os.close(descriptor)
            return
        time.sleep(_LOOK_SECONDS)
    yield
