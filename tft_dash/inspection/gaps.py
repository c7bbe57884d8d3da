"""When which server was silent, told twice, or offline: a map of servers × spans of time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.inspection.stored.whole import write_whole
from tft_dash.schema import OFFLINE
from tft_dash.sources.cubes.cube import Cube, no_sample

SERVERS_SHOWN: Final = 1_000
_CELLS_PER_CHUNK: Final = 1 << 20

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GapMap:
    """Counts of samples by server and span of time.

    :param servers: those shown, in the recording's order; the worst :data:`SERVERS_SHOWN` first where there are more.
    :param start: of the first bucket, UTC.
    :param expected: (buckets,) samples of a server that is there all the time.
    :param present: (servers, buckets) ticks with a sample.
    :param missing: (servers, buckets) ticks without one between the server's first and last sample.
    :param duplicate: (servers, buckets) rows that gave way to another one of their tick.
    :param offline: (servers, buckets) ticks in the state offline.
    :param first_tick: (buckets,) the tick that a bucket begins with.
    """

    servers: tuple[str, ...]
    total_servers: int
    start: np.datetime64
    bucket_seconds: float
    expected: IntArray
    present: IntArray
    missing: IntArray
    duplicate: IntArray
    offline: IntArray
    first_tick: IntArray

    def as_dict(self) -> dict[str, Any]:
        """Plain values and arrays for JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "start": f"{self.start.astype('datetime64[ms]')}Z"}


def read_gaps(cube: Cube) -> GapMap:
    """The map of a recording."""
    meta = cube.meta
    firsts = np.arange(0, meta.ticks, meta.bucket_ticks, dtype=np.int64)
    present, offline, first, last = _count(cube, len(firsts))
    within = _within(firsts, meta.bucket_ticks, first, last)
    rows = cube.samples[: len(firsts)].astype(np.int64)
    # A last sample that was pushed past the grid may lie in a bucket of its own.
    rows[-1] += cube.samples[len(firsts) :].sum(axis=0, dtype=np.int64)
    missing = within - present
    duplicate = np.maximum(rows - present, 0)
    shown = _shown(missing + duplicate + offline)
    return GapMap(
        servers=tuple(meta.servers[place] for place in shown),
        total_servers=len(meta.servers),
        start=np.datetime64(meta.start_ms, "ms"),
        bucket_seconds=meta.bucket_ticks * meta.step_seconds,
        expected=np.minimum(meta.bucket_ticks, meta.ticks - firsts),
        present=np.ascontiguousarray(present.T[shown]),
        missing=np.ascontiguousarray(missing.T[shown]),
        duplicate=np.ascontiguousarray(duplicate.T[shown]),
        offline=np.ascontiguousarray(offline.T[shown]),
        first_tick=firsts,
    )


def _count(cube: Cube, buckets: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """(buckets, servers) present and offline ticks, and every server's first and last tick."""
    servers, size = len(cube.meta.servers), cube.meta.bucket_ticks
    nothing = no_sample(cube.times.dtype)
    present, offline = np.zeros((buckets, servers), np.int64), np.zeros((buckets, servers), np.int64)
    first, last = np.full(servers, cube.meta.ticks), np.full(servers, -1)
    for bucket in range(buckets):
        for span in _spans(bucket * size, min((bucket + 1) * size, cube.meta.ticks), servers):
            there = cube.times[span] != nothing
            present[bucket] += np.count_nonzero(there, axis=0)
            offline[bucket] += np.count_nonzero((cube.states[span] == OFFLINE) & there, axis=0)
            seen = there.any(axis=0)
            first = np.where(seen, np.minimum(first, span.start + there.argmax(axis=0)), first)
            last = np.where(seen, span.stop - 1 - there[::-1].argmax(axis=0), last)
    return present, offline, first, last


def _spans(first: int, stop: int, servers: int) -> Iterator[slice]:
    size = max(1, _CELLS_PER_CHUNK // max(1, servers))
    return (slice(begin, min(begin + size, stop)) for begin in range(first, stop, size))


def _within(firsts: IntArray, size: int, first: IntArray, last: IntArray) -> IntArray:
    """(buckets, servers) how many of a bucket's ticks lie between a server's first and last sample."""
    begin = np.maximum(firsts[:, None], first)
    end = np.minimum(firsts[:, None] + size - 1, last)
    return np.maximum(end - begin + 1, 0)


def _shown(trouble: IntArray) -> IntArray:
    """The servers shown, by place; ``trouble`` is (buckets, servers)."""
    count = trouble.shape[1]
    if count <= SERVERS_SHOWN:
        return np.arange(count)
    return np.argsort(-trouble.sum(axis=0), kind="stable")[:SERVERS_SHOWN]


def save_gaps(gaps: GapMap, path: Path) -> None:
    """Into the file at ``path``.

    :raises OSError: it cannot be written.
    """
    arrays: dict[str, Any] = {name: getattr(gaps, name) for name in GapMap.__slots__}
    arrays["servers"] = np.array(gaps.servers)
    write_whole(path, lambda file: np.savez(file, **arrays))


def load_gaps(path: Path) -> GapMap | None:
    """What :func:`save_gaps` wrote; None when it is not there, or damaged."""
    try:
        with np.load(path) as found:
            plain = {name: found[name] for name in GapMap.__slots__}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return GapMap(
        **{
            **plain,
            "servers": tuple(plain["servers"].tolist()),
            "total_servers": int(plain["total_servers"]),
            "start": plain["start"][()],
            "bucket_seconds": float(plain["bucket_seconds"]),
        }
    )
