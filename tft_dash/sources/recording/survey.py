"""The first pass over a recording: who is in it, from when to when, in which rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import TableError, shorten
from tft_dash.progress import Progress
from tft_dash.sources.files.tables import Table
from tft_dash.sources.files.times import NAIVE, NO_TIME, TimeReader
from tft_dash.sources.findings import Findings, Mark
from tft_dash.sources.recording.alignment import (
    DEFAULT_STEP_SECONDS,
    NS_PER_SECOND,
    Grid,
    SeriesSample,
    infer_step,
    make_grid,
)
from tft_dash.sources.recording.scan import GoodRows, NameReader, Scan

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Survey:
    """What the second pass builds on.

    :param servers: names in the cube's order: by first tick, then by appearance.
    :param places: (codes,) a name's number as the reader gives it → its place in ``servers``.
    :param time_unit: ``"ms"``, ``"us"`` or ``"ns"``: the coarsest in which every time is exact.
    :param in_order: whether every server's rows come in order of time.
    """

    servers: tuple[str, ...]
    places: NDArray[np.int32]
    grid: Grid
    names: NameReader
    time_unit: str
    in_order: bool


class _Extents:
    """First, last and previous time of every server, grown as servers appear."""

    def __init__(self) -> None:
        self.firsts = np.empty(0, np.int64)
        self.lasts = np.empty(0, np.int64)
        self._previous = np.empty(0, np.int64)

    def add(self, codes: NDArray[np.int32], times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Rows that are older than their server's row before."""
        self._grow(int(codes.max()) + 1 - len(self.firsts))
        np.minimum.at(self.firsts, codes, times)
        np.maximum.at(self.lasts, codes, times)
        order = np.argsort(codes, kind="stable")
        codes, times = codes[order], times[order]
        heads = np.concatenate([[True], codes[1:] != codes[:-1]])
        before = np.concatenate([[NO_TIME], times[:-1]])
        before[heads] = self._previous[codes[heads]]
        tails = np.concatenate([heads[1:], [True]])
        self._previous[codes[tails]] = times[tails]
        older = np.empty(len(order), bool)
        older[order] = times < before
        return older

    def _grow(self, more: int) -> None:
        if more > 0:
            self.firsts = np.concatenate([self.firsts, np.full(more, _NEVER)])
            self.lasts = np.concatenate([self.lasts, np.full(more, NO_TIME)])
            self._previous = np.concatenate([self._previous, np.full(more, NO_TIME)])


def survey(
    tables: Sequence[Table], step_seconds: float | None, findings: Findings, *, where: str, progress: Progress
) -> Survey:
    """Read the times and servers of all files.

    :param step_seconds: the declared step; None = infer it.
    :param where: names the recording in messages.
    :raises TableError: nothing is readable, or the samples make no sensible grid.
    """
    names, reader = NameReader(), TimeReader()
    scan = Scan(tables, names, reader, findings)
    extents, sample, unit, good, in_order = _Extents(), SeriesSample(), "ms", 0, True
    for block in scan.run():
        progress(block.done)
        if len(block.rows.times):
            older = extents.add(block.rows.codes, block.rows.times)
            in_order &= not older.any()
            Mark(findings, block.rows).mask("unsorted", older)
            sample.add(block.rows.codes, block.rows.times)
            unit = _finer(unit, block)
            good += len(block.rows.times)
    _demand_rows(where, good, findings)
    _note_times(reader, findings)
    step = _step(step_seconds, sample, findings)
    try:
        grid = make_grid(extents.firsts, extents.lasts, step, good)
    except TableError as error:
        raise TableError(f"{shorten(where)}: {error}") from error
    order = np.argsort(grid.bases, kind="stable")
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    ordered = Grid(grid.start, grid.step, grid.firsts[order], grid.bases[order], grid.ticks)
    servers = tuple(names.names[code] for code in order)
    return Survey(servers, places, ordered, names, unit, in_order)


def _finer(unit: str, block: GoodRows) -> str:
    if unit == "ms" and (block.rows.times % 1_000_000).any():
        unit = "us"
    if unit == "us" and (block.rows.times % 1_000).any():
        unit = "ns"
    return unit


def _step(declared: float | None, sample: SeriesSample, findings: Findings) -> int:
    if declared is not None:
        return round(declared * NS_PER_SECOND)
    inferred = infer_step(sample.series())
    if inferred is None:
        findings.note("default-step", detail=f"{DEFAULT_STEP_SECONDS:g} s is assumed")
        return round(DEFAULT_STEP_SECONDS * NS_PER_SECOND)
    return inferred


def _note_times(reader: TimeReader, findings: Findings) -> None:
    if len(reader.zones) > 1:
        findings.note("mixed-zones", "timestamp", detail=", ".join(sorted(reader.zones)))
    if NAIVE in reader.zones:
        findings.count("naive-timestamp", reader.naive_rows, column="timestamp")
    if reader.epoch_unit is not None:
        findings.note("epoch-timestamp", "timestamp", detail=reader.epoch_unit)


def _demand_rows(where: str, good: int, findings: Findings) -> None:
    where = shorten(where)
    if not findings.rows:
        raise TableError(f"{where} has a header but no rows. Write it again, or give another file.")
    if good:
        return
    reasons = []
    for finding in findings.listed():
        if finding.rule in ("bad-timestamp", "bad-server-name", "malformed-row"):
            value = next((example.value for example in finding.examples if example.value), None)
            seen = f" For example: {value}." if value else ""
            reasons.append(f"{finding.sentence}{seen} {finding.advice}")
    raise TableError(f"{where}: none of its {findings.rows:,} rows can be read. {' '.join(reasons)}")
