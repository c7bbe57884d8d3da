"""Where commands that take long put what they make: refused before the work where it could not be written."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tft_dash import files
from tft_dash.errors import StorageError, UsageError, shorten


@contextlib.contextmanager
def work_folder(scheduler: str | None, output: Path | None) -> Iterator[Path]:
    """A folder for histories and answers, removed afterwards; beside the output where a cluster must see it too."""
    place = output.resolve().parent if scheduler is not None and output is not None else None
    try:
        folder = tempfile.TemporaryDirectory(prefix=".tft-dash-evaluate-", dir=place)
    except OSError as error:
        raise StorageError(f"No folder can be made for the work: {error.strerror}. Set TMPDIR to another.") from error
    with folder as path:
        yield Path(path)


def demand_free(output: Path) -> None:
    """Refuse a folder that is there, or that could not be written.

    :raises UsageError: it holds something.
    :raises StorageError: nothing may be written there.
    """
    folder = output.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--output {shorten(str(output), 200)} is there already. Name another, or remove it.")
    above = next(path for path in folder.parents if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise StorageError(
            f"--output {shorten(str(output), 200)} cannot be written: {shorten(str(above), 200)} is no folder that "
            "you may write to. Name another."
        )


def demand_writable(output: Path) -> None:
    """Refuse a file that could not be written.

    :raises StorageError: its folder is not there, or may not be written to.
    """
    if output.is_dir() or not output.resolve().parent.is_dir() or not os.access(output.resolve().parent, os.W_OK):
        raise StorageError(f"--output {shorten(str(output), 200)} cannot be written. Name a file in a folder that can.")


def write_whole(path: Path, content: str) -> None:
    """Write a file whole or not at all.

    :raises StorageError: it cannot be written.
    """
    try:
        files.write_whole(path, content + "\n")
    except OSError as error:
        raise StorageError(f"--output {shorten(str(path), 200)} cannot be written: {error.strerror}.") from error
