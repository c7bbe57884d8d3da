"""What lies at an address of an object store: looked at, and copied piece by piece. Runs in a process of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pyarrow import fs

from tft_dash.errors import DataError, SourceMissingError, UnreachableError, shorten
from tft_dash.sources.remote.address import possible_name

TABLE_ENDINGS: Final = (".csv", ".parquet", ".pq", ".csv.gz")
SIDE_FILES: Final = ("_metadata.json", ".scenario.yaml")
"""What a generator writes beside a table, by what follows the table's stem."""
SIDE_FILE_BYTES: Final = 1 << 20
CHUNK: Final = 4 << 20
AT_ONCE: Final = 4
MOST_OBJECTS: Final = 10_000
RECENT_SECONDS: Final = 600.0
"""Stores tell times in whole seconds: an object that changed so lately is asked for its etag too."""
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """One object.

    :param name: relative to the copy's folder.
    :param key: as the file system names it.
    :param mtime: seconds since 1970; 0 = the store does not tell.
    :param etag: "" = not asked for, or the store has none.
    """

    name: str
    key: str
    size: int
    mtime: float
    etag: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def same(self, other: Seen) -> bool:
        """Whether nothing tells that the object has changed."""
        etags = not self.etag or not other.etag or self.etag == other.etag
        return (self.name, self.size, self.mtime) == (other.name, other.size, other.mtime) and etags


@dataclass(frozen=True, slots=True)
class Look:
    """What lies at an address.

    :param folder: whether it is a prefix; the copy is a folder then.
    :param left_out: keys that cannot be the name of a file here.
    """

    folder: bool
    objects: tuple[Seen, ...]
    left_out: tuple[str, ...] = ()

    def same(self, other: Look) -> bool:
        """Whether nothing tells that something has changed."""
        pairs = zip(self.objects, other.objects, strict=False)
        alike = self.folder == other.folder and len(self.objects) == len(other.objects)
        return alike and all(one.same(two) for one, two in pairs)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        objects = [one.as_dict() for one in self.objects]
        return {"folder": self.folder, "objects": objects, "left_out": list(self.left_out)}

    @classmethod
    def from_dict(cls, plain: Any) -> Look:  # noqa: ANN401 - what JSON holds
        """The look that :meth:`as_dict` wrote."""
        return cls(plain["folder"], tuple(Seen(**one) for one in plain["objects"]), tuple(plain["left_out"]))


def look(files: fs.FileSystem, path: str, what: str) -> Look:
    """What lies at ``path``, without reading it.

    :param what: the address, for messages.
    :raises SourceMissingError: nothing is there.
    :raises DataError: nothing there can be a table.
    """
    if path and not path.endswith("/"):
        info = files.get_file_info(path)
        if info.type == fs.FileType.File:
            return _single(files, info, what)
    return _prefix(files, path.rstrip("/"), what)


def copy(files: fs.FileSystem, found: Look, folder: Path, on_bytes: Callable[[int], None], what: str) -> Look:
    """Copy everything that was found into ``folder``; gives what was copied, with its etags.

    :param on_bytes: told how many more bytes have arrived, by any thread.
    :raises SourceMissingError: an object went meanwhile.
    :raises UnreachableError: an object keeps changing while it is copied.
    """
    root = folder.resolve()
    for one in found.objects:
        target = (root / one.name).resolve()
        if not target.is_relative_to(root):  # every name was looked at before; this one must never go wrong
            raise DataError(f"{shorten(what)} holds the key {shorten(one.key)}, which leads out of its folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(found.objects)))) as pool:
        copied = tuple(pool.map(lambda one: _copy_one(files, one, root / one.name, on_bytes), found.objects))
    return replace(found, objects=copied)


def _single(files: fs.FileSystem, info: fs.FileInfo, what: str) -> Look:
    key = info.path
    name = key.rpartition("/")[2]
    if not possible_name(name):
        raise DataError(f"The last part of {shorten(what)} cannot be a file's name. Copy the object to another key.")
    found = _seen(files, info, name, ask=True)
    base = key.removesuffix(name)
    stem = PurePosixPath(name).stem
    listed = files.get_file_info([f"{base}{stem}{ending}" for ending in SIDE_FILES])
    small = [one for one in listed if one.type == fs.FileType.File and (one.size or 0) <= SIDE_FILE_BYTES]
    beside = (_seen(files, one, one.path.rpartition("/")[2], ask=_recent(one)) for one in small)
    return Look(folder=False, objects=(found, *beside))


def _prefix(files: fs.FileSystem, path: str, what: str) -> Look:
    selector = fs.FileSelector(path, recursive=True, allow_not_found=True)
    listed = [info for info in files.get_file_info(selector) if info.type == fs.FileType.File]
    if not listed:
        raise SourceMissingError(f"There is no object at {shorten(what, 200)}, nor any below it. Check the address.")
    tables = [info for info in listed if _is_table(info.path.removeprefix(path).strip("/"))]
    if not tables:
        raise DataError(
            f"No object below {shorten(what, 200)} is a table ({len(listed):,} found): their names end in none of "
            f"{', '.join(TABLE_ENDINGS)}."
        )
    if len(tables) > MOST_OBJECTS:
        raise DataError(
            f"{len(tables):,} tables lie below {shorten(what, 200)}; at most {MOST_OBJECTS:,} make a recording. "
            "Give a prefix further down."
        )
    named = [(_relative(info.path, path), info) for info in sorted(tables, key=lambda info: info.path)]
    good = list(_without_clashes([(name, info) for name, info in named if name is not None]))
    kept = {info.path for _, info in good}
    objects = tuple(_seen(files, info, name, ask=len(good) == 1 or _recent(info)) for name, info in good)
    if not objects:
        raise DataError(f"No key below {shorten(what, 200)} can be the name of a file here. Rename the objects.")
    return Look(folder=True, objects=objects, left_out=tuple(info.path for info in tables if info.path not in kept))


def _is_table(name: str) -> bool:
    """Whether an object is copied; as in a folder, what begins with a dot, or lies in such a folder, is not."""
    parts = name.split("/")
    plain = not any(part.startswith((".", "_")) for part in parts[:-1] if part not in (".", ".."))
    return plain and not parts[-1].startswith(".") and name.lower().endswith(TABLE_ENDINGS)


def _relative(key: str, prefix: str) -> str | None:
    """The name of an object below ``prefix``; None = no file can have it."""
    name = key[len(prefix) :].removeprefix("/") if prefix else key
    return name if all(possible_name(part) for part in name.split("/")) else None


def _without_clashes(named: Sequence[tuple[str, fs.FileInfo]]) -> Iterator[tuple[str, fs.FileInfo]]:
    """Without those that are a folder for another: a store may hold ``a.csv`` and ``a.csv/b.csv``."""
    folders = {str(parent) for name, _ in named for parent in PurePosixPath(name).parents}
    return ((name, info) for name, info in named if name not in folders)


def _recent(info: fs.FileInfo) -> bool:
    return time.time() - _mtime(info) < RECENT_SECONDS


def _mtime(info: fs.FileInfo) -> float:
    return 0.0 if info.mtime_ns is None else info.mtime_ns / 1e9


def _seen(files: fs.FileSystem, info: fs.FileInfo, name: str, *, ask: bool) -> Seen:
    etag = ""
    if ask:
        with files.open_input_file(info.path) as opened:
            etag = _etag(opened)
    return Seen(name, info.path, info.size or 0, _mtime(info), etag)


def _etag(opened: Any) -> str:  # noqa: ANN401 - a file of pyarrow
    told: dict[str, bytes] = {}
    with contextlib.suppress(NotImplementedError, AttributeError):  # not every file system has any
        told = opened.metadata() or {}
    found = {key.lower(): value for key, value in told.items()}
    return found.get("etag", b"").decode("utf-8", "replace")


def _copy_one(files: fs.FileSystem, one: Seen, target: Path, on_bytes: Callable[[int], None]) -> Seen:
    """Copied whole, and the same before and after: a store gives the parts of what is there at the moment."""
    for _ in range(_TRIES):
        before = _now(files, one)
        arrived = 0
        with files.open_input_file(before.key) as source, target.open("wb") as file:
            etag = _etag(source)
            while arrived <= before.size and (chunk := source.read(CHUNK)):
                file.write(chunk)
                arrived += len(chunk)
                on_bytes(len(chunk))
        after = replace(_now(files, one), etag=_etag_at(files, one))
        if arrived == after.size and after.same(replace(before, etag=etag)):
            return after
        on_bytes(-arrived)
    raise UnreachableError(f"The object {shorten(one.key, 200)} keeps changing while it is copied. Try again later.")


def _now(files: fs.FileSystem, one: Seen) -> Seen:
    info = files.get_file_info(one.key)
    if info.type != fs.FileType.File:
        raise SourceMissingError(f"The object {shorten(one.key, 200)} went while it was copied. Try again.")
    return Seen(one.name, one.key, info.size or 0, _mtime(info))


def _etag_at(files: fs.FileSystem, one: Seen) -> str:
    with files.open_input_file(one.key) as opened:
        return _etag(opened)
