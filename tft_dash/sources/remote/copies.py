"""Copies of what lies in object stores: whole or not there, bounded by size, the one unused longest goes first.

::

    <cache>/objects/<key>/                 the key stands for the address and the endpoint
      state.json                           what was found when it was last looked at, see mirror.py
      versions/<version>/<name>            a copy; the version stands for names, sizes, times and etags
      versions/<version>/.copied.json      what it holds
      versions/<version>.held              locked by every process that reads the copy; its time tells the last use
    <cache>/objects/room.lock              held while room is made

All of it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.artefacts import exclusive
from tft_dash.errors import LimitError, StorageError, shorten
from tft_dash.sources.cubes.cube import made_from
from tft_dash.sources.remote.objects import Look

ABOUT: Final = ".copied.json"
_GB: Final = 10**9
_SPARE_BYTES: Final = 64 << 20
"""Is left free on the disk."""


@dataclass(frozen=True, slots=True)
class _Copy:
    folder: Path
    bytes: int
    used: float


class Hold:
    """Keeps a copy from being removed while this process, or one that it began, reads it."""

    def __init__(self, folder: Path) -> None:
        path = _held(folder)
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        with contextlib.suppress(OSError):  # only a time
            os.utime(path)

    def release(self) -> None:
        """Let go of it. Doing so twice is fine."""
        if self._descriptor is not None:
            # By name: a process that was forked meanwhile has a copy of the descriptor, and would keep the lock.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None


def write_about(folder: Path, found: Look) -> None:
    """Write down what the copy in ``folder`` holds, or will hold."""
    (folder / ABOUT).write_text(json.dumps(found.as_dict()), "utf-8")


def read_about(folder: Path) -> Look | None:
    """What the copy in ``folder`` holds; None = it does not say."""
    try:
        return Look.from_dict(json.loads((folder / ABOUT).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_whole(folder: Path) -> bool:
    """Whether the copy is there with every byte; somebody may have deleted a part of the cache."""
    found = read_about(folder)
    try:
        return found is not None and all((folder / one.name).stat().st_size == one.size for one in found.objects)
    except OSError:
        return False


def make_room(objects: Path, needed: int, limit: int, what: str, claim: Callable[[], None] = lambda: None) -> None:
    """Remove copies that nobody reads, those used longest ago first, until ``needed`` bytes fit.

    :param objects: the folder of all copies.
    :param limit: of all copies together, in bytes.
    :param what: the address, for messages.
    :param claim: writes down that they are taken; called before another process may count.
    :raises LimitError: they do not fit.
    :raises StorageError: the disk has no room for them.
    """
    advice = "Raise TFT_DASH_OBJECT_CACHE_GB, or name a smaller recording"
    if needed > limit:
        raise LimitError(
            f"{shorten(what, 200)} has {needed / _GB:,.2f} GB, more than the {limit / _GB:,.2f} GB that copies from "
            f"object stores may take. {advice}."
        )
    objects.mkdir(parents=True, exist_ok=True)
    with exclusive(objects / "room.lock"):
        found = sorted(_copies(objects), key=lambda one: one.used)
        total = sum(one.bytes for one in found) + _under_way(objects)
        for one in found:
            if total + needed <= limit:
                break
            if remove_copy(one.folder):
                total -= one.bytes
        if total + needed <= limit:
            claim()
    if total + needed > limit:
        raise LimitError(
            f"{shorten(what, 200)} has {needed / _GB:,.2f} GB, and the {limit / _GB:,.2f} GB that copies from object "
            f"stores may take are in use. {advice}, or serve fewer."
        )
    free = shutil.disk_usage(objects).free
    if needed + _SPARE_BYTES > free:
        raise StorageError(
            f"{shorten(what, 200)} has {needed / _GB:,.2f} GB, and {free / _GB:,.2f} GB are free in the cache "
            f"{shorten(str(objects.parent))}. Free some space, or point TFT_DASH_CACHE to another folder."
        )


def remove_copy(folder: Path) -> bool:
    """Remove a copy with the cubes that were made from it, unless somebody reads it; tells whether it went."""
    held = _held(folder)
    try:
        descriptor = os.open(held, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        going = folder.with_name(f"{folder.name}.partial-removed")
        shutil.rmtree(going, ignore_errors=True)
        folder.rename(going)
        shutil.rmtree(going, ignore_errors=True)
        held.unlink(missing_ok=True)
        folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)
        _remove_cubes(folder)
    except OSError:  # somebody reads it, or another process removes it
        return False
    finally:
        os.close(descriptor)
    return True


def remove_others(folder: Path) -> None:
    """Remove the copies of earlier contents of the same address that nobody reads."""
    for left in folder.parent.glob("*.partial-*"):  # its maker was killed: who copies holds the lock that we hold
        shutil.rmtree(left, ignore_errors=True)
    for other in _whole_folders(folder.parent):
        if other != folder:
            remove_copy(other)


def _remove_cubes(folder: Path) -> None:
    """Cubes know the path that they were made from; who has one mapped keeps it until it lets go."""
    cache = folder.parents[3]
    cubes = cache / "cubes"
    for cube in cubes.iterdir() if cubes.is_dir() else ():
        source = made_from(cube)
        if source is not None and Path(source).is_relative_to(folder):
            shutil.rmtree(cube, ignore_errors=True)


def _copies(objects: Path) -> Iterator[_Copy]:
    for versions in objects.glob("*/versions"):
        for folder in _whole_folders(versions):
            yield _Copy(folder, _bytes(folder), _used(folder))


def _whole_folders(versions: Path) -> list[Path]:
    return [folder for folder in versions.iterdir() if folder.is_dir() and "." not in folder.name]


def _under_way(objects: Path) -> int:
    """What copies that are being made will take."""
    return sum(_bytes(folder) for folder in objects.glob("*/versions/*.partial-*"))


def _bytes(folder: Path) -> int:
    found = read_about(folder)
    return 0 if found is None else sum(one.size for one in found.objects)


def _used(folder: Path) -> float:
    for path in (_held(folder), folder):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _held(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.held")
