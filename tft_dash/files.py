"""Small files that several processes share: written whole or not at all, and known again by their status."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

FileStatus = tuple[int, int, int, int]


def status_of(path: Path) -> FileStatus | None:
    """What changes when a file does; None = it is not there.

    The time of change is in it, too: a copy that keeps the time of its content shows in that alone.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def size_and_change(path: Path) -> tuple[int, float | None]:
    """Bytes, and the last change in seconds since 1970, of a file or of all files in a folder; None = it has none.

    :raises OSError: it is not there, or goes while it is looked at.
    """
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    found = [file.stat() for file in files]
    return sum(status.st_size for status in found), max((status.st_mtime for status in found), default=None)


def write_whole(path: Path, content: str) -> None:
    """Write a text file, which appears whole or not at all.

    :raises OSError: it cannot be written; nothing half-written is left.
    """
    work = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        work.write_text(content)
        work.replace(path)
    finally:
        with contextlib.suppress(OSError):
            work.unlink(missing_ok=True)
