"""How much room inspections take in the cache: the one that nobody has asked for longest goes first."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Final

LIMIT_BYTES: Final = 20 * 10**9
"""Of all inspections together, their orders and filtered views included."""
IN_USE_SECONDS: Final = 3_600
"""What was asked for so recently stays, whatever it takes."""
MADE_FROM: Final = "made-from"
"""Names the path that a folder was made from; its time tells when the folder was last used."""
_NOTED_SECONDS: Final = 60


def note_use(folder: Path) -> None:
    """Somebody asks for what lies in ``folder``."""
    with contextlib.suppress(OSError):  # only a time: a cache that cannot be written is told of elsewhere
        if time.time() - (folder / MADE_FROM).stat().st_mtime > _NOTED_SECONDS:
            os.utime(folder / MADE_FROM)


def keep_within(parent: Path, limit_bytes: int = LIMIT_BYTES) -> None:
    """Remove the inspections in ``parent`` that were used longest ago until the others take ``limit_bytes``."""
    found = sorted((used, folder) for folder in parent.iterdir() if (used := _last_use(folder)) is not None)
    sizes = {folder: _size(folder) for _, folder in found}
    total = sum(sizes.values())
    for used, folder in found:
        if total <= limit_bytes or time.time() - used < IN_USE_SECONDS:
            return
        remove_inspection(folder)
        total -= sizes[folder]


def remove_inspection(folder: Path) -> None:
    """Remove the folder and what lies beside it under its name; who has it mapped keeps it until it lets go."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in folder.parent.glob(f"{folder.name}.*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def _last_use(folder: Path) -> float | None:
    """None = it is no finished inspection."""
    try:
        return None if "." in folder.name else (folder / MADE_FROM).stat().st_mtime
    except OSError:
        return None


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # another process may be removing it
            total += path.stat().st_size if path.is_file() else 0
    return total
