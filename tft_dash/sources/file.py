"""A recording in a file or folder: CSV or Parquet, told apart by content."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import UsageError
from tft_dash.frame import SourceDescription
from tft_dash.progress import Progress, silent
from tft_dash.schema import Batch
from tft_dash.sources.base import START
from tft_dash.sources.cubes.cube import Cube, no_sample
from tft_dash.sources.finite import FiniteSource, phase_spans, span_after
from tft_dash.sources.library import OpenRecording, open_recording


class FileSource:
    """Reads a recording through its cube, which the first use makes and every process shares.

    :param path: a CSV or Parquet file, or a folder of either; folders named ``column=value`` give that column.
    :param name: as it stands in URLs.
    :param cache_folder: where cubes are kept.
    :param step_seconds: time between ticks; by default as the recording declares it, else inferred.
    :raises UsageError: the step is not a positive number.

    Every method but :meth:`close` prepares the source first, and raises what :meth:`prepare` raises.
    """

    def __init__(self, path: Path, *, name: str, cache_folder: Path, step_seconds: float | None = None) -> None:
        if step_seconds is not None and not (math.isfinite(step_seconds) and step_seconds > 0):
            raise UsageError(f"The step of source '{name}' is {step_seconds} s; give a positive number of seconds.")
        self._path = Path(path)
        self._name = name
        self._cache = Path(cache_folder)
        self._step_seconds = step_seconds
        self._opened: tuple[Cube, FiniteSource] | None = None

    def prepare(self, progress: Progress = silent) -> None:
        """Make or open the cube.

        :raises SourceMissingError: nothing is at the path, or it may not be read.
        :raises TableError: what is there cannot be played; says why and what to do.
        :raises StorageError: the cache folder cannot be written.
        """
        self._open(progress)

    def describe(self) -> SourceDescription:
        """What the recording is."""
        return self._open()[1].description

    def read(self, after: int = START, limit: int = 1, *, labels: bool = False) -> Batch:
        """See :meth:`Source.read`; the arrays are read-only views of memory-mapped files."""
        return self._open()[1].read(after, limit, labels=labels)

    def sample_times(self, after: int = START, limit: int = 1) -> NDArray[np.datetime64]:
        """The samples' own times, UTC, (ticks, servers); NaT where a server has no sample at a tick.

        As exact as the recording has them, in its coarsest exact unit of ms, µs and ns.
        """
        cube, finite = self._open()
        first, stop = span_after(after, limit, cube.meta.ticks)
        unit = cube.meta.time_unit
        nominal = finite.description.start + _milliseconds(np.arange(first, stop), cube.meta.step_seconds)
        offsets = cube.times[first:stop]
        spans = offsets.astype(np.int64).view(f"timedelta64[{unit}]")
        times = nominal.astype(f"datetime64[{unit}]")[:, None] + spans
        return np.where(offsets == no_sample(offsets.dtype), np.array("NaT", times.dtype), times)

    def problem_children(self) -> tuple[bool, ...]:
        """(servers,) whether the script makes trouble on a server; empty without a script. A label, like phases."""
        return self._open()[0].meta.problem_children

    def close(self) -> None:
        """Let go of the files; the next use opens them again."""
        self._opened = None

    def _open(self, progress: Progress = silent) -> tuple[Cube, FiniteSource]:
        # No lock: two threads that come first both open the same cube, and its making is guarded between processes.
        opened = self._opened
        if opened is None:
            recording = open_recording(self._path, self._cache, step_seconds=self._step_seconds, progress=progress)
            opened = self._opened = (recording.cube, self._finite(recording))
        return opened

    def _finite(self, recording: OpenRecording) -> FiniteSource:
        cube, origin = recording.cube, recording.origin
        meta = cube.meta
        description = SourceDescription(
            name=self._name,
            kind="file",
            servers=meta.servers,
            profiles=meta.profiles,
            metrics=meta.metrics,
            step_seconds=meta.step_seconds,
            start=np.datetime64(meta.start_ms, "ms"),
            ticks=meta.ticks,
            phases=phase_spans(cube.phases, meta.phases),
            tick_wall_seconds=origin.tick_wall_seconds,
            simulated=origin.simulated or meta.labelled,
            title=origin.title or self._path.stem or self._name,
            notices=recording.notices,
            digest=recording.key,
        )
        return FiniteSource(description, cube.metrics, cube.states, cube.phases, meta.phases)


def _milliseconds(ticks: NDArray[np.int64], step_seconds: float) -> NDArray[np.timedelta64]:
    """Time since tick 0, as ``SourceDescription.time_of`` counts it."""
    return np.rint(ticks * step_seconds * 1000).astype("timedelta64[ms]")
