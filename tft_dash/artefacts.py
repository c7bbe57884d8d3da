"""Folders of derived files that are built once, by one process, and read by all.

A folder is complete or absent: it is built under another name and renamed. Whoever comes while it is built waits
and can read how far the builder is.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tft_dash.errors import StorageError
from tft_dash.progress import Progress, silent

Build = Callable[[Path, Progress], None]
"""Fills the empty folder that it is given."""


def build_once(folder: Path, build: Build, progress: Progress = silent) -> Path:
    """``folder``, built by ``build`` unless it is there.

    :raises StorageError: the cache folder is read-only or its disk is full.
    """
    if folder.is_dir():
        return folder
    with storage_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(f".{folder.name}.lock")):
            if not folder.is_dir():
                _build(folder, build, progress)
    return folder


def build_progress(folder: Path) -> float:
    """How far the process that builds ``folder`` is, 0–1; 0 when nobody has begun."""
    if folder.is_dir():
        return 1.0
    try:
        return float(_progress_file(folder).read_text())
    except (OSError, ValueError):
        return 0.0


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals below ``folder`` into a :class:`StorageError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"{folder} cannot be written: {reason}. Free space there, or name another folder "
            "(TFT_DASH_CACHE for derived files, TFT_DASH_DATA or --output-dir for drills)."
        ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(folder: Path, build: Build, progress: Progress) -> None:
    shared = _progress_file(folder)

    def report(share: float) -> None:
        with contextlib.suppress(OSError):
            shared.write_text(f"{share:.4f}")
        progress(share)

    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        build(work, report)
        work.chmod(0o755)
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shared.unlink(missing_ok=True)


def _progress_file(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.progress")
