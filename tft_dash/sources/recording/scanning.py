"""Both passes over a recording: its tables become the arrays of a cube, and everything odd becomes a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import TableError, shorten
from tft_dash.progress import Progress
from tft_dash.schema import (
    INCIDENT_PHASE,
    METRIC_NAMES,
    NO_STATE,
    PROBLEM_CHILD,
    PROFILE,
    STATE,
    FloatArray,
    derive_states,
)
from tft_dash.sources.cubes.cube import PHASE_FILE, SAMPLES_FILE, CubeMeta, create_array
from tft_dash.sources.files.tables import Table
from tft_dash.sources.files.times import TimeReader
from tft_dash.sources.findings import Finding, Findings, shown_notices
from tft_dash.sources.recording.alignment import NS_PER_MS
from tft_dash.sources.recording.collisions import STATE_KEY
from tft_dash.sources.recording.fill import NS_PER_UNIT, Filler
from tft_dash.sources.recording.labels import Labels
from tft_dash.sources.recording.rhythm import Rhythm, RhythmReader, chunks
from tft_dash.sources.recording.scan import Scan
from tft_dash.sources.recording.survey import Survey, survey

_SURVEY_SHARE = 0.3
_FILL_SHARE = 0.6
_MOSTLY = 0.5
_BUCKETS = 200
_BUCKET_CELLS = 8_000_000


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan leaves behind, beside the arrays in its folder."""

    meta: CubeMeta
    found: tuple[Finding, ...]


class Crowd:
    """Counts the rows of every server by spans of ticks, those that repeat another included.

    :ivar bucket_ticks: how many ticks a span has.
    :ivar counts: (buckets, servers).
    """

    def __init__(self, ticks: int, servers: int) -> None:
        buckets = max(1, min(_BUCKETS, _BUCKET_CELLS // max(1, servers)))
        self.bucket_ticks = -(-ticks // buckets)
        self.counts = np.zeros((-(-ticks // self.bucket_ticks), servers), np.uint32)

    def add(self, ticks: NDArray[np.int64], servers: NDArray[np.int32]) -> None:
        """Rows by their ticks and servers."""
        if not len(ticks):
            return
        buckets = ticks // self.bucket_ticks
        # Few buckets at a time: a block of rows is mostly a short span of time.
        low, high = int(buckets.min()), int(buckets.max()) + 1
        size = self.counts.shape[1]
        cells = (buckets - low) * size + servers
        self.counts[low:high] += np.bincount(cells, minlength=(high - low) * size).reshape(-1, size).astype(np.uint32)


def scan_recording(
    tables: Sequence[Table],
    folder: Path,
    findings: Findings,
    *,
    step_seconds: float | None,
    path: Path,
    progress: Progress,
) -> Scanned:
    """Write the arrays of a cube into ``folder``, which is empty.

    :param step_seconds: the declared step; None = infer it.
    :param path: of the recording.
    :raises TableError: nothing is readable, or the samples make no sensible grid.
    :raises OSError: the folder cannot be written.
    """
    where = str(path)
    first = survey(tables, step_seconds, findings, where=where, progress=lambda share: progress(share * _SURVEY_SHARE))
    crowd = Crowd(first.grid.ticks + 1, len(first.servers))
    filler, labels = _fill(tables, first, folder, findings, crowd=crowd, progress=progress)
    rhythm = _rhythm(filler, first, findings)
    metrics = list(filler.metrics)
    kept = _finish_values(filler, rhythm, findings, servers=len(first.servers))
    if not kept:
        raise TableError(_nothing_readable(where, metrics, findings))
    for name in set(metrics) - set(kept):
        (folder / f"{name}.npy").unlink()
    codes, phases = labels.phases(filler.ticks)
    create_array(folder / f"{PHASE_FILE}.npy", np.int16, codes.shape, 0)[:] = codes
    create_array(folder / f"{SAMPLES_FILE}.npy", np.uint32, crowd.counts.shape, 0)[:] = crowd.counts
    profiles, children = labels.profiles(), labels.problem_children()
    found = findings.listed()
    meta = CubeMeta(
        servers=first.servers,
        profiles=profiles,
        metrics=tuple(kept),
        start_ms=first.grid.start // NS_PER_MS,
        step_seconds=first.grid.step_seconds,
        ticks=filler.ticks,
        time_unit=first.time_unit,
        phases=phases,
        problem_children=children,
        labelled=bool(phases),
        notices=shown_notices(found),
        rows=findings.rows,
        samples=rhythm.samples,
        jitter_seconds=rhythm.jitter_seconds,
        bucket_ticks=crowd.bucket_ticks,
        made_from=str(path.absolute()),
    )
    return Scanned(meta, found)


def _fill(
    tables: Sequence[Table], first: Survey, folder: Path, findings: Findings, *, crowd: Crowd, progress: Progress
) -> tuple[Filler, Labels]:
    """The second pass."""
    present = {name for table in tables for name in table.types}
    metrics = [name for name in METRIC_NAMES if name in present]
    filler = Filler(folder, first, metrics, [table.label for table in tables], findings)
    labels = Labels(first.grid.ticks + 1, len(first.servers), findings)
    # The rows themselves were judged by the first pass.
    scan = Scan(tables, first.names, TimeReader(), Findings())
    for block in scan.run([*metrics, STATE, PROFILE, INCIDENT_PHASE, PROBLEM_CHILD]):
        progress(_SURVEY_SHARE + _FILL_SHARE * block.done)
        ticks, servers = filler.add(block), first.places[block.rows.codes]
        crowd.add(ticks, servers)
        labels.add(block.rows, ticks, servers, block.columns)
    filler.finish()
    return filler, labels


def _rhythm(filler: Filler, first: Survey, findings: Findings) -> Rhythm:
    offsets = filler.offsets.reshape(-1, len(first.servers))[: filler.ticks]
    unit = NS_PER_UNIT[first.time_unit]
    reader = RhythmReader(first.grid, offsets, nothing=filler.nothing, unit=unit, servers=first.servers)
    return reader.read(findings)


def _finish_values(filler: Filler, rhythm: Rhythm, findings: Findings, *, servers: int) -> list[str]:
    """Derive the states that are missing; the metrics that have at least one value."""
    metrics = {name: filler.values[name].reshape(-1, servers) for name in filler.metrics}
    states = filler.values[STATE_KEY].reshape(-1, servers)
    held = dict.fromkeys(metrics, 0)
    for span in chunks(filler.ticks, servers):
        cut: Mapping[str, FloatArray] = {name: array[span] for name, array in metrics.items()}
        for name, values in cut.items():
            held[name] += values.size - int(np.count_nonzero(np.isnan(values)))
        _derive(states[span], cut)
        filler.release()
    for name, count in held.items():
        if not count:
            findings.note("empty-metric", name)
        elif count < rhythm.samples * _MOSTLY:
            findings.count("sparse-metric", rhythm.samples - count, column=name, of=rhythm.samples)
    return [name for name, count in held.items() if count]


def _derive(states: NDArray[np.int8], metrics: Mapping[str, FloatArray]) -> None:
    without = states == NO_STATE
    if without.any():
        states[without] = derive_states(metrics)[without]


def _nothing_readable(where: str, metrics: Sequence[str], findings: Findings) -> str:
    reasons = [
        f"{finding.sentence} {finding.advice}"
        for finding in findings.listed()
        if finding.column in metrics and finding.rule in ("text-in-number", "infinite-value", "out-of-range")
    ]
    listed = " ".join(reasons[:3]) or "Every value is missing."
    return f"{shorten(where)} has no readable value in any metric column ({', '.join(metrics)}). {listed}"
