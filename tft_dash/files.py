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
