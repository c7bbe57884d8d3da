"""A recording as a folder of memory-mapped arrays: one file for every metric, ticks × servers.

::

    <key>/
      meta.json      servers, profiles, start, step, phases, notices, all findings, and every file's size and checksum
      cpu_pct.npy …  (ticks, servers) float32, NaN = missing; only metrics with at least one value
      state.npy      (ticks, servers) int8 codes
      time.npy       (ticks, servers) a sample's own time minus its tick's, in ``time_unit``; lowest number = no sample
      phase.npy      (ticks,) int16 index into the phases' names, -1 = none
      samples.npy    (buckets, servers) uint32: how many rows the recording has, repeated ones included

The files may hold a further, empty tick, which is not part of the recording.
"""

from __future__ import annotations

import json
import mmap
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tft_dash.schema import CodeArray, FloatArray
from tft_dash.sources.findings import Finding

VERSION: Final = 4
"""Part of every cube's key: raise it when the layout, the alignment or the judging of values changes."""

META_FILE: Final = "meta.json"
STATE_FILE: Final = "state"
TIME_FILE: Final = "time"
PHASE_FILE: Final = "phase"
SAMPLES_FILE: Final = "samples"
_CHUNK: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class CubeMeta:
    """What stands in ``meta.json``.

    :param start_ms: time of tick 0, milliseconds since 1970 in UTC.
    :param problem_children: (servers,) whether the script makes trouble on a server; empty without labels.
    :param labelled: whether the recording has a script.
    :param samples: how many cells hold a sample.
    :param jitter_seconds: mean distance of a sample from its server's rhythm.
    :param bucket_ticks: how many ticks a row of ``samples.npy`` stands for.
    :param made_from: the path that it was made from.
    """

    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    metrics: tuple[str, ...]
    start_ms: int
    step_seconds: float
    ticks: int
    time_unit: str
    phases: tuple[str, ...]
    problem_children: tuple[bool, ...]
    labelled: bool
    notices: tuple[str, ...]
    rows: int
    samples: int
    jitter_seconds: float
    bucket_ticks: int
    made_from: str


@dataclass(frozen=True, slots=True)
class Cube:
    """The arrays of a recording, memory-mapped and read-only; shapes as in the module's docstring.

    :param found: everything that was found while it was made, worst first.
    """

    meta: CubeMeta
    metrics: Mapping[str, FloatArray]
    states: CodeArray
    times: NDArray[np.signedinteger[Any]]
    phases: NDArray[np.int16]
    samples: NDArray[np.uint32]
    found: tuple[Finding, ...]


def no_sample(kind: DTypeLike) -> int:
    """What stands in ``time.npy`` where a server has no sample at a tick."""
    return int(np.iinfo(np.dtype(kind)).min)


def create_array(path: Path, kind: DTypeLike, shape: tuple[int, ...], fill: float) -> NDArray[Any]:
    """A new ``.npy`` file full of ``fill``, mapped for writing.

    Its bytes are written before they are mapped: a full disk is then an ``OSError`` here rather than a deadly signal
    at some later assignment.
    """
    dtype = np.dtype(kind)
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    total = int(np.prod(shape))
    chunk = np.full(min(total, _CHUNK // dtype.itemsize), fill, dtype)
    with path.open("xb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, total, max(1, len(chunk))):
            file.write(chunk[: total - first].data)
    mapped: NDArray[Any] = np.load(path, mmap_mode="r+")
    return mapped


def release(array: NDArray[Any]) -> None:
    """Take the pages of a :func:`create_array`, or of a view of one, out of this process's memory.

    What was assigned is in the file, and is mapped again when it is touched.
    """
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and sys.platform == "linux":
        base.madvise(mmap.MADV_DONTNEED)


def write_meta(folder: Path, meta: CubeMeta, found: Sequence[Finding]) -> None:
    """Seal a finished cube: nothing in it may change afterwards."""
    seals = {path.name: {**_stamp(path), "crc32": _checksum(path)} for path in sorted(folder.glob("*.npy"))}
    listed = [finding.as_dict() for finding in found]
    document = {"version": VERSION, "cube": asdict(meta), "files": seals, "found": listed}
    (folder / META_FILE).write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def open_cube(folder: Path) -> Cube | None:
    """The cube in ``folder``; None when there is none, or it is damaged or of another version."""
    try:
        document = json.loads((folder / META_FILE).read_text("utf-8"))
        if document["version"] != VERSION or not _sealed(folder, document["files"]):
            return None
        meta = _meta(document["cube"])
        metrics = {name: _mapped(folder, name) for name in meta.metrics}
        arrays = {name: _mapped(folder, name) for name in (STATE_FILE, TIME_FILE, PHASE_FILE)}
        samples = _mapped(folder, SAMPLES_FILE)
        found = tuple(Finding.from_dict(plain) for plain in document["found"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if len(samples) * meta.bucket_ticks < meta.ticks or samples.shape[1:] != (len(meta.servers),):
        return None
    grids = (*metrics.values(), arrays[STATE_FILE], arrays[TIME_FILE])
    if any(len(values) < meta.ticks for values in (*grids, arrays[PHASE_FILE])):
        return None
    if any(values.shape[1:] != (len(meta.servers),) for values in grids):
        return None
    cut = {name: values[: meta.ticks] for name, values in {**metrics, **arrays}.items()}
    metrics = {name: cut[name] for name in meta.metrics}
    return Cube(meta, metrics, cut[STATE_FILE], cut[TIME_FILE], cut[PHASE_FILE], samples, found)


def made_from(folder: Path) -> str | None:
    """The path that the cube in ``folder`` was made from; None when it does not say."""
    try:
        path = json.loads((folder / META_FILE).read_text("utf-8"))["cube"]["made_from"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if isinstance(path, str) else None


def _meta(plain: Mapping[str, Any]) -> CubeMeta:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    return CubeMeta(**values)


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    # A plain array over the map: slices of a memmap cost ten times as much.
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))


def _sealed(folder: Path, seals: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether every file is as it was written; its bytes are read only when its time says that it was touched."""
    for name, seal in seals.items():
        path = folder / name
        stamp = _stamp(path)
        if stamp["size"] != seal["size"]:
            return False
        if stamp["mtime_ns"] != seal["mtime_ns"] and _checksum(path) != seal["crc32"]:
            return False
    return True


def _stamp(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _checksum(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            value = zlib.crc32(chunk, value)
    return value
