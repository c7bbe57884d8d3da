"""Folders of derived files that are built once, by one process, and read by all.

::

    <folder>/              complete: it is built under another name and renamed
    <folder>.lock          held while it is built; whoever comes meanwhile waits
    <folder>.progress      how far the builder is
    <folder>.partial-…     what the builder has so far
    <folder>.cancelled     somebody has stopped its building, until it is allowed again; how far it was
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tft_dash.errors import CancelledError, StorageError, shorten
from tft_dash.progress import Progress, silent

_TOLD_STEP: Final = 0.005
"""A share is written down when it has grown by this: a file opened thousands of times would slow the work itself."""

Build = Callable[[Path, Progress], None]
"""Fills the empty folder that it is given."""


def build_once(
    folder: Path, build: Build, progress: Progress = silent, *, usable: Callable[[Path], bool] = Path.is_dir
) -> None:
    """Have ``build`` make ``folder``, unless it is there and usable.

    :param usable: whether a folder can be used as it is; one that cannot is replaced.
    :raises StorageError: the cache folder is read-only or its disk is full.
    """
    if usable(folder):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(_beside(folder, "lock")):
            if not usable(folder):  # another process may have made it while this one waited
                _build(folder, build, progress)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"The cache folder {shorten(str(folder.parent.parent))} cannot be written: {reason}. "
            "Free some space or mend its permissions, or point TFT_DASH_CACHE to another folder."
        ) from error


def build_progress(folder: Path) -> float:
    """How far the process that builds ``folder`` is, 0–1; 0 when nobody has begun, or whoever did was killed."""
    if folder.is_dir():
        return 1.0
    try:
        share = float(_beside(folder, "progress").read_text())
    except (OSError, ValueError):
        return 0.0
    return share if _held(_beside(folder, "lock")) else 0.0


def _held(path: Path) -> bool:
    """Whether somebody holds the lock file at ``path``."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def cancel_build(folder: Path) -> None:
    """Stop whoever builds ``folder`` with :func:`until_cancelled`, in any process, until :func:`allow_build`.

    :raises StorageError: the cache cannot be written.
    """
    share = build_progress(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _beside(folder, "cancelled").write_text(f"{share:.4f}")
    except OSError as error:
        raise StorageError(f"{shorten(str(folder.parent))} cannot be written: {error.strerror}.") from error


def allow_build(folder: Path) -> None:
    """Forget that the building of ``folder`` was cancelled."""
    with contextlib.suppress(OSError):
        _beside(folder, "cancelled").unlink(missing_ok=True)


def cancelled_at(folder: Path) -> float | None:
    """The share that was done when the building of ``folder`` was cancelled; None = it was not."""
    try:
        return float(_beside(folder, "cancelled").read_text() or 0)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return 0.0


def until_cancelled(folder: Path, what: str, progress: Progress = silent) -> Progress:
    """``progress`` that raises :class:`CancelledError` once the building of ``folder`` is cancelled.

    :param what: names the work in the message.
    """

    def report(share: float) -> None:
        done = cancelled_at(folder)
        if done is not None:
            raise CancelledError(f"{what} was stopped after {done:.0%}. Start it again to see the rest.", done)
        progress(share)

    return report


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``; waits for whoever holds it, another thread of this process included.

    A holder that dies lets go of it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Unlocked by name: a process forked meanwhile has a copy of the descriptor, and would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _build(folder: Path, build: Build, progress: Progress) -> None:
    _clear(folder)  # what a killed builder left behind
    partial = _beside(folder, f"partial-{os.getpid()}-{threading.get_ident()}")
    shared = _beside(folder, "progress")
    told = -1.0

    def report(share: float) -> None:
        nonlocal told
        if abs(share - told) >= _TOLD_STEP:
            told = share
            with contextlib.suppress(OSError):
                _write_share(shared, share)
        progress(share)

    try:
        partial.mkdir()
        build(partial, report)
        if folder.exists():
            folder.replace(_beside(folder, "partial-unusable"))
        partial.replace(folder)
    finally:
        shared.unlink(missing_ok=True)
        _clear(folder)


def _write_share(path: Path, share: float) -> None:
    """In place, always as many bytes: whoever reads meanwhile never finds the file empty."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(descriptor, f"{share:.4f}".encode(), 0)
    finally:
        os.close(descriptor)


def _clear(folder: Path) -> None:
    for left_behind in folder.parent.glob(f"{folder.name}.partial-*"):
        shutil.rmtree(left_behind, ignore_errors=True)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}.{what}")
