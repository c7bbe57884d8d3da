"""What identifies a recording: the SHA-256 of its files' bytes, remembered so that a warm start does not read them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tft_dash.errors import SourceMissingError, shorten

_CHUNK: Final = 4 << 20
_SETTLED_NS: Final = 2_000_000_000
"""A file that changed less than this ago may change again without its time telling."""


def file_digest(path: Path, remembered: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> str:
    """SHA-256 of the file at ``path``.

    :param remembered: folder of digests by path, size, time and inode; a damaged or missing entry is made again.
    :param on_bytes: told how many bytes were read.
    :raises SourceMissingError: the file cannot be read, or changes while it is read.
    """
    path = path.absolute()
    entry = _entry(path, remembered)
    stamp = _stamp(path)
    known = _recall(entry, stamp)
    if known is not None:
        return known
    digest = _hash(path, on_bytes)
    if _stamp(path) != stamp:
        raise SourceMissingError(f"{shorten(str(path))} changed while it was read. Try again when it is complete.")
    if time.time_ns() - stamp[1] > _SETTLED_NS:
        _remember(entry, stamp, digest)
    return digest


def known_digest(path: Path, remembered: Path) -> str | None:
    """What :func:`file_digest` would say, if it is remembered; reads no file through.

    :raises SourceMissingError: the file cannot be read.
    """
    path = path.absolute()
    return _recall(_entry(path, remembered), _stamp(path))


def _entry(path: Path, remembered: Path) -> Path:
    return remembered / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json"


def _stamp(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceMissingError(f"{shorten(str(path))} cannot be read: {reason}. Check the path.") from error
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _hash(path: Path, on_bytes: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                on_bytes(len(chunk))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceMissingError(f"{shorten(str(path))} cannot be read: {reason}. Check its permissions.") from error
    return digest.hexdigest()


def _recall(entry: Path, stamp: list[int]) -> str | None:
    try:
        found = json.loads(entry.read_text("utf-8"))
        digest = found["digest"]
        return str(digest) if found["stamp"] == stamp and len(digest) == 64 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(entry: Path, stamp: list[int], digest: str) -> None:
    # Only a short cut: where it cannot be written, the file is read again next time.
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        partial = entry.with_suffix(f".{os.getpid()}-{threading.get_ident()}.partial")
        partial.write_text(json.dumps({"stamp": stamp, "digest": digest}), "utf-8")
        partial.replace(entry)
